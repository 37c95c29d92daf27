"""Delivery: progress. How far a blast is, counted from the ledger itself and cheap at any size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, and_, case, cast, func, literal, select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import BigId, clock
from mobilizer.delivery import heartbeats
from mobilizer.delivery.leases import overdue
from mobilizer.delivery.ledger import FINAL, Batch, BatchState, Delivery, DeliveryState, is_not_sent, is_open
from mobilizer.delivery.recount import PULSE, place
from mobilizer.problems import Problem


@dataclass(slots=True)
class Tally:
    """Deliveries by state; `reasons` splits rejected, skipped and uncertain ones further."""

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
    """A blast in motion. `per_second` is the rate of the last half minute, 0.0 where it is not known or nothing is
    sent; `in_hand` counts the batches that workers have just now, `undecided` the uncertain messages that a person has
    not decided about."""

    state: str
    languages: dict[str, Tally]
    overall: Tally
    per_second: float
    workers: int
    in_hand: int
    undecided: int
    held_for: Problem | None
    retry_at: datetime | None

    @property
    def finished(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ("sent", "cancelled") and not self.overall.waiting

    def seconds_left(self, later: int = 0) -> float | None:
        """How long it goes on at this rate, without `later` messages that wait for their next try; None if unknown."""
        return max(self.overall.waiting - later, 0) / self.per_second if self.per_second else None


def progress(session: Session, blast: Blast) -> Progress:
    """Count a blast's deliveries by language and state. Costs as much as there are batches, not deliveries."""
    languages = tallies_by_language(session, [blast.id])[blast.id]
    overall = together(languages)
    now, in_hand = session.execute(
        select(clock(), func.count(Batch.id)).where(
            Batch.blast_id == blast.id, Batch.state == BatchState.LEASED, ~overdue()
        )
    ).one()
    return Progress(
        state=blast.state,
        languages=dict(sorted(languages.items(), key=lambda item: -item[1].total)),
        overall=overall,
        per_second=_rate(session, blast, overall.final, now),
        workers=heartbeats.alive(session, "worker"),
        in_hand=in_hand,
        undecided=undecided(session, [blast.id]).get(blast.id, 0) if overall.uncertain else 0,
        held_for=blast.held_for,
        retry_at=blast.retry_at,
    )


def _rate(session: Session, blast: Blast, final: int, now: datetime) -> float:
    key = place(session, blast.id)
    if blast.state != BlastState.SENDING:
        PULSE.rest(key)
        return 0.0
    if blast.launched_at is None or blast.resumed_at is not None:
        return PULSE.rate(key, final, None)
    return PULSE.rate(key, final, (now - blast.launched_at).total_seconds())


def tallies_by_language(session: Session, blast_ids: Sequence[int]) -> dict[int, dict[str, Tally]]:
    """What became of each of these blasts' people, by language and state.

    Nothing looks at accepted rows, which are most: they are what is left of a batch's size. A batch that was never
    leased waits whole, one that is done waits for nobody, and only those between are looked into.
    """
    found: dict[int, dict[str, Tally]] = {blast_id: defaultdict(Tally) for blast_id in blast_ids}
    # One statement, so that both halves see one moment.
    for blast_id, language, state, reason, count, waiting in session.execute(
        _batches(blast_ids).union_all(_not_sent(blast_ids))
    ):
        tally = found[blast_id][language]
        if state:
            tally.add(state, reason, count)
            tally.states[DeliveryState.ACCEPTED] -= count
        else:
            tally.states[DeliveryState.PENDING] += waiting
            tally.states[DeliveryState.ACCEPTED] += count - waiting
    return {blast_id: dict(languages) for blast_id, languages in found.items()}


def together(languages: dict[str, Tally]) -> Tally:
    """The sum of several tallies."""
    total = Tally()
    for tally in languages.values():
        for state, count in tally.states.items():
            total.states[state] += count
        for key, count in tally.reasons.items():
            total.reasons[key] += count
    return total


def undecided(session: Session, blast_ids: Sequence[int]) -> dict[int, int]:
    """How many uncertain messages of each of these blasts a person has not decided about; those with none left out."""
    rows = session.execute(
        select(Delivery.blast_id, func.count())
        .where(
            Delivery.blast_id.in_(blast_ids),
            is_not_sent(),
            Delivery.state == DeliveryState.UNCERTAIN,
            Delivery.decided_at.is_(None),
        )
        .group_by(Delivery.blast_id)
    )
    return {row[0]: row[1] for row in rows}


def _batches(blast_ids: Sequence[int]) -> Select[int, str, str, str, int, int]:
    """Sizes of the batches and how many of their rows are open."""
    open_rows = (
        select(func.count())
        .select_from(Delivery)
        .where(Delivery.blast_id == Batch.blast_id, Delivery.batch_id == Batch.id, is_open())
        .scalar_subquery()
    )
    # What a cancelled blast had not begun is settled without a lease.
    untouched = and_(Batch.epoch == 0, Batch.state == BatchState.OPEN, Blast.state != BlastState.CANCELLED)
    waiting = case((Batch.state == BatchState.DONE, 0), (untouched, Batch.size), else_=open_rows)
    return (
        select(
            Batch.blast_id,
            Batch.language,
            literal("").label("state"),
            literal("").label("reason"),
            cast(func.sum(Batch.size), BigId),
            cast(func.sum(waiting), BigId),
        )
        .join(Blast, Blast.id == Batch.blast_id)
        .where(Batch.blast_id.in_(blast_ids))
        .group_by(Batch.blast_id, Batch.language)
    )


def _not_sent(blast_ids: Sequence[int]) -> Select[int, str, str, str, int, int]:
    """The rows that ended without being accepted, by state and reason."""
    return (
        select(Delivery.blast_id, Delivery.language, Delivery.state, Delivery.reason, func.count(), literal(0))
        .where(Delivery.blast_id.in_(blast_ids), is_not_sent())
        .group_by(Delivery.blast_id, Delivery.state, Delivery.reason, Delivery.language)
    )
