"""Two hosts on one PostgreSQL and one Redis: one is cut off in the middle of a send, the other finishes it.

    python -m bench.two_hosts --database postgresql://... [--how cut|stop|kill] [--hosts namespaces|processes] [--json]

Each host is a worker and a reconciler: processes of their own, a home folder of their own, a name of their own; where
`ip netns` may be used (root), a network namespace of their own. All they reach goes through gates of ours: PostgreSQL,
Redis, the relay. `cut` pulls the cable of the first host (its link goes down, or its gates swallow all), `stop` freezes
its processes (SIGSTOP), `kill` kills them. When the other host has finished, a host that is cut or stopped comes back:
it must send nothing more. Then the books are checked, as `mobilizer selftest send` checks them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, make_url, select

from bench.hosts import HERE, Gate, Host, Place, Target, namespaces_are_possible, places_of
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState
from mobilizer.demo.children import Child, stop
from mobilizer.demo.processes import queue
from mobilizer.selftest.books import Told, check
from mobilizer.selftest.crew import CONTEXT, Mate
from mobilizer.selftest.evidence import read
from mobilizer.selftest.relay import run as run_relay
from mobilizer.selftest.site import CONNECTIONS, Site, site
from mobilizer.settings import child_environment

PATIENCE_SECONDS = 150.0
LOOK_SECONDS = 0.05
NOBODY_HELD = 4  # a seed of the self test by which the blast leaves to all at once: both hosts have something to do
SLOWLY = 4.0  # messages a second
AFTER_SECONDS = 3.0  # for a host that is back to do what it must not do


@dataclass(slots=True)
class Figures:
    """What was found. `torn` are the batches that the first host had in hand when it was cut off, all of which the
    other took over; `doubted` how many messages were uncertain at the end of that. An answer that a host has when it
    comes back is evidence, so that `uncertain` may be less; `bound` is the most that it may be."""

    how: str
    hosts: str
    messages: int = 0
    sent_before: int = 0
    torn: int = 0
    taken_over: int = 0
    lease_seconds: float = 0.0
    seconds_to_take_over: float = 0.0
    seconds_to_the_end: float = 0.0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    doubted: int = 0
    uncertain: int = 0
    bound: int = 0
    most_at_once: int = 0
    duplicates: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


def two_hosts(database: str, messages: int, how: str, hosts: str, lease_seconds: float, per_second: float) -> Figures:
    """Run it. `hosts` is 'namespaces', 'processes' or '' for the better of them that there is."""
    figures = Figures(how, hosts or ("namespaces" if namespaces_are_possible() else "processes"))
    with ExitStack() as stack:
        here = stack.enter_context(site(database, messages, seed=NOBODY_HELD))
        relay_port, pace = stack.enter_context(_relay(here))
        stack.enter_context(_queue(here))
        places = stack.enter_context(places_of(figures.hosts))
        first, second = (stack.enter_context(_host(here, place, relay_port, lease_seconds)) for place in places)
        figures.messages, figures.lease_seconds = len(here.audience), lease_seconds
        try:
            _run(here, first, second, figures, partial(setattr, pace, "value"), per_second)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {_standing(here)}") from error
        stop([*first.children, *second.children])
        torn = CONNECTIONS
        told = Told(
            here.audience, left=here.suppressed, suppressed_by_us=here.suppressed, torn=torn, connections=CONNECTIONS
        )
        books = check(here.rows(), read(here.notebook), told, here.state(), here.suppressed_now() & here.audience)
    for name, value in asdict(books).items():
        if name != "messages":
            setattr(figures, name, value)
    return figures


def _run(
    here: Site, first: Host, second: Host, figures: Figures, pace: Callable[[float], None], per_second: float
) -> None:
    first.start()
    second.start()
    _until(lambda: _leased(here, first) and _leased(here, second), "both hosts are at work")
    pace(per_second)
    _until(lambda: here.final() >= figures.messages / 5, "a fifth is sent")
    pace(SLOWLY)  # so that there are messages on their way when the cable is pulled
    _until(lambda: _in_hand(here, first), "the first host waits for answers")
    if figures.how == "cut":
        first.cut()
    else:
        first.signal(signal.SIGSTOP if figures.how == "stop" else signal.SIGKILL)
    began = time.monotonic()
    pace(per_second)
    torn = _leased(here, first)
    figures.torn, figures.sent_before = len(torn), here.final()
    _until(lambda: _epochs_passed(here, torn) > 0, "the other host takes over")
    figures.seconds_to_take_over = round(time.monotonic() - began, 1)
    _until(lambda: here.state() == "sent", "the other host finishes")
    figures.seconds_to_the_end = round(time.monotonic() - began, 1)
    figures.taken_over = _epochs_passed(here, torn)
    figures.doubted = here.states().get(DeliveryState.UNCERTAIN, 0)
    if figures.how == "cut":
        first.heal()
    elif figures.how == "stop":
        first.signal(signal.SIGCONT)
    time.sleep(AFTER_SECONDS)


def _leased(here: Site, host: Host) -> dict[int, int]:
    """The batches that a host has leased, each with its epoch."""
    with here.installation.database.read() as session:
        rows = session.execute(select(Batch.id, Batch.epoch, Batch.owner).where(Batch.state == BatchState.LEASED)).all()
    return {batch: epoch for batch, epoch, owner in rows if host.owns(owner)}


def _in_hand(here: Site, host: Host) -> int:
    """How many messages a host has claimed and not settled."""
    handing = select(func.count()).where(
        Delivery.blast_id == here.blast,
        Delivery.batch_id.in_(_leased(here, host)),
        Delivery.state == DeliveryState.HANDING,
    )
    with here.installation.database.read() as session:
        return session.scalar(handing) or 0


def _epochs_passed(here: Site, torn: dict[int, int]) -> int:
    """How many of these leases are void: somebody else has had their batch since."""
    with here.installation.database.read() as session:
        now = dict(session.execute(select(Batch.id, Batch.epoch).where(Batch.id.in_(torn))).all())
    return sum(now[batch] > epoch for batch, epoch in torn.items())


def _standing(here: Site) -> str:
    """How far a run is, for who has to find out why it went no further."""
    with here.installation.database.read() as session:
        batches = session.execute(select(Batch.owner, Batch.state, func.count()).group_by(Batch.owner, Batch.state))
        return f"the blast is {here.state()}, deliveries {here.states()}, batches {list(map(tuple, batches))}"


def _until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"it never came to this: {what}")
        time.sleep(LOOK_SECONDS)


@contextmanager
def _relay(here: Site) -> Iterator[tuple[int, Any]]:
    """The self test's relay, with nothing wrong: its port, and how many messages a second it takes, slow at first."""
    hears, says = CONTEXT.Pipe(duplex=False)
    pace = CONTEXT.Value("d", SLOWLY, lock=False)
    mate = Mate(
        "relay", here.box.log / "relay.log", run_relay, 1, 0, here.notebook, pace, partial(Connection.send, says)
    )
    mate.start()
    try:
        if not hears.poll(PATIENCE_SECONDS):
            raise TimeoutError("the relay did not come up")
        yield hears.recv().mail, pace
    finally:
        mate.end(polite=False)


