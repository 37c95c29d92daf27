"""Delivery: heartbeats. Which of our processes are alive, by their own word in the database."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mobilizer.db import clock
from mobilizer.delivery.ledger import Heartbeat

ALIVE_SECONDS = 45.0
FORGOTTEN_SECONDS = 24 * 3600.0


def beat(session: Session, name: str, role: str) -> None:
    """Say that the process `name` is alive in its `role` ('worker', 'reconciler')."""
    known = session.execute(
        update(Heartbeat)
        .where(Heartbeat.name == name)
        .values(beat_at=clock(), role=role)
        .execution_options(synchronize_session=False)
        .returning(Heartbeat.name)
    ).all()
    if not known:
        remembered = Heartbeat.beat_at.between(clock(-FORGOTTEN_SECONDS), clock(ALIVE_SECONDS))
        session.execute(delete(Heartbeat).where(~remembered))
        session.add(Heartbeat(name=name, role=role))


def alive(session: Session, role: str) -> int:
    """How many processes of a role have said so lately."""
    return session.scalar(
        select(func.count())
        .select_from(Heartbeat)
        .where(Heartbeat.role == role, Heartbeat.beat_at.between(clock(-ALIVE_SECONDS), clock(ALIVE_SECONDS)))
    ) or 0  # fmt: skip


def leave(session: Session, name: str) -> None:
    """Forget a process that ends."""
    session.execute(delete(Heartbeat).where(Heartbeat.name == name))
