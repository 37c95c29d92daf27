"""Selftest: the crew. The very processes that send, each ours to kill, to stop for a while and to start again."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context, parent_process
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from mobilizer import jobs, logs
from mobilizer.failpoints import Point
from mobilizer.installation import install
from mobilizer.reconciler import Reconciler
from mobilizer.settings import Settings

# Processes are forked from one that has read all modules and done nothing else: a start takes no seconds then.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["mobilizer.tables", "mobilizer.selftest.crew", "mobilizer.selftest.relay"])
PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 30.0
MARK = "failpoint "


class Mate:
    """One process of the crew; it can be started again and again."""

    def __init__(self, name: str, log: Path, work: Callable[..., object], *arguments: Any) -> None:
        self.name, self.arguments = name, arguments
        self._log, self._work = log, work
        self._process: ForkServerProcess | None = None
        self._read = 0

    @property
    def running(self) -> bool:
        """Whether it lives now."""
        return self._process is not None and self._process.is_alive()

    def start(self, *arguments: Any) -> None:
        """Start it, with new arguments where some are given."""
        self.arguments = arguments or self.arguments
        self._process = CONTEXT.Process(target=_live, args=(str(self._log), self._work, *self.arguments), daemon=True)
        self._process.start()

    def end(self, polite: bool, grace: float = GRACE_SECONDS) -> bool:
        """End it: ask first if `polite`, else kill. False where asking did not help in time, and it was killed."""
        if self._process is None:
            return True
        gone = False
        if polite:
            self._process.terminate()
            self._process.join(grace)
            gone = not self._process.is_alive()
        if self._process.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._process = None
        return gone

    def ask(self) -> None:
        """Ask it to end, without waiting."""
        if self._process is not None:
            self._process.terminate()

    def hits(self) -> list[Point]:
        """The failpoints that killed something in it since this was asked last."""
        text = self._unread()
        self._read += len(text)
        lines = text.decode("utf-8", "replace").splitlines()
        return [Point(line.removeprefix(MARK)) for line in lines if line.startswith(MARK)]

    def _unread(self) -> bytes:
        """The whole lines of its log that nobody has looked at yet."""
        if not self._log.exists():
            return b""
        with self._log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        return text[: text.rfind(b"\n") + 1]


def work(settings: Settings) -> None:
    """A worker, as `mobilizer worker` runs it."""
    logs.configure(settings.log_level)
    jobs.run_worker(install(settings))


def reconcile(settings: Settings) -> None:
    """The reconciler, as `mobilizer reconcile` runs it."""
    logs.configure(settings.log_level)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    Reconciler(install(settings)).run(stop)


def is_alive(owner: str) -> bool:
    """Whether the process that a lease names lives on this machine; one that is dead and not yet buried does not."""
    pid = process_of(owner)
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"
    except OSError:
        return False


def process_of(owner: str) -> int:
    """The process that a lease names."""
    return int(owner.rpartition("-")[2])


def stop(crew: list[Mate], grace: float = GRACE_SECONDS) -> None:
    """End these, all at once: ask, wait, then kill."""
    for mate in crew:
        mate.ask()
    until = time.monotonic() + grace
    for mate in crew:
        mate.end(polite=True, grace=max(until - time.monotonic(), 0.01))


def _live(log: str, work: Callable[..., object], *arguments: Any) -> None:
    """In the process itself: a group of its own, its words to its log, and an end with the one who started it."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    starter = parent_process()
    if starter is None or not starter.is_alive():
        return  # they ended before we could say that we want to know
    said = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(said, 1)
    os.dup2(said, 2)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(*arguments)
