"""Ground: what Alembic runs. The database is handed in by `mobilizer db upgrade`, or read from the settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection

from mobilizer.db import Database, Instant
from mobilizer.settings import Settings
from mobilizer.tables import metadata


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Write our own column type by its name when a revision is generated."""
    if kind == "type" and isinstance(item, Instant):
        autogen_context.imports.add("from mobilizer.db import Instant")
        return "Instant()"
    return False


def run(connection: Connection) -> None:
    """Run the wanted revisions in one transaction. Raises RuntimeError where SQLite's references would be broken."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=render_item,
        transactional_ddl=True,  # SQLite can, too: transactions are begun in db.py, not by its driver
    )
    with _unreferenced(connection), context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(5)
            if broken:
                raise RuntimeError(f"References would be broken: {[tuple(row) for row in broken]}")
    connection.commit()


@contextmanager
def _unreferenced(connection: Connection) -> Iterator[None]:
    """SQLite changes a column by making its table anew. To drop the old one would delete every row that refers to it
    (https://sqlite.org/lang_altertable.html, 7): meanwhile references are not held, and before the end looked at."""
    if connection.dialect.name != "sqlite":
        yield
        return
    cursor = connection.connection.cursor()  # once a transaction has begun the pragma does nothing
    cursor.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys = ON")


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(Settings().database).engine.connect() as own:
        run(own)
