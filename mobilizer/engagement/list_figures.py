"""Engagement: how a list does. How it grew in each language, where its people came from, and how well it is.

Who is on it and who left is counted ahead (audience/headcounts.py). Each other figure is one statement over the whole
list, and what comes back is a few rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.queries import count_members
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.db import joined_in_order
from mobilizer.delivery.recount import Recount
from mobilizer.engagement.tiers import Tier, is_of

MONTHS = 12
SOURCES = 10
BOUNCED = (SuppressedFor.HARD_BOUNCE, SuppressedFor.SOFT_BOUNCES)


@dataclass(frozen=True, slots=True)
class Growth:
    """Who is on a list now, by when they joined: language -> people at the end of each of `months`, most spoken first.

    `months` are their first days; the last one is under way.
    """

    months: tuple[datetime, ...]
    languages: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Health:
    """People of a list: `ever` are or were on it, `on` are confirmed. Others are of `ever`, `inactive` of `on`."""

    ever: int
    on: int
    unsubscribed: int
    bounced: int
    complained: int
    inactive: int


@dataclass(frozen=True, slots=True)
class ListFigures:
    """All figures of a list; `sources` are (source, people)."""

    growth: Growth
    sources: Sequence[tuple[str, int]]
    health: Health


# What took long to count is good for a while: a list of millions takes seconds.
FIGURES = Recount[ListFigures]()


def list_figures(session: Session, list_id: int, now: datetime) -> ListFigures:
    """All figures of a list, counted now."""
    with joined_in_order(session):
        return ListFigures(growth(session, list_id, now), sources(session, list_id), health(session, list_id, now))


def growth(session: Session, list_id: int, now: datetime) -> Growth:
    """How a list grew in the last MONTHS, with everybody before in the first of them."""
    months = _months(now)
    # One column for each month rather than a word for it: that is said alike on both databases.
    place = case(*((Subscription.joined_at >= first, at) for at, first in reversed(list(enumerate(months)))), else_=0)
    rows = session.execute(
        select(Member.language, place, func.count())
        .join(Member, Member.id == Subscription.member_id)
        .where(*_confirmed(list_id))
        .group_by(Member.language, place)
    )
    joined: dict[str, list[int]] = {}
    for tag, at, people in rows:
        joined.setdefault(tag, [0] * len(months))[at] = people
    summed = {tag: tuple(sum(each[: at + 1]) for at in range(len(months))) for tag, each in joined.items()}
    return Growth(months, dict(sorted(summed.items(), key=lambda pair: (-pair[1][-1], pair[0]))))


def sources(session: Session, list_id: int) -> Sequence[tuple[str, int]]:
    """(source, people) of who is on a list, most first; SOURCES at most."""
    people = func.count()
    rows = session.execute(
        select(Member.source, people)
        .join(Subscription, Subscription.member_id == Member.id)
        .where(*_confirmed(list_id))
        .group_by(Member.source)
        .order_by(people.desc(), Member.source)
        .limit(SOURCES)
    )
    return [(source, number) for source, number in rows]


def health(session: Session, list_id: int, now: datetime) -> Health:
    """How well a list is."""
    on = count_members(session, list_id=list_id, standing=Standing.CONFIRMED)
    unsubscribed = count_members(session, list_id=list_id, standing=Standing.UNSUBSCRIBED)
    # From the suppressed, who are few, to their members.
    reasons = session.execute(
        select(Suppression.reason, func.count())
        .join(Member, Member.address_key == Suppression.address_key)
        .join(Subscription, Subscription.member_id == Member.id)
        .where(Subscription.list_id == list_id, Subscription.standing != Standing.PENDING)
        .group_by(Suppression.reason)
    )
    inactive = session.scalar(
        select(func.count())
        .select_from(Member)
        .join(Subscription, Subscription.member_id == Member.id)
        .where(*_confirmed(list_id), is_of(Tier.INACTIVE, now))
    )
    lost = {reason: people for reason, people in reasons}  # noqa: C416 - rows, not pairs
    return Health(
        ever=on + unsubscribed,
        on=on,
        unsubscribed=unsubscribed,
        bounced=sum(lost.get(reason, 0) for reason in BOUNCED),
        complained=lost.get(SuppressedFor.COMPLAINT, 0),
        inactive=inactive or 0,
    )


def _confirmed(list_id: int) -> tuple[ColumnElement[bool], ...]:
    return Subscription.list_id == list_id, Subscription.standing == Standing.CONFIRMED


def _months(now: datetime) -> tuple[datetime, ...]:
    """The first moments of this month and of those before it, UTC, the oldest first."""
    count = now.year * 12 + now.month - 1
    return tuple(datetime(at // 12, at % 12 + 1, 1, tzinfo=UTC) for at in range(count - MONTHS + 1, count + 1))
