"""Face: whether the database that a command needs is there, durable and up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.exc import SQLAlchemyError

from mobilizer.db import Database, UnsafeDurability, check_durability
from mobilizer.migrations import is_current


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `level` is 'ok', 'warn' (works, but look) or 'missing' (needed); `fix` is empty if all is well."""

    level: Literal["ok", "warn", "missing"]
    about: str
    says: str
    fix: str = ""


def storage(database: Database) -> Iterator[Finding]:
    """What there is to say about the database. Makes nothing: a missing SQLite file stays missing."""
    kind = database.engine.dialect.name
    if kind == "sqlite" and not os.path.exists(database.engine.url.database or ""):
        yield Finding("missing", "Database", "there is none yet", "mobilizer db upgrade")
        return
    try:
        check_durability(database)
        current = is_current(database)
    except UnsafeDurability as unsafe:
        yield Finding("missing", "Database", f"{kind}: a commit may be forgotten after a power cut", str(unsafe))
        return
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield Finding("missing", "Database", f"can't be reached: {reason}", "Start it, or correct DATABASE_URL.")
        return
    yield Finding("ok", "Database", f"{kind}, durable")
    if current:
        yield Finding("ok", "Schema", "up to date")
    else:
        yield Finding("missing", "Schema", "not up to date", "mobilizer db upgrade")
