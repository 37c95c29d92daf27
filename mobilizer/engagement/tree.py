"""Engagement: the share tree of a blast. Who saw and who joined, by steps from its mail; and how far it carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.delivery.ledger import Delivery, DeliveryState, of_blast
from mobilizer.delivery.progress import tallies_by_language, together
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, Event, EventKind
from mobilizer.engagement.recruits import Recruit

_95 = 1.959964  # standard deviations that 95 % of a normal distribution lie within


@dataclass(frozen=True, slots=True)
class Factor:
    """New members per member who could pass it on, with the 95 % interval of its count: K, the reproduction number."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Generation:
    """One step of the tree. `sharers` are the people of the step before; what friends did who came through them.

    `watches` is None where it can't be said: a viewing does not tell the channel that led to it.
    """

    step: int
    sharers: int
    visits: int
    watches: int | None
    joined: int

    @property
    def factor(self) -> Factor | None:
        """K of this step; None without anybody to pass it on."""
        return factor(self.joined, self.sharers)


@dataclass(frozen=True, slots=True)
class Branch:
    """All steps together, by something that is known of the one who brought them: `key`, empty where it is not known.

    `members` are those with that key whom the mail reached. Of a channel it is everybody, for anybody may share
    anywhere: so the K of all channels add up to that of the tree. `steps` is how far from the mail it led.
    """

    key: str
    members: int
    joined: int
    steps: int

    @property
    def factor(self) -> Factor | None:
        """New members per member reached."""
        return factor(self.joined, self.members)


@dataclass(frozen=True, slots=True)
class Tree:
    """How a blast spread. `reached` are the members whose mail was accepted."""

    reached: int
    generations: tuple[Generation, ...]
    languages: tuple[Branch, ...]
    countries: tuple[Branch, ...]
    channels: tuple[Branch, ...]

    @property
    def joined(self) -> int:
        """Everybody who joined, in all steps."""
        return sum(one.joined for one in self.generations)

    @property
    def factor(self) -> Factor | None:
        """New members per member reached, all steps together."""
        return factor(self.joined, self.reached)


def tree(session: Session, blast_id: int) -> Tree:
    """How a blast spread: three counts, none of which walks the tree, for each row says at what step it stands.

    Visits and watches count while their events are kept; who joined counts for ever, also after they were erased.
    """
    whole = together(tallies_by_language(session, [blast_id])[blast_id]).accepted
    joined = _joined(session, blast_id)
    languages, countries = reached_by(session, blast_id) if joined else (Counter[str](), Counter[str]())
    return Tree(
        reached=whole,
        generations=_generations(_by(joined, 0), _seen(session, blast_id), whole),
        languages=_branches(joined, 1, languages),
        countries=_branches(joined, 2, countries),
        channels=_branches(joined, 3, Counter(dict.fromkeys(_by(joined, 3), whole))),
    )


def factor(joined: int, members: int) -> Factor | None:
    """Joined per member, with Byar's approximation of the exact interval of a Poisson count (Breslow and Day 1987)."""
    if members <= 0:
        return None
    low = joined * (1 - 1 / (9 * joined) - _95 / (3 * sqrt(joined))) ** 3 if joined else 0.0
    more = joined + 1
    high = more * (1 - 1 / (9 * more) + _95 / (3 * sqrt(more))) ** 3
    return Factor(joined / members, low / members, high / members)


Joined = list[tuple[tuple[int, str, str, str], int]]


def _joined(session: Session, blast_id: int) -> Joined:
    """How many joined, by step and by language, country and channel of the one who brought them."""
    key = (Recruit.generation, Recruit.via_language, Recruit.via_country, Recruit.channel)
    rows = session.execute(select(*key, func.count()).where(Recruit.blast_id == blast_id).group_by(*key))
    return [((step, language, country, channel), people) for step, language, country, channel, people in rows]


def _by(joined: Joined, place: int) -> Counter[Any]:
    """Those sums by one part of their key."""
    found: Counter[Any] = Counter()
    for key, people in joined:
        found[key[place]] += people
    return found


def reached_by(session: Session, blast_id: int) -> tuple[Counter[str], Counter[str]]:
    """Whom the mail reached, by their language (whatever they got it in) and by country, as a recruit has those of the
    one who brought them; only looked up where somebody joined, for it reads every member of a blast."""
    languages: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    country = func.coalesce(Member.country, "")
    reached = (
        select(Member.language, country, func.count())
        .select_from(Delivery)
        .join(Member, Member.id == Delivery.member_id)
        .where(of_blast(blast_id), Delivery.state == DeliveryState.ACCEPTED)
        .group_by(Member.language, country)
    )
    for language, where, people in session.execute(reached):
        languages[language] += people
        countries[where] += people
    return languages, countries


def _generations(joined: Counter[int], seen: Mapping[int, tuple[int, int]], reached: int) -> tuple[Generation, ...]:
    steps = []
    for step in range(1, max([*joined, *seen], default=0) + 1):
        visits, watches = seen.get(step, (0, 0))
        steps.append(Generation(step, reached if step == 1 else joined[step - 1], visits, watches, joined[step]))
    return tuple(steps)


def _seen(session: Session, blast_id: int) -> dict[int, tuple[int, int]]:
    """Visits and watches of friends, by the step that they stand at; machines left out."""
    rows = session.execute(
        select(Event.step, Event.kind, ACTS)
        .where(Event.blast_id == blast_id, Event.step.is_not(None), Event.machine == "", ONCE_A_VIEWING)
        .group_by(Event.step, Event.kind)
    )
    counted = {(step, kind): acts for step, kind, acts in rows}
    steps = {step for step, _kind in counted if step}
    return {at: (counted.get((at, EventKind.VISIT), 0), counted.get((at, EventKind.WATCH), 0)) for at in steps}


def _branches(joined: Joined, place: int, reached: Counter[str]) -> tuple[Branch, ...]:
    people, farthest = _by(joined, place), Counter[str]()
    for key, _people in joined:
        farthest[str(key[place])] = max(farthest[str(key[place])], key[0])
    found = [Branch(key, reached[key], people[key], farthest[key]) for key in {*reached, *people}]
    return tuple(sorted(found, key=lambda one: (-one.joined, -one.members, one.key)))
