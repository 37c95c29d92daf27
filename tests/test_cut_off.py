"""Who is cut off from PostgreSQL in the middle of a transaction keeps nobody waiting."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from mobilizer.db import Database
from mobilizer.delivery import leases
from mobilizer.delivery.ledger import Batch
from tests.worlds import World

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


def test_a_transaction_of_who_is_in_a_hurry_ends_though_it_is_not_idle(postgresql: str) -> None:
    database = Database(postgresql)
    database.hurry(0.3)
    with database.engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("SELECT pg_sleep(20)"))
    database.close()


def test_a_batch_that_somebody_has_locked_is_left_alone_and_not_waited_for(world: World) -> None:
    database = world.installation.database
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite locks no rows.")
    world.launch()
    first, second = world.batches()
    with database.write() as silent:
        silent.execute(select(Batch.id).where(Batch.id == first).with_for_update())
        with database.write() as session:
            session.execute(text("SET LOCAL lock_timeout = '5s'"))
            assert leases.take(session, first, "b-1") is None
            assert leases.take(session, second, "b-1")
    with database.write() as session:
        assert leases.take(session, first, "b-1")


def test_what_the_address_says_itself_counts(postgresql: str) -> None:
    database = Database(f"{postgresql}&options=-c%20idle_in_transaction_session_timeout%3D7000")
    with database.engine.connect() as connection:
        assert connection.execute(SETTING).scalar_one() == "7s"
    database.close()
    database = Database(postgresql)
    with database.engine.connect() as connection:
        assert connection.execute(SETTING).scalar_one() == "1min"
    database.close()
