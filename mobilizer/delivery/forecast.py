"""Delivery: the forecast. How fast a blast will go, by what limits the mail and by how fast the last one went."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery.ledger import Batch
from mobilizer.delivery.limits import in_force
from mobilizer.settings import Settings

RELAY = "relay:"
LEAST_SECONDS = 1.0


def pace(session: Session, settings: Settings) -> float | None:
    """Messages a second to expect: as the last blast went, but no more than relays may; None if nobody knows."""
    limits = [one.rate for one in in_force(settings) if one.name.startswith(RELAY) and "/" not in one.name]
    known = [rate for rate in (_last(session), sum(limits)) if rate]
    return min(known, default=None)


def _last(session: Session) -> float | None:
    """How fast the last blast went that nobody stopped on its way."""
    straight = (Blast.state == BlastState.SENT, Blast.resumed_at.is_(None), Blast.finished_at > Blast.launched_at)
    last = session.scalars(select(Blast).where(*straight).order_by(Blast.id.desc()).limit(1)).one_or_none()
    if last is None or last.finished_at is None or last.launched_at is None:
        return None
    people = session.scalar(select(func.sum(Batch.size)).where(Batch.blast_id == last.id)) or 0
    return people / max((last.finished_at - last.launched_at).total_seconds(), LEAST_SECONDS) or None
