"""Bench: the processes of a run. Each is a module of ours that says when it is ready, and its figures at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mobilizer.bench import machine
from mobilizer.settings import child_environment


class Broken(RuntimeError):
    """A process of the run failed, or the run makes no sense; the words say which."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a sink of ours says at its end."""

    messages: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class OwnSink:
    """A sink of ours that listens on `port`."""

    process: subprocess.Popen[str]
    port: int

    def taken(self) -> Taken:
        """End it; what it took."""
        return Taken(**json.loads(last_words(self.process)))


@contextmanager
def own_sink(rtt_ms: float = 0, cores: Sequence[int] = ()) -> Iterator[OwnSink]:
    """A sink in a process of its own, on the first of `cores` alone if there is one."""
    with child("mobilizer.bench.sink", "0", str(rtt_ms), environment=child_environment()) as process:
        for core in cores[:1]:
            machine.pin(process.pid, core)
        yield OwnSink(process, int(first_words(process)))


@contextmanager
def child(module: str, *arguments: str, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A module of ours in a session of its own: Ctrl-C reaches us alone, and we end it."""
    command = [sys.executable, "-m", module, *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - our own module
        command, env=environment, stdin=pipe, stdout=pipe, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def first_words(process: subprocess.Popen[str]) -> str:
    """The line by which a process says that it is ready."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise Broken("A process of the run did not start; what it said stands above.")
    return line


def last_words(process: subprocess.Popen[str]) -> str:
    """What a process said, once it has ended well."""
    said, _ = process.communicate()
    if process.returncode:
        raise Broken("A process of the run failed; what it said stands above.")
    return said
