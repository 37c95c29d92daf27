"""Audience: writing many rows at once, where some may be there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, cast

from sqlalchemy import Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from mobilizer.db import Base, Prepared


def insert_new(session: Session, entity: type[Base], rows: Sequence[Mapping[str, Any]], unique: Sequence[str]) -> None:
    """Insert the rows whose `unique` columns are not taken yet; the others stay as they are. Never raises for those."""
    if not rows:
        return
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert(entity) if on_postgresql else sqlite.insert(entity)
    session.execute(insert.on_conflict_do_nothing(index_elements=unique), [dict(row) for row in rows])


def upsert_all(
    session: Session,
    entity: type[Base],
    rows: Sequence[Mapping[str, Any]],
    unique: Sequence[str],
    changed: Sequence[str],
) -> None:
    """Insert rows; of those whose `unique` columns are taken, change the columns `changed`."""
    if not rows:
        return
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(entity)
    over = insert.on_conflict_do_update(index_elements=unique, set_={name: insert.excluded[name] for name in changed})
    session.execute(over, [dict(row) for row in rows])


class Bulk:
    """The same for thousands of rows: tuples of what the driver takes, in the order of `names`, past SQLAlchemy.

    PostgreSQL copies them into a table that is gone with the transaction, and takes them from there in one statement.
    """

    def __init__(self, entity: type[Base], *names: str) -> None:
        self._table = cast(Table, entity.__table__).name
        self._names = ", ".join(names)
        values: dict[str, Any] = {name: bindparam(name) for name in names}
        self._each = Prepared(sqlite.insert(entity).values(values).on_conflict_do_nothing(), *names)

    def insert(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert the rows that are in nobody's way, once in a transaction; how many they were."""
        if connection.dialect.name == "postgresql":
            return self._copy(connection, rows)
        return self._each.run_all(connection, rows)

    def _copy(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        table, staged, names = self._table, f"arriving_{self._table}", self._names
        into = f"INSERT INTO {table} ({names}) SELECT {names} FROM {staged} ON CONFLICT DO NOTHING"  # noqa: S608 - all ours
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(f"CREATE TEMPORARY TABLE {staged} (LIKE {table}) ON COMMIT DROP")
            with cursor.copy(f"COPY {staged} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(into)
            return int(cursor.rowcount)
