"""The step of the schema that lets an event say how often, there and back, with events in the table."""

from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from mobilizer.db import Database
from mobilizer.engagement.events import Event, EventKind
from mobilizer.migrations import _config

INDEX = "ix_events_step"


def columns(database: Database) -> list[str | None]:
    """What the index of the share tree has."""
    return next(one["column_names"] for one in inspect(database.engine).get_indexes("events") if one["name"] == INDEX)


def test_events_stay_when_the_schema_goes_back_and_on_again(database: Database) -> None:
    step = ScriptDirectory.from_config(_config()).get_revision("0043")
    with database.write() as session:
        session.add_all(Event(kind=EventKind.VISIT, step=n, times=n) for n in (1, 300))
    newest = columns(database)
    for way in (step.module.downgrade, step.module.upgrade):
        with database.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
            way()
        if way is step.module.downgrade:
            assert "times" not in {column["name"] for column in inspect(database.engine).get_columns("events")}
            assert columns(database) == [name for name in newest if name != "times"]
    assert columns(database) == newest
    with database.read() as session:
        # How often is forgotten on the way back; that it happened is not.
        rows = session.execute(text("SELECT step, times FROM events ORDER BY step")).all()
    assert [tuple(row) for row in rows] == [(1, 1), (300, 1)]
    with database.write() as session:
        session.add(Event(kind=EventKind.VISIT, step=2, times=7))
