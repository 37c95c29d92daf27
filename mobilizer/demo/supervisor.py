"""Demo: the supervisor. Prepares a box, brings its processes up, keeps them up, and takes them down again."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType

from mobilizer import demo
from mobilizer.demo.box import Box
from mobilizer.demo.processes import Processes

WATCH_SECONDS = 0.25
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MIGRATIONS = Path(demo.__file__).parent.parent / "migrations" / "versions"


@dataclass(slots=True)
class StopSign:
    """Whether we were told to stop. A plain flag: a lock inside a signal handler may wait for itself."""

    told: bool = False


def prepare(box: Box, now: datetime, members: int = demo.MEMBERS) -> None:
    """Migrate and seed the box's database; nothing happens where that is done. Raises NotADemo."""
    # The libraries behind these take as long to load as all the rest: a second start does without them.
    from mobilizer import tables
    from mobilizer.demo.seed import seed
    from mobilizer.installation import install
    from mobilizer.migrations import is_current, upgrade

    tables.complete()
    installation = install(box.settings())
    if not is_current(installation.database):
        upgrade(installation.database)
    seed(installation, now, members)
    installation.database.close()
    _mark(box).write_text(_schema(), encoding="utf-8")


def is_prepared(box: Box) -> bool:
    """Whether `prepare` has nothing to do, as far as a glance can tell."""
    try:
        return (box.home / "mobilizer.sqlite3").exists() and _mark(box).read_text("utf-8") == _schema()
    except FileNotFoundError:
        return False


@contextmanager
def running(box: Box, now: datetime, members: int, stop: StopSign) -> Iterator[Processes]:
    """A box that is up, and is down again afterwards whatever happens. Raises processes.NotUp, NotADemo."""
    box.write_settings()
    processes = Processes(box)
    try:
        processes.start_ground()
        if not is_prepared(box):
            prepare(box, now, members)
        processes.start_house(lambda: stop.told)
        yield processes
    finally:
        processes.stop()


def keep_up(processes: Processes, stop: StopSign, tell: Callable[[str], None]) -> None:
    """Watch the processes until told to stop."""
    while not stop.told:
        processes.watch(tell)
        time.sleep(WATCH_SECONDS)


@contextmanager
def told_to_stop() -> Iterator[StopSign]:
    """A sign that Ctrl-C, SIGTERM or a closed terminal sets; the former handlers come back afterwards."""
    stop = StopSign()

    def handler(_number: int, _frame: FrameType | None) -> None:
        stop.told = True

    # What the caller has us ignore (nohup, a background job's Ctrl-C) stays ignored.
    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    former = {number: signal.signal(number, handler) for number in heard}
    try:
        yield stop
    finally:
        for number, previous in former.items():
            signal.signal(number, previous)


def _mark(box: Box) -> Path:
    return box.home / "prepared"


def _schema() -> str:
    return "\n".join(sorted(path.name for path in MIGRATIONS.glob("*.py")))
