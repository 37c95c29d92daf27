"""A small population in plain Python, what each rule means for it, and the same population in a database."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from mobilizer.audience.draws import PRIME, coefficients
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.tags import MemberTag, Tag
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.engagement.events import Event
from mobilizer.engagement.tiers import Tier
from mobilizer.segments import deeds, draws, fields, people
from mobilizer.segments import tree as groups
from mobilizer.segments.kinds import Act
from mobilizer.segments.people import start_of
from mobilizer.segments.rules import RULES, asked_by

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LISTS = (1, 2)
TAGS = (1, 2, 3)
BLASTS = (1, 2)
LANGUAGES = ("es", "pt", "pt-BR", "pt-PT", "ptx", "en")
VALUES = (
    "",
    "5",
    "-2.5",
    "10",
    "2026-05-01",
    "2025-01-31",
    "Red",
    "red",
    "100%",
    "a_b",
    "a'b\\",
    "5 kg",
    "عربي",
    "9" * 30,
)
# The languages of each blast's renditions.
RENDERED = {1: ("es", "pt"), 2: ("en",)}
FIELDS = ("size", "it's", 'a"b', "سن")


@dataclass(frozen=True)
class Doing:
    act: str
    blast: int | None
    days: float
    machine: str
    via: int | None = None  # place in the population


@dataclass(frozen=True)
class Person:
    language: str
    country: str | None
    zone: str | None
    days: float
    source: str
    attributes: Mapping[str, str]
    standings: Mapping[int, str]
    deliveries: Mapping[int, tuple[str, float]]
    doings: Sequence[Doing]
    recruiter: int | None  # place in the population
    second: str | None = None
    tags: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Population:
    """People in the order of their numbers; when each blast was over, in days before NOW, if it is."""

    people: Sequence[Person]
    over: Mapping[int, float | None]
    first: int = field(default=0, compare=False)

    def fitting(self, node: groups.Node) -> set[int]:
        """The places of whom the rules fit, by the plain meaning of each."""
        return {place for place in range(len(self.people)) if self._fits(node, place)}

    def _fits(self, node: groups.Node, place: int) -> bool:
        match node:
            case groups.All(parts):
                return place in self._all(parts)
            case groups.Any(parts):
                return any(self._fits(part, place) for part in parts)
            case groups.Not(part):
                return not self._fits(part, place)
        return any(
            meant(node, place)
            for meant in (self._who, self._tagged, self._came, self._field, self._deed, self._reached)
        )

    def _all(self, parts: Sequence[groups.Node]) -> set[int]:
        """Whom all parts fit; those who are drawn are drawn of whom the others fit."""
        drawn = [part for part in parts if isinstance(getattr(part, "part", part), draws.DrawnFew)]
        others = [part for part in parts if part not in drawn]
        found = {place for place in range(len(self.people)) if all(self._fits(part, place) for part in others)}
        taken = [self._draw(getattr(part, "part", part), found, isinstance(part, groups.Not)) for part in drawn]
        return found.intersection(*taken)

    def _draw(self, few: draws.DrawnFew, among: set[int], opposite: bool = False) -> set[int]:
        pool = [place for place in among if "confirmed" in self.people[place].standings.values()]
        order = sorted(pool, key=lambda place: (lot(self.first + place, few.draw), place))
        return set(range(len(self.people))) - set(order[: few.people]) if opposite else set(order[: few.people])

    def _who(self, rule: groups.Node, place: int) -> bool:
        one = self.people[place]
        match rule:
            case people.Speaks(tag):
                return one.language == tag
            case people.SpeaksAny(tag):
                return one.language == tag or one.language.startswith(tag + "-")
            case people.SpeaksSecond(tag):
                return one.second == tag
            case draws.DrawnFew():
                return place in self._draw(rule, set(range(len(self.people))))
            case people.LivesIn(code):
                return one.country == code
            case people.InZone(zone):
                return one.zone == zone
            case people.OnList(number, standing):
                return one.standings.get(number) == standing
            case draws.Drawn(share, draw):
                return lot(self.first + place, draw) < PRIME * share // 100
        return False

    def _tagged(self, rule: groups.Node, place: int) -> bool:
        one = self.people[place]
        match rule:
            case people.TaggedAny(tags):
                return bool(one.tags & set(tags))
            case people.TaggedAll(tags):
                return one.tags >= set(tags)
        return False

    def _came(self, rule: groups.Node, place: int) -> bool:
        one = self.people[place]
        joined = ago(one.days)
        match rule:
            case people.JoinedBefore(day):
                return joined < start_of(day)
            case people.JoinedSince(day):
                return joined >= start_of(day)
            case people.JoinedWithin(days):
                return joined >= ago(days)
            case people.CameFrom(text):
                return one.source == text
            case people.Recruited():
                return any(other.recruiter == place for other in self.people)
            case people.RecruitedWithin(days):
                return any(other.recruiter == place and other.days <= days for other in self.people)
            case people.WasRecruited():
                return one.recruiter is not None
            case people.RecruitedBy(member):
                return one.recruiter is not None and self.first + one.recruiter == member
        return False

    def _field(self, rule: groups.Node, place: int) -> bool:
        held = self.people[place].attributes.get(getattr(rule, "name", ""))
        if held is None:
            return False
        number = float(held) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", held, re.ASCII) else math.nan
        dated = held if re.fullmatch(r"\d{4}-\d\d-\d\d", held, re.ASCII) else None
        match rule:
            case fields.FieldKnown():
                return held != ""
            case fields.FieldIs(_, text):
                return held == text
            case fields.FieldContains(_, text):
                return text.lower() in held.lower()
            case fields.FieldOneOf(_, texts):
                return held in texts
            case fields.FieldAtLeast(_, least):
                return number >= least
            case fields.FieldAtMost(_, most):
                return number <= most
            case fields.FieldBefore(_, day):
                return dated is not None and dated < day.isoformat()
            case fields.FieldSince(_, day):
                return dated is not None and dated >= day.isoformat()
        return False

    def _deed(self, rule: groups.Node, place: int) -> bool:
        one = self.people[place]
        done = [doing for doing in one.doings if doing.act == getattr(rule, "act", "") and not doing.machine]
        accepted = {blast: days for blast, (state, days) in one.deliveries.items() if state == "accepted"}
        match rule:
            case deeds.InBlast(blast):
                return blast in one.deliveries
            case deeds.GotBlast(blast):
                return blast in accepted
            case deeds.GotInLanguage(blast, tag):
                return blast in accepted and one.language == tag
            case deeds.GotWithin(days):
                return any(settled <= days for settled in accepted.values())
            case deeds.GotEver():
                return bool(accepted)
            case deeds.DidInBlast(_, blast):
                return any(doing.blast == blast for doing in done)
            case deeds.DidWithin(_, days):
                return any(doing.days <= days for doing in done)
            case deeds.DidEver():
                return bool(done)
        return False

    def _reached(self, rule: groups.Node, place: int) -> bool:
        one = self.people[place]
        match rule:
            case deeds.FallsBack(blast):
                return one.language not in RENDERED[blast]
            case deeds.RecruitedInBlast(blast):
                return any(
                    doing.act == "join" and doing.blast == blast and doing.via == place and not doing.machine
                    for other in self.people
                    for doing in other.doings
                )
            case deeds.OfTier(tier):
                return tier == self._tier(one)
        return False

    def _tier(self, one: Person) -> str:
        last = min((doing.days for doing in one.doings if doing.act in tuple(Act) and not doing.machine), default=999)
        if last <= 365:
            return "active" if last <= 90 else "quiet"
        return "new" if one.days <= 30 else "inactive"


def ago(days: float) -> datetime:
    """A moment so many days before NOW."""
    return NOW - timedelta(days=days)


def lot(member: int, draw: int) -> int:
    """What a member draws: the polynomial of the draw at their number, modulo PRIME."""
    return sum(each * member**power for power, each in enumerate(reversed(coefficients(draw)))) % PRIME


# -- made up ---------------------------------------------------------------------------------------------

DAYS = st.sampled_from([0.5, 1, 3, 3.25, 10, 40, 90, 200, 400])
doings = st.builds(
    Doing,
    st.sampled_from([*Act, "visit", "join"]),
    st.sampled_from([None, *BLASTS]),
    DAYS,
    st.sampled_from(["", "prefetch"]),
    st.sampled_from([None, 0]),
)


@st.composite
def populations(draw: st.DrawFn) -> Population:
    """One to six people and two blasts; nothing was settled after its blast was over."""
    size = draw(st.integers(1, 6))
    over = {blast: draw(st.sampled_from([None, 0.5, 3])) for blast in BLASTS}
    return Population([draw(_persons(size, over)) for _ in range(size)], over)


@st.composite
def _persons(draw: st.DrawFn, size: int, over: Mapping[int, float | None]) -> Person:
    states = st.one_of(st.just("accepted"), st.sampled_from([str(state) for state in DeliveryState]))
    deliveries = {
        blast: (draw(states), max(draw(DAYS), over[blast] or 0)) for blast in draw(st.sets(st.sampled_from(BLASTS)))
    }
    return Person(
        language=draw(st.sampled_from(LANGUAGES)),
        country=draw(st.sampled_from([None, "PT", "BR"])),
        zone=draw(st.sampled_from([None, "Europe/Lisbon", "UTC"])),
        days=draw(DAYS),
        source=draw(st.sampled_from(["", "petition", "Petition"])),
        attributes=draw(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(VALUES), max_size=3)),
        standings=draw(st.dictionaries(st.sampled_from(LISTS), st.sampled_from([str(one) for one in Standing]))),
        deliveries=deliveries,
        doings=draw(st.lists(doings, max_size=3)),
        recruiter=draw(st.one_of(st.none(), st.integers(0, size - 1))),
        second=draw(st.sampled_from([None, "es", "pt"])),
        tags=draw(st.frozensets(st.sampled_from(TAGS))),
    )


_DATES = st.sampled_from(["2026-11-19", "2026-11-17", "2026-05-01", "2025-01-31"])
VALUES_OF: dict[str, st.SearchStrategy[Any]] = {
    "language": st.sampled_from(["es", "pt", "pt-BR", "en"]),
    "country": st.sampled_from(["PT", "BR"]),
    "zone": st.sampled_from(["Europe/Lisbon", "UTC"]),
    "list": st.sampled_from(LISTS),
    "tags": st.lists(st.sampled_from(TAGS), min_size=1, unique=True),
    "blast": st.sampled_from(BLASTS),
    "member": st.integers(1, 8),
    "standing": st.sampled_from([str(one) for one in Standing]),
    "act": st.sampled_from([str(one) for one in Act]),
    "date": _DATES,
    "days": st.sampled_from([1, 3, 10, 30]),
    "share": st.integers(1, 99),
    "draw": st.integers(1, 10**9),
    "people": st.integers(1, 4),
    "tier": st.sampled_from([str(one) for one in Tier]),
    "name": st.sampled_from(FIELDS),
    "text": st.sampled_from(["petition", "red", "5", "%", "_", "a'b\\", "عر"]),
    "texts": st.lists(st.sampled_from([one for one in VALUES if one]), min_size=1, max_size=3, unique=True),
    "number": st.one_of(st.integers(-5, 12), st.sampled_from([-2.5, 4.9, 10.0])),
}


def rule_of(word: str) -> st.SearchStrategy[dict[str, Any]]:
    """Rules of one word, as JSON."""
    asked = {name: VALUES_OF[kind.name] for name, kind in asked_by(word).items()}
    return st.fixed_dictionaries({"rule": st.just(word), **asked})


def _nodes(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    leaf = st.sampled_from(sorted(RULES)).flatmap(rule_of)
    if not depth:
        return leaf
    inside = _nodes(depth - 1)
    several = st.lists(inside, min_size=1, max_size=3)
    group = st.one_of(
        st.builds(lambda parts: {"all": parts}, several),
        st.builds(lambda parts: {"any": parts}, several),
        st.builds(lambda part: {"not": part}, inside),
    )
    return st.one_of(leaf, group)


documents = st.lists(_nodes(2), min_size=1, max_size=3)


# -- into a database -------------------------------------------------------------------------------------


def make_ground(session: Session, appeal_id: int) -> None:
    """The lists and blasts that the population may be on; `appeal_id` is what the blasts would send."""
    session.execute(
        insert(MemberList), [{"id": number, "slug": f"list-{number}", "name": f"List {number}"} for number in LISTS]
    )
    session.execute(
        insert(Tag), [{"id": number, "name": f"Tag {number}", "folded": f"tag {number}"} for number in TAGS]
    )
    rows = [
        {"id": number, "slug": f"blast-{number}", "appeal_id": appeal_id, "default_language": "en"} for number in BLASTS
    ]
    session.execute(insert(Blast), rows)
    renditions = [
        {"blast_id": blast, "language": tag, "content_hash": "", "compiled": ""}
        for blast, tags in RENDERED.items()
        for tag in tags
    ]
    session.execute(insert(Rendition), renditions)


def settle(session: Session, population: Population) -> Population:
    """Write a population; returns it with the number of its first member."""
    ids = []
    for at, one in enumerate(population.people):
        key = f"key {at}".encode()
        row = Member(address_key=key, domain_key=b"d", sealed=b"s", language=one.language,
                     second_language=one.second, country=one.country,
                     time_zone=one.zone, attributes=dict(one.attributes), source=one.source, share_code=f"code{at}",
                     created_at=ago(one.days))  # fmt: skip
        session.add(row)
        session.flush()
        ids.append(row.id)
    assert ids == list(range(ids[0], ids[0] + len(ids)))
    _relate(session, population, ids)
    for blast, over in population.over.items():
        finished = None if over is None else ago(over)
        session.execute(update(Blast).where(Blast.id == blast).values(launched_at=ago(60), finished_at=finished))
    return Population(population.people, population.over, ids[0])


def _relate(session: Session, population: Population, ids: Sequence[int]) -> None:
    for number, one in zip(ids, population.people, strict=True):
        if one.recruiter is not None:
            session.execute(update(Member).where(Member.id == number).values(recruited_by_id=ids[one.recruiter]))
        session.add_all(
            Subscription(list_id=on, member_id=number, standing=standing) for on, standing in one.standings.items()
        )
        session.add_all(MemberTag(tag_id=tag, member_id=number) for tag in one.tags)
        session.add_all(
            Delivery(
                id=numbered(blast, number),
                blast_id=blast,
                member_id=number,
                batch_id=1,
                language=one.language,
                caught_by="exact",
                state=state,
                settled_at=ago(days),
            )
            for blast, (state, days) in one.deliveries.items()
        )
        session.add_all(
            Event(
                kind=did.act,
                blast_id=did.blast,
                member_id=number,
                via_id=None if did.via is None else ids[did.via],
                at=ago(did.days),
                machine=did.machine,
            )
            for did in one.doings
        )
    session.flush()
