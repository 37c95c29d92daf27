"""Engagement: who brought whom. What came of each member's share link, and the people who joined through it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.preferences import uncounted
from mobilizer.engagement.crowds import CROWD
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, Event, EventKind


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of one member's share link: visits and watches of friends (machines left out), people who joined.
    `opened` is how often it was followed in all where it was posted in public (crowds), else 0."""

    visits: int
    watches: int
    recruits: int
    opened: int = 0


def brought_by(session: Session, member_id: int) -> Brought:
    """What came of one member's sharing, over all blasts."""
    rows = session.execute(
        select(Event.kind, Event.machine, ACTS)
        .where(Event.via_id == member_id, Event.machine.in_(("", CROWD)), ONCE_A_VIEWING)
        .group_by(Event.kind, Event.machine)
    )
    acts = {(kind, machine): times for kind, machine, times in rows}
    visits, crowd = acts.get((EventKind.VISIT, ""), 0), acts.get((EventKind.VISIT, CROWD), 0)
    recruits = session.scalars(select(func.count()).where(Member.recruited_by_id == member_id)).one()
    return Brought(visits, acts.get((EventKind.WATCH, ""), 0), recruits, visits + crowd if crowd else 0)


def recruits_of(session: Session, member_id: int, *, after: int = 0, limit: int = 100) -> list[int]:
    """The ids of the members who joined through a member's share link, a page at a time (`after`: the last seen)."""
    return list(
        session.scalars(
            select(Member.id)
            .where(Member.recruited_by_id == member_id, Member.id > after)
            .order_by(Member.id)
            .limit(limit)
        )
    )


def recruits_by_member(session: Session, limit: int = 100) -> list[tuple[int, int]]:
    """(member, how many people they brought in), the most first; without those who want it not counted."""
    count = func.count().label("recruits")
    rows = session.execute(
        select(Member.recruited_by_id, count)
        .where(Member.recruited_by_id.is_not(None), ~uncounted(Member.recruited_by_id))
        .group_by(Member.recruited_by_id)
        .order_by(count.desc(), Member.recruited_by_id)
        .limit(limit)
    )
    return [(member, recruits) for member, recruits in rows if member is not None]
