"""A database whose disk is full for some writes, or for all; until it is no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import event, text

from mobilizer.db import Database

ROOM_PAGES = 50  # that SQLite may still take: enough for all but the ballast
BALLAST_BYTES = 4_000_000


@dataclass(frozen=True)
class Write:
    """A write that finds no room: 'UPDATE' or 'INSERT' of rows of a table that are `so` then, as SQL."""

    verb: str
    table: str
    so: str = "1 = 1"


FREEZE = Write("INSERT", "deliveries")
LEASE = Write("UPDATE", "batches", "NEW.state = 'leased'")
CLAIM = Write("UPDATE", "deliveries", "NEW.state = 'handing'")
ANSWER = Write("UPDATE", "deliveries", "NEW.state <> 'handing'")
FINISH = Write("UPDATE", "blasts", "NEW.state = 'sent'")
HOLD = Write("UPDATE", "blasts", "NEW.state = 'held'")
EVERYTHING = tuple(
    Write(verb, table)
    for verb in ("INSERT", "UPDATE")
    for table in ("deliveries", "batches", "blasts", "renditions", "heartbeats", "audit")
)


class Disk:
    """The disk of a database. On SQLite it is full indeed: the write is made to take more pages than the file may
    have, and the error is SQLite's own. On PostgreSQL, whose disk is everybody's, a trigger raises the error that a
    full disk raises (53100), at the commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sqlite = database.engine.dialect.name == "sqlite"
        self._full: list[str] = []
        if self._sqlite:
            self._run("CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)")
            pages = self._run("PRAGMA page_count")
            database.close()  # the limit is each connection's own
            limit = f"PRAGMA max_page_count = {pages + ROOM_PAGES}"
            event.listen(database.engine, "connect", lambda connection, _record: connection.execute(limit))
        else:
            self._run(
                "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
            )

    def fill(self, *writes: Write) -> None:
        """From now on these find no room."""
        for write in writes:
            name = f"full_{write.verb}_{write.table}_{len(self._full)}".lower()
            self._run(self._trigger(name, write))
            self._full.append(f"DROP TRIGGER {name}" + ("" if self._sqlite else f" ON {write.table}"))

    def make_room(self) -> None:
        """From now on everything finds room."""
        while self._full:
            self._run(self._full.pop())

    @contextmanager
    def full(self, *writes: Write) -> Iterator[None]:
        """The same for the time of a block."""
        self.fill(*writes)
        try:
            yield
        finally:
            self.make_room()

    def _trigger(self, name: str, write: Write) -> str:
        if self._sqlite:
            return (
                f"CREATE TRIGGER {name} AFTER {write.verb} ON {write.table} WHEN {write.so} BEGIN "  # noqa: S608 - ours
                f"INSERT INTO ballast VALUES (zeroblob({BALLAST_BYTES})); END"
            )
        return (
            f"CREATE CONSTRAINT TRIGGER {name} AFTER {write.verb} ON {write.table} DEFERRABLE INITIALLY DEFERRED "
            f"FOR EACH ROW WHEN ({write.so}) EXECUTE FUNCTION no_room()"
        )

    def _run(self, statement: str) -> int:
        with self._database.engine.begin() as connection:
            result = connection.execute(text(statement))
            return int(result.scalar_one()) if result.returns_rows else 0
