"""Delivery: progress. How far a blast is, counted from the ledger itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import heartbeats
from mobilizer.delivery.ledger import FINAL, Delivery, DeliveryState
from mobilizer.problems import Problem

RATE_SECONDS = 30.0


@dataclass(slots=True)
class Tally:
    """Deliveries by state; `reasons` splits rejected and skipped ones further."""

    states: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reasons: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    @property
    def total(self) -> int:
        """All deliveries."""
        return sum(self.states.values())

    @property
    def final(self) -> int:
        """Deliveries whose state won't change any more."""
        return sum(self.states[state] for state in FINAL)

    @property
    def accepted(self) -> int:
        """Messages that the relay took."""
        return self.states[DeliveryState.ACCEPTED]

    @property
    def rejected(self) -> int:
        """Messages that were refused for good."""
        return self.states[DeliveryState.REJECTED]

    @property
    def skipped(self) -> int:
        """Messages that were never handed over, each for a reason."""
        return self.states[DeliveryState.SKIPPED]

    @property
    def uncertain(self) -> int:
        """Messages whose answer was lost."""
        return self.states[DeliveryState.UNCERTAIN]

    @property
    def waiting(self) -> int:
        """Messages still to come or just under way."""
        return self.total - self.final

    def add(self, state: str, reason: str, count: int) -> None:
        """Count `count` deliveries in."""
        self.states[state] += count
        if reason:
            self.reasons[state, reason] += count


@dataclass(frozen=True, slots=True)
class Progress:
    """A blast in motion. `per_second` is the rate of the last half minute; `seconds_left` None if unknown."""

    state: str
    languages: dict[str, Tally]
    overall: Tally
    per_second: float
    seconds_left: float | None
    workers: int
    held_for: Problem | None
    retry_at: datetime | None
    next_retry: datetime | None

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("sent", "cancelled") and not self.overall.waiting


def progress(session: Session, blast: Blast) -> Progress:
    """Count a blast's deliveries by language and state."""
    languages: dict[str, Tally] = {}
    overall = Tally()
    rows = session.execute(
        select(Delivery.language, Delivery.state, Delivery.reason, func.count())
        .where(Delivery.blast_id == blast.id)
        .group_by(Delivery.language, Delivery.state, Delivery.reason)
    )
    for language, state, reason, count in rows:
        languages.setdefault(language, Tally()).add(state, reason, count)
        overall.add(state, reason, count)
    rate = _rate(session, blast)
    return Progress(
        state=blast.state,
        languages=dict(sorted(languages.items(), key=lambda item: -item[1].total)),
        overall=overall,
        per_second=rate,
        seconds_left=overall.waiting / rate if rate else None,
        workers=heartbeats.alive(session, "worker"),
        held_for=blast.held_for,
        retry_at=blast.retry_at,
        next_retry=_next_retry(session, blast.id),
    )


def _rate(session: Session, blast: Blast) -> float:
    """Messages settled a second, over the last half minute or since launch if that is shorter."""
    settled, first, now = session.execute(
        select(func.count(), func.min(Delivery.settled_at), clock()).where(
            Delivery.blast_id == blast.id,
            Delivery.state.in_([DeliveryState.ACCEPTED, DeliveryState.REJECTED]),
            Delivery.settled_at > clock(-RATE_SECONDS),
        )
    ).one()
    if not settled or first is None:
        return 0.0
    span = max((now - first).total_seconds(), 1.0)
    return float(settled / span)


def _next_retry(session: Session, blast_id: int) -> datetime | None:
    """When the soonest deferred message is tried again."""
    return session.scalar(
        select(func.min(Delivery.next_at)).where(
            Delivery.blast_id == blast_id, Delivery.state == DeliveryState.PENDING, Delivery.next_at > clock()
        )
    )
