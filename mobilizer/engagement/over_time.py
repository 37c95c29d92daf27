"""Engagement: over time. What people did with a blast, and machines, hour by hour for two days, then day by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.crowds import CROWD
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, Event, EventKind
from mobilizer.engagement.hours import hour_of

HOURS = 48
DAYS = 30  # the last of them holds all that came later
KINDS = (EventKind.CLICK, EventKind.WATCH, EventKind.SHARE, EventKind.JOIN)
_OF_MACHINES = (EventKind.OPEN, EventKind.CLICK, EventKind.VISIT)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(slots=True)
class Span:
    """An hour or a day from `start` on, the acts of people in it by kind, and how often machines opened or followed
    something: whatever counts for nobody, but for what crowds did."""

    start: datetime
    acts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    machines: int = 0


@dataclass(frozen=True, slots=True)
class OverTime:
    """The first HOURS from the hour of the launch, and the days from its day on, up to the last act."""

    hours: tuple[Span, ...]
    days: tuple[Span, ...]


def over_time(session: Session, blast_id: int, launched_at: datetime, language: str = "") -> OverTime:
    """Acts of people, of members and of friends who came through them; those of one language where it is given.

    Only what is not forgotten is counted: sums that are kept know no hour.
    """
    hours = _spans(launched_at.replace(minute=0, second=0, microsecond=0), _HOUR, HOURS)
    days = _spans(launched_at.replace(hour=0, minute=0, second=0, microsecond=0), _DAY, DAYS)
    last = launched_at
    for hour, kind, acts in _counted(session, blast_id, language):
        at = datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
        last = max(last, at)
        for spans, step in ((hours, _HOUR), (days, _DAY)):
            place = max(0, (at - spans[0].start) // step)
            if place < len(spans) or spans is days:
                span = spans[min(place, len(spans) - 1)]
                if kind is None:
                    span.machines += acts
                else:
                    span.acts[kind] += acts
    return OverTime(_until(hours, last), _until(days, last))


def _counted(session: Session, blast_id: int, language: str) -> Iterable[tuple[str, str | None, int]]:
    """(hour, kind, acts), without a kind for what machines did."""
    hour = hour_of(Event.at)
    by_person = and_(Event.kind.in_(KINDS), Event.machine == "", ONCE_A_VIEWING)
    by_machine = and_(Event.kind.in_(_OF_MACHINES), Event.machine.not_in(("", CROWD)))
    kind = case((by_person, Event.kind)).label("done")
    asked = select(hour, kind, ACTS).where(Event.blast_id == blast_id, or_(by_person, by_machine)).group_by(hour, kind)
    if language:
        whose = func.coalesce(Event.via_id, Event.member_id)
        asked = asked.join(Delivery, and_(is_for(Event.blast_id, whose), Delivery.language == language))
    return [(row[0], row[1], row[2]) for row in session.execute(asked)]


def _spans(start: datetime, step: timedelta, count: int) -> list[Span]:
    return [Span(start + place * step) for place in range(count)]


def _until(spans: list[Span], last: datetime) -> tuple[Span, ...]:
    """The spans that had begun by the last act, two at least: a line has two ends."""
    begun = sum(1 for span in spans if span.start <= last)
    return tuple(spans[: max(2, begun)])
