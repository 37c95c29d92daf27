"""Demo: the supervisor. Prepares a box, brings its processes up, keeps them up, and takes them down again."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from types import FrameType

from mobilizer import tables
from mobilizer.demo.box import Box
from mobilizer.demo.processes import Processes
from mobilizer.demo.seed import MEMBERS, seed
from mobilizer.installation import Installation, install
from mobilizer.migrations import is_current, upgrade

assert tables  # noqa: S101 - imported so that every mapper is complete

WATCH_SECONDS = 0.25


def prepare(box: Box, now: datetime, members: int = MEMBERS) -> Installation:
    """Migrate and seed the box's database; nothing happens where that is done. Raises seed.NotADemo."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    installation = install(box.settings())
    if not is_current(installation.database):
        upgrade(installation.database)
    seed(installation, now, members)
    return installation


@contextmanager
def running(box: Box, now: datetime, members: int, stop: threading.Event) -> Iterator[tuple[Installation, Processes]]:
    """A box that is up, and is down again afterwards whatever happens. Raises processes.NotUp, seed.NotADemo."""
    box.log.mkdir(parents=True, exist_ok=True)
    processes = Processes(box)
    try:
        processes.start_ground()
        installation = prepare(box, now, members)
        processes.start_house(stop.is_set)
        yield installation, processes
    finally:
        processes.stop()


def keep_up(processes: Processes, stop: threading.Event, tell: Callable[[str], None]) -> None:
    """Watch the processes until told to stop."""
    while not stop.wait(WATCH_SECONDS):
        processes.watch(tell)


@contextmanager
def told_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C, SIGTERM or a closed terminal sets; the former handlers come back afterwards."""
    stop = threading.Event()

    def handler(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    former = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, previous in former.items():
            signal.signal(number, previous)
