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
from mobilizer.engagement.branches import By, steps_by
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
    # By the tongue of who shared or by the channel, and the step.
    joined_in: Counter[tuple[str, int]] = field(default_factory=Counter)
    visits_in: Counter[tuple[str, int]] = field(default_factory=Counter)

    def bring(self, number: int, via: int, channel: str) -> None:
        """One more person, through a person who is there."""
        self.depth[number] = self.depth[via] + 1
        self.tongue[number] = "pt"
        self.joined[self.depth[number]] += 1
        self.languages[self.tongue[via]] += 1
        self.channels[channel] += 1
        self.joined_in[self.tongue[via], self.depth[number]] += 1
        self.joined_in[channel, self.depth[number]] += 1

    def visit(self, via: int, channel: str) -> None:
        """Somebody looks, who came through a person who is there."""
        self.visits[self.depth[via] + 1] += 1
        self.visits_in[self.tongue[via], self.depth[via] + 1] += 1
        self.visits_in[channel, self.depth[via] + 1] += 1

    def sharers(self, tongue: str, step: int) -> int:
        """How many who speak it stand before a step."""
        return sum(1 for at, depth in self.depth.items() if depth == step - 1 and self.tongue[at] == tongue)


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
    came = [(rolled.choice(numbers), rolled.choice(CHANNELS), rolled.choice(("", "", "bot"))) for _ in range(people)]
    record(
        session,
        [
            Hit(kind, 0.0, blast=world.blast_id, via=via, channel=channel, machine=machine)
            for via, chosen, machine in came
            for kind, channel in ((EventKind.VISIT, chosen), (EventKind.WATCH, "start"), (EventKind.WATCH, "95"))
        ],
    )
    for via, channel, machine in came:
        if not machine:
            told.visit(via, channel)
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
    assert sum(one.factor.value for one in found.channels if one.factor) == pytest.approx(40 / 5)


@pytest.mark.parametrize("by", By)
def test_each_branch_has_the_steps_of_the_simulation(sent: World, by: By) -> None:
    with sent.installation.database.write() as session:
        told = grow(sent, session, 11, 40)
        whole = tree(session, sent.blast_id)
        found = steps_by(session, sent.blast_id, whole, by)
    for place, one in enumerate(whole.generations):
        here = [steps[place] for steps in found.values() if len(steps) > place]
        assert sum(step.joined for step in here) == one.joined
        assert sum(step.visits for step in here) == one.visits
        if by is By.LANGUAGE:
            assert sum(step.watches or 0 for step in here) == one.watches == one.visits
    keys = {By.LANGUAGE: {"en", "es", "pt"}, By.COUNTRY: {"PT", ""}, By.CHANNEL: set(CHANNELS)}[by]
    assert set(found) == keys
    for key, steps in found.items() if by is not By.COUNTRY else ():
        for one in steps:
            assert (one.joined, one.visits) == (told.joined_in[key, one.step], told.visits_in[key, one.step])
            stood = told.sharers(key, one.step) if by is By.LANGUAGE else whole.generations[one.step - 1].sharers
            assert one.sharers == stood
    farthest = {key: max((one.step for one in steps if one.joined), default=0) for key, steps in found.items()}
    branches = {By.LANGUAGE: whole.languages, By.COUNTRY: whole.countries, By.CHANNEL: whole.channels}[by]
    assert {one.key: one.steps for one in branches} == farthest


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
