"""Hosts to cut off: process trees with a home, a name and, where root may make one, a network namespace of their own.

All that a host reaches goes through gates of ours, so that its cable can be pulled without touching anything else.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mobilizer.demo.children import Child
from mobilizer.selftest.crew import process_of

HERE = "127.0.0.1"
NET = "10.213"

Target = str | tuple[str, int]


class Gate:
    """A way to one server. While it is cut it swallows what comes, both ways, and keeps every connection."""

    def __init__(self, address: str, target: Target) -> None:
        self._target = target
        self._listener = socket.create_server((address, 0))
        self._open = threading.Event()
        self._open.set()
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def cut(self) -> None:
        """Let nothing through."""
        self._open.clear()

    def heal(self) -> None:
        """Let all through again, what was held first."""
        self._open.set()

    def close(self) -> None:
        """Take no more connections, and end those that there are."""
        self._open.set()
        for end in (self._listener, *self._ends):
            _end(end)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._start(self._join, client)

    def _start(self, work: Callable[..., None], *arguments: socket.socket) -> threading.Thread:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _join(self, client: socket.socket) -> None:
        self._open.wait()
        with client, socket.socket(socket.AF_UNIX if isinstance(self._target, str) else socket.AF_INET) as server:
            self._ends += [client, server]
            with contextlib.suppress(OSError):
                server.connect(self._target)
                back = self._start(self._carry, server, client)
                self._carry(client, server)
                back.join()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                self._open.wait()
                other.sendall(data)
        for end in (one, other):
            _end(end)


def _end(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class Place:
    """Where a host lives: the address of its gates, what its commands start with, the cable that can be pulled."""

    name: str
    address: str = HERE
    start_with: tuple[str, ...] = ()
    cable: str = ""


@dataclass(slots=True)
class Host:
    """One machine: a worker and a reconciler, and the gates to all that they reach."""

    place: Place
    gates: list[Gate]
    children: list[Child]

    def start(self) -> None:
        """Begin to work."""
        for child in self.children:
            child.start()

    def owns(self, owner: str) -> bool:
        """Whether the process that a lease names is one of this host's."""
        return process_of(owner) in self._processes()

    def cut(self) -> None:
        """Pull the cable."""
        if self.place.cable:
            _ip("link", "set", self.place.cable, "down")
        else:
            for gate in self.gates:
                gate.cut()

    def heal(self) -> None:
        """Put it back."""
        if self.place.cable:
            _ip("link", "set", self.place.cable, "up")
        else:
            for gate in self.gates:
                gate.heal()

    def signal(self, number: signal.Signals) -> None:
        """Tell every process of it, work horses too."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _processes(self) -> set[int]:
        leaders = {child.pid for child in self.children}
        found = set()
        for path in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(int(path.name)) in leaders:
                    found.add(int(path.name))
        return found


def namespaces_are_possible() -> bool:
    """Whether this user may make network namespaces here."""
    if os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("unshare"):
        return False
    name = f"mob{secrets.token_hex(3)}"
    try:
        with namespace(name):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


@contextmanager
def places_of(hosts: str) -> Iterator[Sequence[Place]]:
    names = ("host-a", "host-b")
    if hosts != "namespaces":
        yield [Place(name) for name in names]
        return
    run = secrets.token_hex(3)
    with ExitStack() as stack:
        yield [stack.enter_context(namespace(f"mob{run}{n}", name)) for n, name in enumerate(names)]


@contextmanager
def namespace(space: str, name: str = "host") -> Iterator[Place]:
    """A network namespace with one cable to us, and a host name of its own."""
    cable, net = f"v{space}", _free_net()
    _ip("netns", "add", space)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("addr", "add", f"{net}.1/30", "dev", cable)
        _ip("link", "set", cable, "up")
        for command in (
            ("addr", "add", f"{net}.2/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _ip("-n", space, *command)
        named = ("unshare", "--uts", "sh", "-c", 'hostname "$0"; exec "$@"', name)
        yield Place(name, f"{net}.1", ("ip", "netns", "exec", space, *named), cable)
    finally:
        _ip("netns", "del", space)


def _free_net() -> str:
    """The first three numbers of a network that no other run has here, or left behind."""
    taken = _ip("-o", "-4", "addr", "show")
    free = [net for net in (f"{NET}.{number}" for number in range(256)) if f"{net}." not in taken]
    return secrets.choice(free)


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], check=True, capture_output=True, text=True)  # noqa: S603, S607
    return done.stdout
