"""The schema's history on a database that is in use: what refers to a table that is made anew stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, Table, func, insert, select
from sqlalchemy.exc import IntegrityError

from mobilizer.db import Database
from mobilizer.migrations import _config, is_current, upgrade

OLD = "0035"  # of the revisions after it some make tables anew: appeals, blasts, events


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Database]:
    """A database of SQLite as an earlier release left it, with an appeal in two languages."""
    with closing(Database(f"sqlite:///{tmp_path / 'old.sqlite'}")) as database:
        config = _config()
        with database.engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, OLD)
        appeals, translations = tables(database.engine, "appeals", "translations")
        with database.engine.begin() as connection:
            connection.execute(insert(appeals).values(some(appeals, id=1, slug="an-appeal")))
            for tag in ("en", "es"):
                connection.execute(insert(translations).values(some(translations, appeal_id=1, language=tag)))
        yield database


def tables(engine: Engine, *names: str) -> list[Table]:
    known = MetaData()
    known.reflect(engine, only=names)
    return [known.tables[name] for name in names]


def some(table: Table, **known: Any) -> dict[str, Any]:
    """A row: what is known, and anything in each other column that must have a value."""
    must = [one for one in table.columns if not one.nullable and not one.server_default and one.name not in known]
    made = {int: 1, str: "", bool: False, float: 0.0, datetime: datetime.now(UTC), dict: {}, bytes: b""}
    return {one.name: made[one.type.python_type] for one in must if not one.primary_key} | known


def test_no_row_is_lost_when_the_table_that_it_refers_to_is_made_anew(old: Database) -> None:
    upgrade(old)
    assert is_current(old)
    appeals, translations = tables(old.engine, "appeals", "translations")
    with old.engine.begin() as connection:
        assert connection.scalars(select(translations.c.language).order_by(translations.c.language)).all() == [
            "en",
            "es",
        ]
        assert connection.scalar(select(func.count()).select_from(appeals)) == 1


def test_references_are_held_again_afterwards(old: Database) -> None:
    upgrade(old)
    (translations,) = tables(old.engine, "translations")
    with pytest.raises(IntegrityError), old.engine.begin() as connection:
        connection.execute(insert(translations).values(some(translations, appeal_id=2, language="en")))


def test_a_history_that_would_leave_a_reference_broken_changes_nothing(old: Database) -> None:
    (translations,) = tables(old.engine, "translations")
    with old.engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
        connection.execute(insert(translations).values(some(translations, appeal_id=2, language="en")))
        connection.commit()
        connection.connection.cursor().execute("PRAGMA foreign_keys = ON")
    with pytest.raises(RuntimeError, match="translations"):
        upgrade(old)
    assert not is_current(old)
    (translations,) = tables(old.engine, "translations")
    assert "discreet_sender" not in translations.columns
