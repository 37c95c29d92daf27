"""Bench: hits. A blast's opens and clicks, asked of the web server that `mobilizer serve` starts, and written down."""

from __future__ import annotations

import json
import pkgutil
import random
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from mobilizer import recording
from mobilizer.bench import machine, processes, seeding
from mobilizer.bench.grounds import Ground
from mobilizer.bench.plan import Plan
from mobilizer.blasts.blasts import Blast, Link
from mobilizer.demo.processes import answers_ping, queue_program
from mobilizer.engagement.events import ACTS
from mobilizer.installation import Installation, install
from mobilizer.keys import Purpose, Ticket
from mobilizer.settings import child_environment

HOST = "127.0.0.1"
APPLICATION = "mobilizer.app:create_app"  # by its name, as web servers have it: it is above all of us
UP_SECONDS = 30.0
ALONE = 20_000  # hits that the callable answers without a server
CLICKS = 0.4  # of all hits; the others are opens
SEED = 7
AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16; SM-A156B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0",
)
Watch = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says. `cpu_us_per_hit` is all that the web server's processes used, `callable_us` what the callable
    takes by itself; `per_core` is how many hits a second that makes of a core which does nothing else.
    `recording_us_per_hit` is a worker's part, later."""

    hits: int
    recorded: int
    seconds: float
    hits_per_second: int
    cpu_us_per_hit: float
    per_core: int
    callable_us: float
    recording_us_per_hit: float
    members: int
    answers: dict[str, int]
    books: bool


def run(where: Ground, hits: int, members: int, connections: int, watch: Watch = lambda _: None) -> Figures:
    """Launch a blast to so many members, and have so many opens and clicks of it."""
    with loaded(where, members, watch) as load:
        lines = list(_lines(load.here, hits, members))
        took = load(lines, connections)
        watch("Asking the callable alone")
        alone = _alone(load.here, lines[:ALONE])
        with load.here.database.read() as session:
            recorded = session.scalar(select(ACTS)) or 0
    per_hit = took.server_cpu / hits
    return Figures(
        hits=hits,
        recorded=recorded,
        seconds=round(took.seconds, 2),
        hits_per_second=round(hits / took.seconds),
        cpu_us_per_hit=round(per_hit * 1e6, 1),
        per_core=round(1 / per_hit),
        callable_us=round(alone * 1e6, 1),
        recording_us_per_hit=round(took.worker_cpu / hits * 1e6, 1),
        members=members,
        answers=took.answers,
        books=recorded == hits == took.answers.get("200", 0) + took.answers.get("302", 0),
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """What a load took: seconds by the clock, CPU seconds of the web server and of writing down, answers by status."""

    seconds: float
    server_cpu: float
    worker_cpu: float
    answers: dict[str, int]


@dataclass(frozen=True, slots=True)
class Load:
    """A launched blast, and how to load the web server with requests for it."""

    here: Installation
    home: Path
    environment: Mapping[str, str]
    watch: Watch

    def __call__(self, lines: Sequence[str], connections: int) -> Taken:
        """Have a process outside ask for such lines (visitors.py), then write down what was noted."""
        path, port = self.home / "visits", _free_port()
        path.write_text("\n".join(lines), "utf-8")
        with _server(port, {**self.environment}) as server:
            with processes.child(
                "mobilizer.bench.visitors", str(port), str(connections), str(path), environment=child_environment()
            ) as visitors:
                processes.first_words(visitors)
                self.watch("Following links")
                used = machine.cpu_seconds_of(server.pid)
                print(file=visitors.stdin, flush=True)
                said = json.loads(processes.first_words(visitors))
            time.sleep(2 * recording.BUFFER_SECONDS)
            used = machine.cpu_seconds_of(server.pid) - used
        self.watch("Writing them down")
        writing = time.process_time()
        recording.drain_hits(self.here)
        return Taken(said["seconds"], used, time.process_time() - writing, said["answers"])


@contextmanager
def loaded(where: Ground, members: int, watch: Watch) -> Iterator[Load]:
    """A blast to so many members, and a queue of its own."""
    watch("Starting a queue")
    queue_port = _free_port()
    changes = {"REDIS_URL": f"redis://{HOST}:{queue_port}/0", "MOBILIZER_HOME": str(where.home)}
    with _queue(queue_port, where.home):
        here = install(where.settings().model_copy(update={"redis_url": changes["REDIS_URL"]}))
        with closing(here.database):
            watch("Inventing members")
            seeding.seed(here, Plan(messages=members))
            yield Load(here, where.home, {**where.environment(25, 1), **changes}, watch)


def _lines(here: Installation, hits: int, members: int) -> Iterator[str]:
    """Paths of opens and clicks, each with the name of a program."""
    chance = random.Random(SEED)  # noqa: S311 - a simulation
    with here.database.read() as session:
        blast = session.scalars(select(Blast.id)).one()
        links = session.scalars(select(Link.n).where(Link.blast_id == blast)).all()
    token = here.keyring.token
    for _ in range(hits):
        ticket = Ticket(chance.randrange(members) + 1, blast)
        if chance.random() < CLICKS:
            path = f"/c/{token(Purpose.CLICK, ticket)}/{chance.choice(links)}"
        else:
            path = f"/o/{token(Purpose.OPEN, ticket)}.gif"
        yield f"{path}\t{chance.choice(AGENTS)}"


def _alone(here: Installation, lines: list[str]) -> float:
    """CPU seconds that the callable takes for a hit, with what carries hits to the queue."""
    create_app = pkgutil.resolve_name(APPLICATION)
    app = create_app(here.settings, here, counter="memory://").wsgi_app
    asked = [line.partition("\t") for line in lines]
    environs: list[dict[str, Any]] = [
        {"REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_USER_AGENT": agent} for path, _, agent in asked
    ]
    for _ in range(2):  # the first round warms up what both would have to learn
        began = time.process_time()
        for environ in environs:
            app(environ, _heard)
        recording.settle(here.database)
        took = time.process_time() - began
    return took / len(lines)


def _heard(_status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
    return lambda _body: None


@contextmanager
def _queue(port: int, folder: Path) -> Iterator[None]:
    command = [queue_program(), "--bind", HOST, "--port", str(port), "--dir", str(folder), "--save", ""]
    with _started(command, child_environment()) as process:
        _wait(process, lambda: answers_ping(port))
        yield


@contextmanager
def _server(port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "mobilizer.cli", "serve", "--port", str(port), "--threads", "1"]
    with _started(command, environment) as process:
        _wait(process, lambda: _answers(port))
        yield process


@contextmanager
def _started(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, ended with the block; what it prints is nobody's."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdout=quiet, start_new_session=True) as process:  # noqa: S603 - our own
        try:
            yield process
        finally:
            process.terminate()
            process.wait()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as taken:
        return int(taken.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], true: Callable[[], bool]) -> None:
    until = time.monotonic() + UP_SECONDS
    while not true():
        if process.poll() is not None or time.monotonic() > until:
            raise processes.Broken("A process of the run did not start; what it said stands above.")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/o/none.gif", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
