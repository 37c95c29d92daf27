"""Each rule as SQL against its plain meaning, on both databases; groups of them too."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.members import Member
from mobilizer.db import Database
from mobilizer.segments.rules import RULES
from mobilizer.segments.tree import read_rules
from tests.segments.population import NOW, Population, documents, make_ground, populations, rule_of, settle

# Every example is rolled back, so the database is as fresh for the next one.
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
FEW = settings(MANY, max_examples=20)


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
