"""Engagement: the share tree of a blast. Who saw and who joined, by steps from its mail; and how far it carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from mobilizer.audience.members import Member
from mobilizer.delivery.ledger import Delivery, DeliveryState, of_blast
from mobilizer.engagement.events import ONCE_A_VIEWING, Event, EventKind
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
    """One step of the tree. `sharers` are the people of the step before; what friends did who came through them."""

    step: int
    sharers: int
    visits: int
    watches: int
    joined: int

    @property
    def factor(self) -> Factor | None:
        """K of this step; None without anybody to pass it on."""
        return factor(self.joined, self.sharers)


@dataclass(frozen=True, slots=True)
class Branch:
    """All steps together, by something that is known of the one who brought them: `key`, empty where it is not known.

    `members` are those with that key whom the mail reached; 0 where that can't be said, as of a channel.
    """

    key: str
    members: int
    joined: int

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
    """How a blast spread, from sums that are kept and counted: no walk over the tree.

    Visits and watches count while their events are kept; who joined counts for ever, also after they were erased.
    """
    whole = session.scalar(select(func.count()).select_from(Delivery).where(*_accepted(blast_id))) or 0
    languages, countries = _reached(session, blast_id)
    return Tree(
        reached=whole,
        generations=_generations(session, blast_id, whole),
        languages=_branches(session, blast_id, Recruit.via_language, languages),
        countries=_branches(session, blast_id, Recruit.via_country, countries),
        channels=_branches(session, blast_id, Recruit.channel, {}),
    )


def factor(joined: int, members: int) -> Factor | None:
    """Joined per member, with Byar's approximation of the exact interval of a Poisson count (Breslow and Day 1987)."""
    if members <= 0:
        return None
    low = joined * (1 - 1 / (9 * joined) - _95 / (3 * sqrt(joined))) ** 3 if joined else 0.0
    more = joined + 1
    high = more * (1 - 1 / (9 * more) + _95 / (3 * sqrt(more))) ** 3
    return Factor(joined / members, low / members, high / members)


def _accepted(blast_id: int) -> tuple[ColumnElement[bool], ...]:
    return of_blast(blast_id), Delivery.state == DeliveryState.ACCEPTED


def _reached(session: Session, blast_id: int) -> tuple[dict[str, int], dict[str, int]]:
    """Whom the mail reached, by their language (whatever they got it in) and by country, as a recruit has those of the
    one who brought them; only looked up where somebody joined, for it reads every member of a blast."""
    languages: Counter[str] = Counter()
    countries: Counter[str] = Counter()
    if session.scalar(select(Recruit.id).where(Recruit.blast_id == blast_id).limit(1)) is None:
        return languages, countries
    country = func.coalesce(Member.country, "")
    reached = (
        select(Member.language, country, func.count())
        .select_from(Delivery)
        .join(Member, Member.id == Delivery.member_id)
        .where(*_accepted(blast_id))
        .group_by(Member.language, country)
    )
    for language, where, people in session.execute(reached):
        languages[language] += people
        countries[where] += people
    return languages, countries


def _generations(session: Session, blast_id: int, reached: int) -> tuple[Generation, ...]:
    joined_of = select(Recruit.generation, func.count()).where(Recruit.blast_id == blast_id)
    joined = dict(session.execute(joined_of.group_by(Recruit.generation)).all())
    seen = _seen(session, blast_id)
    steps = []
    for step in range(1, max([*joined, *seen], default=0) + 1):
        visits, watches = seen.get(step, (0, 0))
        sharers = reached if step == 1 else joined.get(step - 1, 0)
        steps.append(Generation(step, sharers, visits, watches, joined.get(step, 0)))
    return tuple(steps)


def _seen(session: Session, blast_id: int) -> dict[int, tuple[int, int]]:
    """Visits and watches of friends, by the step that they stand at; machines left out."""
    step = func.coalesce(Recruit.generation, 0) + 1
    rows = session.execute(
        select(step, _sum(Event.kind == EventKind.VISIT), _sum(Event.kind == EventKind.WATCH))
        .select_from(Event)
        .outerjoin(Recruit, and_(Recruit.member_id == Event.via_id, Recruit.blast_id == Event.blast_id))
        .where(Event.blast_id == blast_id, Event.kind.in_((EventKind.VISIT, EventKind.WATCH)))
        .where(Event.via_id.is_not(None), Event.machine == "", ONCE_A_VIEWING)
        .group_by(step)
    )
    return {at: (visits, watches) for at, visits, watches in rows}


def _sum(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((which, 1), else_=0))


def _branches(
    session: Session, blast_id: int, by: InstrumentedAttribute[str], reached: Mapping[str, int]
) -> tuple[Branch, ...]:
    joined_of = select(by, func.count()).where(Recruit.blast_id == blast_id).group_by(by)
    joined = dict(session.execute(joined_of).all())
    found = [Branch(key, reached.get(key, 0), joined.get(key, 0)) for key in {*reached, *joined}]
    return tuple(sorted(found, key=lambda one: (-one.joined, -one.members, one.key)))
