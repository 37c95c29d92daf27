"""Selftest: running it. Brings the processes up, runs the campaign, takes them down, and checks the books."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing.connection import Connection

from mobilizer.demo.processes import NotUp, answers_ping, queue
from mobilizer.demo.supervisor import StopSign
from mobilizer.failpoints import Point
from mobilizer.selftest.books import Told, check
from mobilizer.selftest.campaign import Campaign, Stuck, Tell
from mobilizer.selftest.crew import CONTEXT, stop
from mobilizer.selftest.evidence import read
from mobilizer.selftest.faults import NAMED
from mobilizer.selftest.relay import AUTH_WAYS, STARTTLS_WAYS, Ports
from mobilizer.selftest.site import CONNECTIONS, Site, site

UP_SECONDS = 60.0
ENOUGH = 300  # people: then every fault must come up
ALL_FAULTS = (*NAMED, *(name for name, _ in (*STARTTLS_WAYS, *AUTH_WAYS)))


@dataclass(slots=True)
class Figures:
    """What a run found. `messages` are the audience's, of whom so many were `held` until the others had theirs; `kills`
    counts processes that were killed by SIGKILL. What is named with a 0 did not come up."""

    seed: int
    database: str
    seconds: float = 0.0
    messages: int = 0
    kills: int = 0
    faults: int = 0
    duplicates: int = 0
    lost: int = 0
    uncertain: int = 0
    bound: int = 0
    most_at_once: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    taken_off: int = 0
    holds: int = 0
    held: int = 0
    restarts: int = 0
    kills_by_point: dict[str, int] = field(default_factory=dict)
    other_kills: dict[str, int] = field(default_factory=dict)
    hurts: dict[str, int] = field(default_factory=dict)
    faults_by_kind: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        """For JSON, the verdict first."""
        return {"ok": not self.wrong, **asdict(self)}


def selftest(database: str, messages: int, seed: int, sign: StopSign, tell: Tell) -> Figures:
    """Run the whole test on a database of its own.

    Raises bench.grounds.NoGround, processes.NotUp, campaign.Stopped; whatever happens, no process is left behind.
    """
    began = time.monotonic()
    with site(database, messages, seed) as here:
        campaign = None
        try:
            with _up(here, seed, sign, tell) as (campaign, ports):
                campaign.run(ports)
        except Stuck as stuck:
            assert campaign is not None  # noqa: S101 - who else was stuck
            campaign.wrong.append(str(stuck))
        figures = _figures(here, campaign, seed)
    figures.seconds = round(time.monotonic() - began, 1)
    return figures


@contextmanager
def _up(here: Site, seed: int, sign: StopSign, tell: Tell) -> Iterator[tuple[Campaign, Ports]]:
    """The ground under the campaign: a queue and a relay of our own."""
    store = queue(here.box)
    campaign = Campaign(here, store, seed, sign, tell)
    hears, says = CONTEXT.Pipe(duplex=False)
    try:
        tell("Starting", 0)
        store.start()
        campaign.relay.start(seed, len(here.audience), here.notebook, campaign.pace, partial(Connection.send, says))
        if not hears.poll(UP_SECONDS) or not answers_ping(here.box.queue_port):
            raise NotUp("The test's own relay or queue did not come up.")
        yield campaign, hears.recv()
    finally:
        # First those who use the ground, then the ground: the relay hears the last word of each.
        stop([*campaign.workers, campaign.reconciler])
        campaign.relay.end(polite=False)
        store.wait_or_kill(until=time.monotonic())


def _figures(here: Site, campaign: Campaign, seed: int) -> Figures:
    evidence = read(here.notebook)
    torn = min(campaign.cut, evidence.cut) + campaign.cut_off
    told = Told(
        here.audience, campaign.taken_off, campaign.left, campaign.suppressed, torn, CONNECTIONS, campaign.stood
    )
    books = check(here.rows(), evidence, told, here.state(), here.suppressed_now() & here.audience)
    missed = [name for name in ALL_FAULTS if not evidence.faults[name]] if len(here.audience) >= ENOUGH else []
    return Figures(
        seed=seed,
        database=here.installation.database.engine.dialect.name,
        kills=campaign.kills.total(),
        faults=evidence.faults.total(),
        taken_off=len(campaign.taken_off),
        holds=campaign.holds,
        held=sum(campaign.let_go.values()),
        restarts=campaign.restarts,
        kills_by_point={str(point): campaign.kills[point] for point in Point},
        other_kills={name: count for name, count in sorted(campaign.kills.items()) if name not in set(Point)},
        hurts={name: campaign.hurts[name] for name in campaign.can_hurt},
        faults_by_kind={name: evidence.faults[name] for name in ALL_FAULTS},
        **{name: value for name, value in asdict(books).items() if name != "wrong"},
        wrong=[*campaign.wrong, *books.wrong, *(f"the fault {name} never came up" for name in missed)],
    )
