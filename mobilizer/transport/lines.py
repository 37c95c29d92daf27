"""Transport: many connections at once. Each is carried by an errand, and none waits for another.

An errand is a generator over one line. It yields the moment until which it waits for something to come, and goes on
when it has; or it yields None and is parked until `resume` sends it a word.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any

from mobilizer.transport.greeting import Offers, greet
from mobilizer.transport.losses import Loss
from mobilizer.transport.outcomes import Trouble
from mobilizer.transport.relay import Relay, Timeouts
from mobilizer.transport.talk import Talk
from mobilizer.transport.wire import LONGEST_LINE, MOST_LINES, Wire

SEND_BUFFER = 256 * 1024  # bytes: room for a whole message, so that it mostly leaves in one write
MOUTHFUL = 4096  # bytes taken at a time: replies are short
_BOTH = selectors.EVENT_READ | selectors.EVENT_WRITE
LATE_SECONDS = 1.0  # how often deadlines are looked at

Errand = Generator[float | None, Any, None]  # is sent a bool where it was parked
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line(Wire):
    """A greeted connection that never waits: what can't leave at once is kept, and leaves when it can."""

    def __init__(self, wire: Wire, offers: Offers, relay: Relay, timeouts: Timeouts) -> None:
        super().__init__(wire.socket)
        self.relay = relay
        self.talk = Talk(self, offers, timeouts)
        self.errand: Errand
        self.deadline = inf
        self.listening = False
        self.watched = 0  # the selector's events that it is registered for
        self._encrypted = isinstance(wire.socket, ssl.SSLSocket)
        self._unsent = memoryview(b"")
        self._behind = 0  # bytes that follow the content that was last handed over
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.socket.setblocking(False)

    @property
    def backlog(self) -> bool:
        """Whether bytes wait to leave."""
        return bool(self._unsent)

    @property
    def content_has_left(self) -> bool:
        """Whether the last byte of the content that was last handed over has left this machine."""
        return len(self._unsent) <= self._behind

    def say(self, data: bytes) -> None:
        """Write commands."""
        self._behind += len(data)
        self._put(data)

    def hand(self, content: bytes, following: bytes = b"") -> None:
        """Write a content, the dot that ends it, and in the same write the commands that follow (RFC 2920).

        The content must be as it goes on the wire: CRLF lines, the last one ended, no line that begins with a dot.
        """
        self._behind = len(following)
        parts = (content, b".\r\n" + following)
        if self._encrypted or self._unsent or self.closed:
            self._put(b"".join(parts))
        else:
            self._send(parts)

    def close(self) -> None:
        """Say and hear no more. Lines closes the socket, once the selector has let go of it."""
        self.closed = True

    hang_up = close

    def send_backlog(self) -> None:
        """Write what can be written of what waits."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except _AGAIN:
            pass
        except OSError as error:
            self.unwritable(Loss.BROKE, error)

    def listen(self) -> None:
        """Take in what has come. Where the relay is gone, the line is closed once all it said is heard."""
        try:
            data = self.socket.recv(MOUTHFUL)
            while data and self._encrypted and self.listening and len(self._heard) < LONGEST_LINE * MOST_LINES:
                # Its last bytes may lie decrypted already, where no selector sees them.
                self._heard += data
                data = self.socket.recv(MOUTHFUL)
        except _AGAIN:
            return
        except OSError as error:
            self.lost(Loss.BROKE, error)
            return
        if not data:
            self.lost(Loss.HUNG_UP)
        elif not self.listening:
            self.lost(Loss.UNASKED)
        self._heard += data

    def _send(self, parts: tuple[bytes, bytes]) -> None:
        """Write both as one, without putting them together first: it would copy every message once more."""
        try:
            sent = self.socket.sendmsg(parts)
        except _AGAIN:
            sent = 0
        except OSError as error:
            sent = 0
            self.unwritable(Loss.BROKE, error)
        if sent < len(parts[0]) + len(parts[1]):
            self._unsent = memoryview(b"".join(parts))[sent:]

    def _put(self, data: bytes) -> None:
        if self._unsent:
            data = bytes(self._unsent) + data
        self._unsent = memoryview(data)
        if not self.closed:
            self.send_backlog()


class Lines:
    """Every open line of one process, and those that are being greeted."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._selector = selectors.DefaultSelector()
        self._open: set[Line] = set()
        self._arrivals: deque[partial[None]] = deque()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._looked = time.monotonic()
        self._over = False

    def open(self, relay: Relay, run: Callable[[Line], Errand], failed: Callable[[Trouble], None]) -> None:
        """Greet a relay in the background; then `run` makes the errand of its line, or `failed` hears the trouble."""

        def arrive(wire: Wire, offers: Offers) -> None:
            self._start(Line(wire, offers, relay, self._timeouts), run)

        def greeting() -> None:
            try:
                greeted = greet(relay, self._timeouts)
            except Trouble as trouble:
                self._arrivals.append(partial(failed, trouble))
            else:
                self._arrivals.append(partial(arrive, *greeted))
                if self._over:
                    greeted[0].close()
            with suppress(OSError):  # it rings already, or nobody is there any more
                self._bell.send(b"!")

        threading.Thread(target=greeting, name=f"greeting {relay.host}", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Wait for anything to happen, for at most so long, and let the errands that it concerns go on."""
        for key, mask in self._selector.select(seconds):
            line: Line | None = key.data
            if line is None:
                self._welcome()
                continue
            if mask & selectors.EVENT_WRITE:
                line.send_backlog()
            if mask & selectors.EVENT_READ and not line.closed:
                line.listen()
            self._attend(line)
        self._give_up_the_late()

    def resume(self, line: Line, word: bool) -> None:
        """Let a parked errand go on with a word."""
        self._step(line, word)

    def listen(self, parked: Iterable[Line]) -> None:
        """Hear what has come by now on lines that are parked: `silent` then says who neither spoke nor hung up."""
        parked = set(parked)
        for key, mask in self._selector.select(0):
            if key.data in parked and mask & selectors.EVENT_READ:
                key.data.listen()

    def close(self) -> None:
        """Say goodbye where nothing is under way, and close everything. Never raises, hardly waits."""
        self._over = True
        for line in list(self._open):
            parked = not line.listening
            line.errand.close()
            if parked and line.silent and not line.backlog:
                line.say(b"QUIT\r\n")
            self._drop(line)
        for arrival in self._arrivals:
            for wire in (argument for argument in arrival.args if isinstance(argument, Wire)):
                wire.close()
        self._selector.close()
        self._bell.close()
        self._ear.close()

    def _welcome(self) -> None:
        self._ear.recv(4096)
        while self._arrivals:
            self._arrivals.popleft()()

    def _start(self, line: Line, run: Callable[[Line], Errand]) -> None:
        self._open.add(line)
        line.errand = run(line)
        self._step(line, None)

    def _attend(self, line: Line) -> None:
        """Let the errand go on if it waits for what may have come; else only see what is to be watched for now."""
        if line.listening:
            self._step(line, None)
        else:
            self._watch(line)

    def _step(self, line: Line, word: bool | None) -> None:
        """Let the errand go on, until it waits again; it takes all that has come by itself."""
        try:
            until = line.errand.send(word)
        except StopIteration:
            self._drop(line)
            return
        line.listening = until is not None
        line.deadline = inf if until is None else until
        self._watch(line)

    def _watch(self, line: Line) -> None:
        """Register for the events that concern the line as it is now; none where it is closed."""
        events = 0 if line.closed else _BOTH if line.backlog else selectors.EVENT_READ
        if events == line.watched:
            return
        if not line.watched:
            self._selector.register(line.socket, events, line)
        elif events:
            self._selector.modify(line.socket, events, line)
        else:
            self._selector.unregister(line.socket)
            line.socket.close()
        line.watched = events

    def _drop(self, line: Line) -> None:
        self._open.discard(line)
        line.listening = False
        line.close()
        if line.watched:
            self._watch(line)
        else:
            line.socket.close()

    def _give_up_the_late(self) -> None:
        now = time.monotonic()
        if now - self._looked < LATE_SECONDS:
            return
        self._looked = now
        for line in [line for line in self._open if line.deadline < now]:
            line.listen()  # it may have answered long ago, and this process not been running
            self._attend(line)
            if line.deadline < now:
                line.lost(Loss.SILENT)
                self._attend(line)
