"""Bench: weight. What a delivery takes on disk, in its table and in each of its indexes."""

from __future__ import annotations

from sqlalchemy import func, select, text

from mobilizer.db import Database
from mobilizer.delivery.ledger import Delivery

_SIZES = {
    "sqlite": "SELECT name, sum(pgsize) FROM dbstat WHERE name IN"
    " (SELECT name FROM sqlite_master WHERE tbl_name = 'deliveries') GROUP BY name",
    "postgresql": "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE oid = 'deliveries'::regclass"
    " OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'deliveries'::regclass)",
}


def weigh(database: Database) -> dict[str, float]:
    """Bytes a delivery of the table and of each index, the free space in them counted too."""
    with database.read() as session:
        rows = session.scalar(select(func.count(Delivery.id))) or 1
        sizes = session.execute(text(_SIZES[session.get_bind().dialect.name]))
        return {name: round(size / rows, 1) for name, size in sorted(sizes.all())}
