"""Ground: what Alembic runs. The database is handed in by `mobilizer db upgrade`, or read from the settings."""

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
    """Run the wanted revisions in one transaction."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, render_item=render_item)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with Database(Settings().database).engine.connect() as own:
        run(own)
