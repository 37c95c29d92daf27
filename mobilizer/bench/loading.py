"""Bench: loading. Many rows at once into tables whose indexes PostgreSQL makes afterwards, for it is faster so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import Json
from sqlalchemy import Connection, Table, insert, text
from sqlalchemy.orm import Session

from mobilizer.db import Database

# Primary keys stay: rows come in their order.
_INDEXES = text(
    "SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index"
    " WHERE indrelid = CAST(:table AS regclass) AND NOT indisprimary"
    " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND conrelid = indrelid)"
)
_CONSTRAINTS = text(
    "SELECT quote_ident(conname) AS name, pg_get_constraintdef(oid) AS made FROM pg_constraint"
    " WHERE conrelid = CAST(:table AS regclass) AND contype IN ('u', 'f') ORDER BY contype DESC"
)


@contextmanager
def bare(database: Database, tables: Sequence[str]) -> Iterator[None]:
    """PostgreSQL: these tables without indexes and foreign keys but their primary keys, which come back at the end."""
    if database.engine.dialect.name != "postgresql":
        yield
        return
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        again = [statement for table in tables for statement in _stripped(connection, table)]
    yield
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
        for statement in again:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("RESET maintenance_work_mem")


def _stripped(connection: Connection, table: str) -> list[str]:
    """Take away what makes a row dear; the statements that bring it back."""
    indexes = connection.execute(_INDEXES, {"table": table}).all()
    constraints = connection.execute(_CONSTRAINTS, {"table": table}).all()
    for row in constraints:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {row.name}")
    for row in indexes:
        connection.exec_driver_sql(f"DROP INDEX {row.name}")
    added = [f"ALTER TABLE {table} ADD CONSTRAINT {row.name} {row.made}" for row in constraints]
    return [*(row.made for row in indexes), *added]


def write(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that all have the same columns: COPY on PostgreSQL."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), list(rows))
        return
    names = list(rows[0])
    columns = ", ".join(f'"{name}"' for name in names)
    driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row([Json(value) if isinstance(value, dict) else value for value in row.values()])
