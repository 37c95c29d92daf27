"""Who is cut off from PostgreSQL in the middle of a transaction keeps nobody waiting."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mobilizer.db import Database

LOCK = text("SELECT pg_advisory_xact_lock(4711)")
SETTING = text("SHOW idle_in_transaction_session_timeout")


def test_the_locks_of_who_is_gone_are_free_after_a_while(postgresql: str) -> None:
    cut_off, other = Database(postgresql, idle_seconds=0.3), Database(postgresql)
    with cut_off.engine.connect() as silent, other.engine.connect() as connection:
        silent.execute(LOCK)
        connection.execute(text("SET lock_timeout = '20s'"))
        connection.execute(LOCK)
        with pytest.raises(DBAPIError):  # it hears of it when it is back
            silent.execute(LOCK)
    cut_off.close()
    other.close()


def test_what_the_address_says_itself_counts(postgresql: str) -> None:
    database = Database(f"{postgresql}&options=-c%20idle_in_transaction_session_timeout%3D7000")
    with database.engine.connect() as connection:
        assert connection.execute(SETTING).scalar_one() == "7s"
    database.close()
    database = Database(postgresql)
    with database.engine.connect() as connection:
        assert connection.execute(SETTING).scalar_one() == "1min"
    database.close()