@contextmanager
def _queue(here: Site) -> Iterator[None]:
    store = queue(here.box)
    store.start()
    try:
        yield
    finally:
        stop([store])


@contextmanager
def _host(here: Site, place: Place, relay_port: int, lease_seconds: float) -> Iterator[Host]:
    """A host that is not started yet, with a home folder of its own; nothing of it is left behind."""
    redis = urlsplit(here.settings.redis_url)
    targets = (_database(here), (redis.hostname or HERE, redis.port or 6379), (HERE, relay_port))
    gates = [Gate(place.address, target) for target in targets]
    with tempfile.TemporaryDirectory(prefix="mobilizer-host-") as home:
        shutil.copy(here.settings.home / "keys.json", home)
        environment = child_environment(
            **here.box.values() | _reached(here, place, gates), MOBILIZER_LEASE_SECONDS=str(lease_seconds)
        )
        environment["MOBILIZER_HOME"] = home
        command = [*place.start_with, sys.executable, "-m", "mobilizer.cli"]
        children = [
            Child(what, [*command, what], environment, here.box.log / f"{place.name}-{what}.log")
            for what in ("worker", "reconcile")
        ]
        host = Host(place, gates, children)
        try:
            yield host
        finally:
            host.heal()
            host.signal(signal.SIGCONT)
            stop(children)
            for gate in gates:
                gate.close()


def _database(here: Site) -> Target:
    """Where the database's server really listens."""
    url = make_url(here.settings.database)
    folder, port = str(url.query.get("host", "")), url.port or 5432
    return f"{folder}/.s.PGSQL.{port}" if folder.startswith("/") else (url.host or HERE, port)


def _reached(here: Site, place: Place, gates: list[Gate]) -> dict[str, str]:
    """Settings of a host that reaches everything through its gates."""
    database, redis, relay = (gate.port for gate in gates)
    url = make_url(here.settings.database).set(drivername="postgresql", host=place.address, port=database, query={})
    return {
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "REDIS_URL": f"redis://{place.address}:{redis}/0",
        "MOBILIZER_SMTP_HOST": place.address,
        "MOBILIZER_SMTP_PORT": str(relay),
        "MOBILIZER_SMTP_CONNECTIONS": str(CONNECTIONS),
        "MOBILIZER_BATCH_SIZE": str(here.settings.batch_size),
        "MOBILIZER_RECONCILE_SECONDS": "0.2",
        "MOBILIZER_LOOPBACK_ONLY": str(place.address == HERE).lower(),
        "MOBILIZER_LOG_LEVEL": "INFO",
    }


def main() -> None:
    """The command."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--database", required=True, help="A PostgreSQL server to make a fresh database on.")
    asked.add_argument("--messages", type=int, default=3000)
    asked.add_argument("--how", choices=("cut", "stop", "kill"), default="cut")
    asked.add_argument("--hosts", choices=("namespaces", "processes"), default="")
    asked.add_argument("--lease-seconds", type=float, default=120.0)
    asked.add_argument("--per-second", type=float, default=300.0, help="What the relay takes.")
    asked.add_argument("--json", action="store_true")
    said = asked.parse_args()
    figures = two_hosts(said.database, said.messages, said.how, said.hosts, said.lease_seconds, said.per_second)
    if said.json:
        print(json.dumps({"ok": not figures.wrong, **asdict(figures)}))  # noqa: T201
    else:
        for name, value in asdict(figures).items():
            print(f"{name:22} {value}")  # noqa: T201
    sys.exit(1 if figures.wrong else 0)


if __name__ == "__main__":
    main()
