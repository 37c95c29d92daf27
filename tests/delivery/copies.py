"""Copies of a database with something in it: for tests that need a fresh one many times."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import URL, create_engine, event, text

from mobilizer.db import Database


def copies_of(database: Database) -> Iterator[AbstractContextManager[Database]]:
    """Copies, one after another; nobody uses the original meanwhile."""
    url = database.engine.url
    if database.engine.dialect.name == "sqlite":
        with database.engine.connect() as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    database.close()
    for number in count():
        if url.drivername.startswith("sqlite"):
            original = Path(str(url.database))
            yield _sqlite(original, original.with_name(f"copy{number}.sqlite3"))
        else:
            yield _postgresql(url, f"copy{number}_of_{url.database}")


@contextmanager
def _sqlite(original: Path, path: Path) -> Iterator[Database]:
    """A file, whose changes need not outlive the machine."""
    shutil.copy(original, path)
    database = Database(f"sqlite:///{path}")
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    yield database
    database.close()
    path.unlink()


@contextmanager
def _postgresql(original: URL, name: str) -> Iterator[Database]:
    server = create_engine(original.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with server.connect() as admin:
        admin.execute(text(f"CREATE DATABASE {name} TEMPLATE {original.database}"))
        database = Database(original.set(database=name).render_as_string(hide_password=False))
        yield database
        database.close()
        admin.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
