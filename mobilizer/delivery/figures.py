"""Delivery: figures. What someone who watches over an installation wants to know, from the ledger alone and cheaply.

Accepted rows are the many: they are not counted but reckoned, from the sizes of batches and the two partial indexes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery import heartbeats
from mobilizer.delivery.leases import overdue
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState, Heartbeat, is_not_sent, is_open

LIVE = (BlastState.LAUNCHING, BlastState.SENDING, BlastState.PAUSED, BlastState.HELD)
MOST_BLASTS = 50
_OUTCOMES = ("accepted", "rejected", "skipped", "uncertain", "waiting")
LATELY_SECONDS = 30 * 86400.0  # what nobody decided about for longer is no alarm any more


@dataclass(frozen=True, slots=True)
class BlastFigures:
    """A blast in motion: its deliveries by outcome ("waiting": not final yet), the relay's troubles in a row."""

    slug: str
    troubles: int
    deliveries: dict[str, int]


@dataclass(frozen=True, slots=True)
class Figures:
    """An installation at a moment. `reconciled_seconds_ago` is None where no reconciler has said anything for a day."""

    blasts: dict[str, int]
    live: list[BlastFigures]
    batches: dict[str, int]
    undecided: int
    workers: int
    reconcilers: int
    reconciled_seconds_ago: float | None


def figures(session: Session) -> Figures:
    """Count. Touches no row of a delivery that is accepted."""
    states = select(Blast.state, func.count()).group_by(Blast.state)
    known = dict(session.execute(states).all())
    live = session.execute(
        select(Blast.id, Blast.slug, Blast.troubles)
        .where(Blast.state.in_(LIVE))
        .order_by(Blast.launched_at.desc(), Blast.id.desc())
        .limit(MOST_BLASTS)
    ).all()
    deliveries = _deliveries(session, [blast_id for blast_id, _, _ in live])
    return Figures(
        blasts={state.value: known.get(state, 0) for state in BlastState},
        live=[BlastFigures(slug, troubles, deliveries[blast_id]) for blast_id, slug, troubles in live],
        batches=_batches(session),
        undecided=_undecided(session),
        workers=heartbeats.alive(session, "worker"),
        reconcilers=heartbeats.alive(session, "reconciler"),
        reconciled_seconds_ago=_reconciled_seconds_ago(session),
    )


def _deliveries(session: Session, blasts: Sequence[int]) -> dict[int, dict[str, int]]:
    """By blast and outcome; every outcome is there."""
    found = {blast_id: dict.fromkeys(_OUTCOMES, 0) for blast_id in blasts}
    if not blasts:
        return found
    frozen = select(Batch.blast_id, func.sum(Batch.size)).where(Batch.blast_id.in_(blasts)).group_by(Batch.blast_id)
    for blast_id, size in session.execute(frozen):
        found[blast_id]["accepted"] = size
    waiting = select(Delivery.blast_id, func.count()).where(Delivery.blast_id.in_(blasts), is_open())
    ended = select(Delivery.blast_id, Delivery.state, func.count()).where(Delivery.blast_id.in_(blasts), is_not_sent())
    rows = [(blast_id, "waiting", count) for blast_id, count in session.execute(waiting.group_by(Delivery.blast_id))]
    rows += [(*row,) for row in session.execute(ended.group_by(Delivery.blast_id, Delivery.state))]
    for blast_id, outcome, count in rows:
        found[blast_id][outcome] = count
        found[blast_id]["accepted"] -= count
    return found


def _batches(session: Session) -> dict[str, int]:
    """Batches of blasts in motion: open, leased, and overdue: leased to someone whose time is over."""
    state = case((overdue(), "overdue"), else_=Batch.state).label("standing")
    counted = (
        select(state, func.count())
        .join(Blast, Blast.id == Batch.blast_id)
        .where(Blast.state.in_(LIVE), Batch.state.in_([BatchState.OPEN, BatchState.LEASED]))
        .group_by(state)
    )
    found: dict[str, int] = dict(session.execute(counted).all())
    return {name: found.get(name, 0) for name in ("open", "leased", "overdue")}


def _undecided(session: Session) -> int:
    """Uncertain mails of lately that wait for a person's decision."""
    lately = select(Blast.id).where(
        Blast.launched_at > clock(-LATELY_SECONDS), or_(Blast.state.in_(LIVE), Blast.finished_at.is_not(None))
    )
    undecided = select(func.count()).where(
        Delivery.blast_id.in_(lately),
        is_not_sent(),
        Delivery.state == DeliveryState.UNCERTAIN,
        Delivery.decided_at.is_(None),
    )
    return session.scalar(undecided) or 0


def _reconciled_seconds_ago(session: Session) -> float | None:
    said, now = session.execute(
        select(func.max(Heartbeat.beat_at), clock()).where(Heartbeat.role == "reconciler")
    ).one()
    return (now - said).total_seconds() if said else None
