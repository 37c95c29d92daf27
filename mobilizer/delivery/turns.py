"""Delivery: turns. Who writes an audience down does so beside others, or alone where it has to see all they write.

SQLite has one writer at a time anyway.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

WRITERS = 1  # the number of the lock: deliveries, whose numbers are locks too, have higher ones (ledger.numbered)


def beside(session: Session) -> None:
    """Write beside others until the transaction ends; whoever is alone is waited for."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock_shared(WRITERS)))


def alone(session: Session) -> None:
    """Wait until what all others write is committed; until the transaction ends nobody else writes."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(WRITERS)))
