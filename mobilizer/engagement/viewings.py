"""Engagement: viewings. How far the film of a blast was watched, language by language; machines left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.events import ACTS, POINTS, Event, EventKind


@dataclass(frozen=True, slots=True)
class Curve:
    """How many came at least to each of POINTS: `members` are people, each once; `friends` are viewings by those who
    came through a member's share link, whom nobody knows. Both belong to the language of the member's mail."""

    language: str
    members: tuple[int, ...]
    friends: tuple[int, ...]


def curves(session: Session, blast_id: int) -> list[Curve]:
    """A curve for each language in which somebody pressed play, most people first.

    Only what is not forgotten is counted: sums that are kept know no point. The word of somebody whose page ran no
    script is none either.
    """
    members, friends = _members(session, blast_id), _friends(session, blast_id)
    found = [Curve(tag, _reached(members[tag]), _in_order(friends[tag])) for tag in {*members, *friends}]
    return sorted(found, key=lambda one: (-one.members[0], -one.friends[0], one.language))


def _members(session: Session, blast_id: int) -> Mapping[str, Counter[int]]:
    """People by the farthest point that each came to."""
    point = case({name: place for place, name in enumerate(POINTS)}, value=Event.channel)
    farthest = (
        select(Delivery.language, func.max(point).label("point"))
        .join(Delivery, is_for(Event.blast_id, Event.member_id))
        .where(*_watched(blast_id))
        .group_by(Delivery.language, Event.member_id)
        .subquery()
    )
    counted = select(farthest.c.language, farthest.c.point, func.count()).group_by(
        farthest.c.language, farthest.c.point
    )
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for tag, place, people in session.execute(counted):
        found[tag][place] = people
    return found


def _friends(session: Session, blast_id: int) -> Mapping[str, Counter[str]]:
    counted = (
        select(Delivery.language, Event.channel, ACTS)
        .join(Delivery, is_for(Event.blast_id, Event.via_id))
        .where(*_watched(blast_id))
        .group_by(Delivery.language, Event.channel)
    )
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tag, name, viewings in session.execute(counted):
        found[tag][name] = viewings
    return found


def _watched(blast_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Event.blast_id == blast_id,
        Event.kind == EventKind.WATCH,
        Event.channel.in_(POINTS),
        Event.machine == "",
    )


def _reached(farthest: Counter[int]) -> tuple[int, ...]:
    """Who came to a point came to all before it."""
    return tuple(accumulate(farthest[place] for place in reversed(range(len(POINTS)))))[::-1]


def _in_order(viewings: Counter[str]) -> tuple[int, ...]:
    """A signal may be lost on its way: whoever came to a point came to all before it."""
    return tuple(accumulate((viewings[name] for name in reversed(POINTS)), max))[::-1]
