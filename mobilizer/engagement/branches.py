"""Engagement: branches. The steps of a share tree by the language or the country of who shared, or by the channel."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, Event, EventKind
from mobilizer.engagement.recruits import Recruit
from mobilizer.engagement.tree import Generation, Tree, reached_by

Cell = tuple[str, int]  # a key of the branches, and a step


class By(StrEnum):
    """What branches are told apart by."""

    LANGUAGE = "language"
    COUNTRY = "country"
    CHANNEL = "channel"


@dataclass(slots=True)
class _Counts:
    """What is counted of each branch at each step."""

    joined: Counter[Cell] = field(default_factory=Counter)
    visits: Counter[Cell] = field(default_factory=Counter)
    watches: Counter[Cell] = field(default_factory=Counter)


def steps_by(session: Session, blast_id: int, whole: Tree, by: By) -> dict[str, tuple[Generation, ...]]:
    """The steps of each branch of a tree, by its key; empty where that is not known. What friends did and who joined
    add up, step by step, to the whole.

    The sharers of a step are those with the key who stand at the step before; of a channel everybody there, for anybody
    may share anywhere. Language and country are looked up with each member, as they are now: who was erased has none.
    """
    counts = _counts(session, blast_id, by)
    if by is By.CHANNEL:
        everybody = {one.step: one.sharers for one in whole.generations}
        keys = {key for key, _step in (*counts.joined, *counts.visits)}
        sharers = Counter({(key, step): people for key in keys for step, people in everybody.items()})
    else:
        sharers = _sharers(session, blast_id, whole, by)
    farthest = Counter[str]()
    for key, step in (*counts.joined, *counts.visits, *counts.watches):
        farthest[key] = max(farthest[key], step)
    return {
        key: tuple(
            Generation(
                step,
                sharers[key, step],
                counts.visits[key, step],
                None if by is By.CHANNEL else counts.watches[key, step],
                counts.joined[key, step],
            )
            for step in range(1, last + 1)
        )
        for key, last in farthest.items()
    }


def _counts(session: Session, blast_id: int, by: By) -> _Counts:
    counts = _Counts()
    came = {By.LANGUAGE: Recruit.via_language, By.COUNTRY: Recruit.via_country, By.CHANNEL: Recruit.channel}[by]
    joined = select(came, Recruit.generation, func.count()).where(Recruit.blast_id == blast_id)
    for key, step, people in session.execute(joined.group_by(came, Recruit.generation)):
        counts.joined[key, step] = people
    into = {EventKind.VISIT: counts.visits, EventKind.WATCH: counts.watches}
    # A viewing has the point that it came to in place of a channel.
    kinds = [EventKind.VISIT] if by is By.CHANNEL else list(into)
    shared = Event.channel if by is By.CHANNEL else _of_member(by)
    seen = (
        select(shared, Event.step, Event.kind, ACTS)
        .select_from(Event)
        .where(Event.blast_id == blast_id, Event.step.is_not(None), Event.kind.in_(kinds), Event.machine == "")
        .where(ONCE_A_VIEWING)
        .group_by(shared, Event.step, Event.kind)
    )
    if by is not By.CHANNEL:
        seen = seen.outerjoin(Member, Member.id == Event.via_id)
    for key, at, kind, acts in session.execute(seen):
        into[EventKind(kind)][key, at or 0] = acts
    return counts


def _sharers(session: Session, blast_id: int, whole: Tree, by: By) -> Counter[Cell]:
    """Who stands at the step before each: whom the mail reached, then those who joined."""
    if whole.joined:  # then the tree has them: to count them anew reads every member of the blast
        branches = whole.languages if by is By.LANGUAGE else whole.countries
        reached = Counter({one.key: one.members for one in branches})
    else:
        reached = reached_by(session, blast_id)[by is By.COUNTRY]
    sharers = Counter({(key, 1): people for key, people in reached.items()})
    key = _of_member(by)
    joined = (
        select(key, Recruit.generation, func.count())
        .select_from(Recruit)
        .outerjoin(Member, Member.id == Recruit.member_id)
        .where(Recruit.blast_id == blast_id)
        .group_by(key, Recruit.generation)
    )
    for named, step, people in session.execute(joined):
        sharers[named, step + 1] += people
    return sharers


def _of_member(by: By) -> ColumnElement[str]:
    return func.coalesce(Member.language if by is By.LANGUAGE else Member.country, "")
