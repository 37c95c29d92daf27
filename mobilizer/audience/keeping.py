"""Audience: writing many rows at once, where some may be there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mobilizer.db import Base


def insert_new(session: Session, entity: type[Base], rows: Sequence[Mapping[str, Any]], unique: Sequence[str]) -> None:
    """Insert the rows whose `unique` columns are not taken yet; the others stay as they are. Never raises for those."""
    if not rows:
        return
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(entity) if on_postgresql else sqlite.insert(entity)
    session.execute(insert.on_conflict_do_nothing(index_elements=unique), [dict(row) for row in rows])
