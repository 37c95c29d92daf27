"""Bench: sharing. The share tree of a blast that went round the world, asked for as its page asks."""

from __future__ import annotations

import random
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from mobilizer import tables
from mobilizer.audience.keeping import Bulk
from mobilizer.bench import crowd
from mobilizer.engagement.branches import By, steps_by
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.recruits import Recruit
from mobilizer.engagement.tree import Tree, tree
from mobilizer.installation import Installation

CHANNELS = ("whatsapp", "telegram", "copy", "email", "")
ROOTS = 20  # one in so many members had the mail itself; all others came through somebody
CHUNK = 50_000
TIMES = 3
SEED = 7
ABOVE = 10**9  # numbers of events that the crowd has not
_RECRUITS = Bulk(
    Recruit,
    "id",
    "member_id",
    "via_id",
    "blast_id",
    "generation",
    "via_language",
    "via_country",
    "channel",
    "joined_at",
)
_VISITS = Bulk(
    Event, "id", "kind", "at", "times", "blast_id", "via_id", "step", "language", "channel", "agent", "machine"
)
Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says. `seconds` is the best of a few looks, `cpu_seconds` this process's part of it; `branch_seconds`
    is what it takes to tell the steps of each language, which is asked for by itself; `books`: the tree says what a
    plain simulation of the same people said."""

    members: int
    recruits: int
    visits: int
    generations: int
    factor: float
    seconds: float
    first_look: float
    cpu_seconds: float
    branch_seconds: float
    books: bool


@dataclass(slots=True)
class Simulation:
    """Who came through whom, in arrays: `depth` of each member by place, 0 for those who had the mail. `visits` are by
    whose link; every tenth of them is the owner's own and the next one a machine's, and counts for nobody."""

    depth: array[int]
    via: array[int]
    visits: array[int]

    def joined(self) -> Counter[int]:
        """How many joined at each step."""
        return Counter(step for step in self.depth if step)

    def seen(self) -> Counter[int]:
        """How many visits there were at each step."""
        return Counter(self.depth[via] + 1 for place, via in enumerate(self.visits) if place % 10 > 1)


def run(installation: Installation, members: int, watch: Watch = lambda _: None) -> Figures:
    """Invent a tree of so many members and as many visits, and ask for it."""
    tables.complete()
    watch("Inventing members")
    blast = crowd.fill(installation, members).blasts[0]
    told = _simulate(members)
    watch("Writing down who brought whom")
    _write(installation, _RECRUITS, _recruits(told, blast))
    watch("Writing down who came to look")
    _write(installation, _VISITS, _visits(told, blast))
    watch("Asking for the tree")
    looks = [_ask(installation, blast) for _ in range(TIMES)]
    found, first, _cpu = looks[0]
    seconds, cpu = min((seconds, cpu) for _found, seconds, cpu in looks)
    began = time.perf_counter()
    with installation.database.read() as session:
        branches = steps_by(session, blast, found, By.LANGUAGE)
    branch_seconds = time.perf_counter() - began
    joined, seen = told.joined(), told.seen()
    agrees = (
        {one.step: one.joined for one in found.generations if one.joined} == joined
        and {one.step: one.visits for one in found.generations if one.visits} == seen
        and all(sum(one.joined for one in parts) == found.joined for parts in (found.languages, found.channels))
        and sum(one.joined for steps in branches.values() for one in steps) == found.joined
    )
    return Figures(
        members=members,
        recruits=found.joined,
        visits=len(told.visits),
        generations=max(joined, default=0),
        factor=round(found.factor.value, 4) if found.factor else 0.0,
        seconds=round(seconds, 3),
        first_look=round(first, 3),
        cpu_seconds=round(cpu, 3),
        branch_seconds=round(branch_seconds, 3),
        books=agrees,
    )


def _simulate(members: int) -> Simulation:
    """Each member but the first ones comes through anybody who was there before."""
    rolled = random.Random(SEED)  # noqa: S311 - a simulation
    roots = max(members // ROOTS, 1)
    depth, via = array("i", bytes(4 * members)), array("i", bytes(4 * members))
    for place in range(roots, members):
        via[place] = rolled.randrange(place)
        depth[place] = depth[via[place]] + 1
    return Simulation(depth, via, array("i", (rolled.randrange(members) for _ in range(members))))


def _recruits(told: Simulation, blast: int) -> Iterator[tuple[Any, ...]]:
    now, most = datetime.now(UTC), len(CHANNELS)
    for place, step in enumerate(told.depth):
        if step:
            yield place, place + 1, told.via[place] + 1, blast, step, "es", "MX", CHANNELS[place % most], now


def _visits(told: Simulation, blast: int) -> Iterator[tuple[Any, ...]]:
    now = datetime.now(UTC)
    for place, via in enumerate(told.visits):
        rule = {0: "own", 1: "bot"}.get(place % 10, "")
        yield ABOVE + place, EventKind.VISIT.value, now, 1, blast, via + 1, told.depth[via] + 1, "es", "copy", "", rule


def _write(installation: Installation, bulk: Bulk, rows: Iterator[tuple[Any, ...]]) -> None:
    while chunk := list(islice(rows, CHUNK)):
        with installation.database.write() as session:
            bulk.insert(session.connection(), chunk)


def _ask(installation: Installation, blast: int) -> tuple[Tree, float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    with installation.database.read() as session:
        found = tree(session, blast)
    return found, time.perf_counter() - began, time.process_time() - cpu
