"""The share tree against a plain simulation: nobody twice, nobody lost, each at the right step."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState
from mobilizer.engagement.attribution import sharer
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit, record
from mobilizer.engagement.recruits import recruited
from mobilizer.engagement.tree import factor, tree
from mobilizer.rights.erasing import erase
from mobilizer.rights.merging import merge
from tests.worlds import World

CHANNELS = ("whatsapp", "telegram", "")


@dataclass
class Simulation:
    """People who bring people, in plain words."""

    depth: dict[int, int]
    tongue: dict[int, str]
    joined: Counter[int] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    visits: Counter[int] = field(default_factory=Counter)

    def bring(self, number: int, via: int, channel: str) -> None:
        """One more person, through a person who is there."""
        self.depth[number] = self.depth[via] + 1
        self.tongue[number] = "pt"
        self.joined[self.depth[number]] += 1
        self.languages[self.tongue[via]] += 1
        self.channels[channel] += 1


@pytest.fixture
def sent(world: World) -> World:
    """A blast that five members had."""
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
        session.execute(update(Batch).values(state=BatchState.DONE))
        session.execute(update(Member).values(country="PT"))
    return world


def grow(world: World, session: Session, seed: int, people: int) -> Simulation:
    """Let people bring people at random: the same in the database and in the simulation."""
    rolled = random.Random(seed)  # noqa: S311 - a simulation
    tongues = {at: session.get_one(Member, at).language for at in world.members}
    told = Simulation(dict.fromkeys(world.members, 0), tongues)
    numbers = list(world.members)
    for new in newcomers(world, session, people):
        via, channel = rolled.choice(numbers), rolled.choice(CHANNELS)
        recruited(session, new, via, world.blast_id, channel)
        told.bring(new, via, channel)
        numbers.append(new)
    came = [(rolled.choice(numbers), rolled.choice(("", "", "bot"))) for _ in range(people)]
    hits = [Hit(EventKind.VISIT, 0.0, blast=world.blast_id, via=via, machine=machine) for via, machine in came]
    record(session, hits)
    for via, machine in came:
        told.visits[told.depth[via] + 1] += machine == ""
    session.flush()
    return told


def newcomers(world: World, session: Session, people: int) -> list[int]:
    """Members who had no mail of the blast."""
    made = [world._member(session, "pt", 100 + n, "example.org") for n in range(people)]
    session.flush()
    return [member.id for member in made]


@pytest.mark.parametrize("seed", range(4))
def test_the_tree_is_what_a_simulation_says(sent: World, seed: int) -> None:
    with sent.installation.database.write() as session:
        told = grow(sent, session, seed, 40)
        found = tree(session, sent.blast_id)
    assert {one.step: one.joined for one in found.generations if one.joined} == dict(told.joined)
    assert {one.step: one.visits for one in found.generations if one.visits} == dict(+told.visits)
    assert {one.key: one.joined for one in found.languages if one.joined} == dict(told.languages)
    assert {one.key: one.joined for one in found.channels} == dict(told.channels)
    assert (found.reached, found.joined) == (5, 40)
    assert [one.sharers for one in found.generations[:2]] == [5, told.joined[1]]
    assert {one.key: one.members for one in found.languages if one.members} == {"en": 3, "es": 2}
    assert sum(one.joined for one in found.countries) == 40


def test_who_is_erased_or_merged_changes_no_sum(sent: World) -> None:
    with sent.installation.database.write() as session:
        grow(sent, session, 5, 30)
        before = tree(session, sent.blast_id)
    first, second, *_ = sent.members
    with sent.installation.database.write() as session:
        assert merge(session, sent.installation.keyring, first, second) is None
        assert erase(session, second)
    with sent.installation.database.read() as session:
        after = tree(session, sent.blast_id)
    assert [one.joined for one in after.generations] == [one.joined for one in before.generations]
    assert [(one.key, one.joined) for one in after.channels] == [(one.key, one.joined) for one in before.channels]


def test_a_recruit_shares_in_the_blast_that_brought_them(sent: World) -> None:
    with sent.installation.database.write() as session:
        (new,) = newcomers(sent, session, 1)
        appeal, code = sent.blast().appeal_id, session.get_one(Member, new).share_code
        assert sharer(session, code, appeal).blast == 0
        recruited(session, new, sent.members[0], sent.blast_id, "")
        assert sharer(session, code, appeal).blast == sent.blast_id
        recruited(session, sent.members[1], 10**6, sent.blast_id, "")  # whose link it was is gone
        assert tree(session, sent.blast_id).joined == 1


def test_the_interval_is_that_of_a_count() -> None:
    """Exact limits of a Poisson count of 10: 4.795 and 18.390 (Garwood 1936)."""
    found = factor(10, 100)
    assert found is not None
    assert (found.value, round(found.low, 3), round(found.high, 3)) == (0.1, 0.048, 0.184)
    nobody = factor(0, 50)
    assert nobody is not None
    assert (nobody.low, round(nobody.high * 50, 1)) == (0.0, 3.7)
    assert factor(0, 0) is None
