"""Each rule as SQL against its plain meaning, on both databases; groups of them too."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.draws import PRIME
from mobilizer.audience.members import Member
from mobilizer.audience.preferences import count_sharing
from mobilizer.blasts.blasts import Blast
from mobilizer.db import Database
from mobilizer.engagement.tiers import Tier
from mobilizer.segments.rules import RULES
from mobilizer.segments.tree import disjoint, read_rules
from tests.segments.population import (
    NOW,
    Doing,
    Person,
    Population,
    documents,
    lot,
    make_ground,
    populations,
    rule_of,
    settle,
)

# Every example is rolled back, so the database is as fresh for the next one.
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
# There are forty rules and two databases: what few examples of one miss, the next run's find.
FEW = settings(MANY, max_examples=8)


@pytest.fixture
def ground(database: Database) -> Database:
    with database.write() as session:
        appeal = Appeal(slug="said", source_language="en")
        session.add(appeal)
        session.flush()
        make_ground(session, appeal.id)
    return database


def fitting(session: Session, population: Population, document: object) -> set[int]:
    """The places of whom the database finds."""
    numbers = session.scalars(select(Member.id).where(read_rules(document).where(NOW)))
    return {number - population.first for number in numbers}


@pytest.mark.parametrize("word", sorted(RULES))
@FEW
@given(population=populations(), data=st.data())
def test_a_rule_and_its_opposite_find_whom_they_mean(
    ground: Database, word: str, population: Population, data: st.DataObject
) -> None:
    document = [data.draw(rule_of(word))]
    with Session(ground.engine) as session:
        people = settle(session, population)
        meant = people.fitting(read_rules(document))
        assert fitting(session, people, document) == meant
        assert fitting(session, people, [{"not": document[0]}]) == set(range(len(population.people))) - meant


@MANY
@given(population=populations(), document=documents)
def test_groups_of_rules_find_whom_they_mean(ground: Database, population: Population, document: list[object]) -> None:
    with Session(ground.engine) as session:
        people = settle(session, population)
        assert fitting(session, people, document) == people.fitting(read_rules(document))


@pytest.mark.parametrize("draw", [1, 2, 3, 999_999])
def test_a_draw_takes_about_the_share_that_is_asked_for(draw: int) -> None:
    lots = [lot(member, draw) / PRIME for member in range(1, 20_001)]
    for share in (0.01, 0.1, 0.5, 0.9):
        taken = sum(one < share for one in lots) / len(lots)
        assert abs(taken - share) < 0.02
    # Numbers that follow each other, as members who joined together have, say nothing of each other.
    both = sum(one < 0.5 and other < 0.5 for one, other in pairwise(lots)) / len(lots)
    assert abs(both - 0.25) < 0.02


def test_two_draws_take_different_people() -> None:
    both = sum(lot(member, 1) < PRIME // 2 and lot(member, 2) < PRIME // 2 for member in range(1, 20_001))
    assert abs(both / 20_000 - 0.25) < 0.02


@FEW
@given(population=populations(), tiers=st.permutations([str(one) for one in Tier]))
def test_everyone_is_in_exactly_one_tier(ground: Database, population: Population, tiers: list[str]) -> None:
    with Session(ground.engine) as session:
        people = settle(session, population)
        found = [place for tier in tiers for place in fitting(session, people, [{"rule": "tier", "tier": tier}])]
        assert sorted(found) == list(range(len(population.people)))


def test_a_draw_of_so_many_takes_exactly_so_many_of_whom_the_other_rules_find(ground: Database) -> None:
    def person(place: int) -> Person:
        standings = {1: "confirmed" if place % 2 else "pending"}
        return Person("es" if place % 3 else "en", None, None, 1, "", {}, standings, {}, (), None)

    spanish: dict[str, object] = {"rule": "language", "language": "es"}
    few: dict[str, object] = {"rule": "drawn_few", "people": 5, "draw": 7}
    with Session(ground.engine) as session:
        people = settle(session, Population([person(place) for place in range(60)], {1: None, 2: None}))
        drawn = fitting(session, people, [spanish, few])
        assert len(drawn) == 5
        assert all(place % 3 and place % 2 for place in drawn)
        assert drawn == fitting(session, people, [few, spanish])
        assert len(fitting(session, people, [spanish, {"not": few}])) == 40 - 5
        assert drawn < fitting(session, people, [spanish, {**few, "people": 9}])
        assert drawn != fitting(session, people, [spanish, {**few, "draw": 8}])
        assert len(fitting(session, people, [spanish, {**few, "people": 1000}])) == 20


def test_whose_sharing_is_not_counted_is_not_said_to_have_brought_somebody_or_nobody(ground: Database) -> None:
    def person(recruiter: int | None = None, doings: tuple[Doing, ...] = ()) -> Person:
        return Person("es", None, None, 3, "", {}, {}, {}, doings, recruiter)

    joined = [Doing("join", 1, 2, "", via=0), Doing("join", 1, 2, "", via=1)]
    people = Population([person(), person(), person(0, (joined[0],)), person(1, (joined[1],))], {1: None})
    rules = (
        {"rule": "recruited_anyone"},
        {"rule": "recruited_within", "days": 5},
        {"rule": "recruited_in_blast", "blast": 1},
    )
    with Session(ground.engine) as session:
        people = settle(session, people)
        assert all(fitting(session, people, [rule]) == {0, 1} for rule in rules)
        count_sharing(session, people.first + 1, counted=False)
        count_sharing(session, people.first + 2, counted=False)
        for rule in rules:
            assert fitting(session, people, [rule]) == {0}
            assert fitting(session, people, [{"not": rule}]) == {3}


def test_who_is_not_counted_is_not_taken_for_somebody_who_did_nothing(ground: Database) -> None:
    def person(accepted: bool = False) -> Person:
        deliveries = {2: ("accepted", 10.0)} if accepted else {}
        return Person("es", None, None, 400, "", {}, {}, deliveries, (), None)

    people = Population([person(), person(), person(accepted=True)], {1: None, 2: None})  # the first one is counted
    did = [{"rule": "did_ever", "act": "open"}, {"rule": "did_within", "act": "watch", "days": 30},
           {"rule": "tier", "tier": "active"}]  # fmt: skip
    idle: list[dict[str, object]] = [{"rule": "tier", "tier": "inactive"}, *({"not": rule} for rule in did)]
    here = {"rule": "did_in_blast", "act": "click", "blast": 1}
    with Session(ground.engine) as session:
        people = settle(session, people)
        session.execute(update(Member).where(Member.id == people.first + 1).values(tracking=False))
        session.execute(update(Blast).where(Blast.id == 2).values(frozen_tracking="sums"))
        for document in ([rule] for rule in (*idle, {"not": {"any": did}}, {"not": {"all": did}})):
            assert fitting(session, people, document) == {0}
        assert fitting(session, people, [{"not": here}]) == {0, 2}
        # Long after the mail that was not counted, nothing is unknown.
        assert fitting(session, people, [{"not": {"rule": "did_within", "act": "watch", "days": 9}}]) == {0, 2}
        # Nobody is lost where rules are taken apart to be counted.
        either = read_rules([{"any": [did[0], {"rule": "language", "language": "es"}]}])
        apart = [session.scalars(select(Member.id).where(one.where(NOW))).all() for one in disjoint(either)]
        assert sorted(number - people.first for found in apart for number in found) == [0, 1, 2]
