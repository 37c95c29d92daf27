"""Demo: child processes. Each is started, watched, started again when it dies, and stopped; no other ever is."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

GRACE_SECONDS = 6.0
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
STEADY_SECONDS = 60.0
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One process of ours. It has a group of its own, so that Ctrl-C reaches only us and we reach only it."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.command, self.environment = name, list(command), dict(environment)
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._wait, self._started, self._due = FIRST_WAIT, 0.0, 0.0

    @property
    def pid(self) -> int | None:
        """The process id while there is a process."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """Whether it lives now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, its output going to the end of its log. Must be called from the main thread (see below)."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command lines
                self.command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self._started = time.monotonic()

    def watch(self, now: float, tell: Callable[[str], None]) -> None:
        """Report a death once, and start the process again when its wait is over; each death doubles the wait."""
        if self._process is None or self.running:
            return
        if not self._due:
            if now - self._started > STEADY_SECONDS:
                self._wait = FIRST_WAIT
            tell(f"{self.name} ended ({_how(self._process.returncode)}); again in {self._wait:g} s. Log: {self.log}")
            self._due, self._wait = now + self._wait, min(self._wait * 2, LONGEST_WAIT)
        if now >= self._due:
            self._due = 0.0
            _kill_group(self._process.pid)
            self.start()

    def ask_to_end(self) -> None:
        """Let it finish what it is doing and go."""
        if self._process and self.running:
            self._process.terminate()

    def wait_or_kill(self, until: float) -> None:
        """Wait for its end; at `until` (monotonic) end it and all of its group."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(until - time.monotonic(), 0.01))
        _kill_group(self._process.pid)
        self._process.wait()
        self._process = None


def stop(children: Sequence[Child], grace: float = GRACE_SECONDS) -> None:
    """Stop these, all at once: ask, wait, then kill."""
    for child in children:
        child.ask_to_end()
    until = time.monotonic() + grace
    for child in children:
        child.wait_or_kill(until)


def _kill_group(pid: int) -> None:
    # The leader's pid names the group for as long as any process of it lives: none of it is left behind.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _die_with_parent() -> None:
    """In the child, before its program: on Linux be told to end when the thread that started it is gone."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _how(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"
