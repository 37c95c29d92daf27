"""Selftest: the relay. An SMTP server that takes mail, misbehaves as its plan says, and writes down what it took."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mobilizer.selftest.evidence import Line, Notebook, What
from mobilizer.selftest.faults import LOCK_STEP_EVERY, NOISE, PIECES_EVERY, Fault, FaultPlan, Stage, Then

HOST = "127.0.0.1"
HANG_SECONDS, HELD_SECONDS, SHUT_SECONDS = 60.0, 1.5, 0.3
FLOOD_LINES = 100_000
BIGGEST = 64 * 1024 * 1024
_NUMBER = re.compile(rb"\.(\d+)@")
_MESSAGE_ID = re.compile(rb"^Message-ID: *<([^>@]*)@", re.MULTILINE | re.IGNORECASE)


class Pace(Protocol):
    """How many messages a second are answered at most, all connections together; 0: as many as come."""

    value: float


@dataclass(slots=True)
class Desk:
    """What the sessions of one relay share."""

    plan: FaultPlan
    notebook: Notebook
    pace: Pace
    connections: int = 0
    shut: Callable[[], Awaitable[None]] | None = None
    _next: float = 0.0

    def note(self, fault: Fault, connection: int, number: int = 0) -> None:
        """Write down that a fault happens now."""
        self.plan.shown[fault.name] += 1
        self.notebook.write(Line(What.FAULT, connection, number, fault.name))

    async def turn(self) -> None:
        """Wait until the pace allows one more answer."""
        if self.pace.value > 0:
            now = asyncio.get_running_loop().time()
            self._next = max(self._next, now) + 1 / self.pace.value
            await asyncio.sleep(self._next - now)


class Gone(Exception):
    """The connection is over."""


class Session:
    """One connection: lines in, answers out, and now and then something else."""

    def __init__(self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        desk.connections += 1
        self._desk, self._reader, self._writer = desk, reader, writer
        self._id = desk.connections
        self._number, self._sender = 0, False
        self._fault: Fault | None = None
        self._may_be_claimed = False

    async def run(self) -> None:
        """Serve until one side ends it."""
        try:
            fault = self._desk.plan.connections.next()
            if fault:
                await self._misbehave(fault)
                raise Gone
            await self._say(b"220 selftest ESMTP\r\n")
            while True:
                await self._command(await self._reader.readuntil(b"\r\n"))
        except Gone:
            pass
        except (OSError, EOFError, asyncio.LimitOverrunError):
            if self._may_be_claimed:
                self._desk.notebook.write(Line(What.CUT, self._id))
        finally:
            self._writer.transport.abort()

    async def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            pipelining = b"" if self._id % LOCK_STEP_EVERY == 0 else b"250-PIPELINING\r\n"
            await self._say(b"250-selftest\r\n" + pipelining + b"250-SIZE %d\r\n250 8BITMIME\r\n" % BIGGEST)
        elif verb == b"MAIL":
            await self._mail()
        elif verb == b"RCPT":
            await self._rcpt(line)
        elif verb == b"DATA":
            await self._data()
        elif verb == b"QUIT":
            await self._say(b"221 bye\r\n")
            raise Gone
        else:
            self._forget()
            await self._say(b"250 2.0.0 so be it\r\n")

    async def _mail(self) -> None:
        self._forget()
        fault = self._desk.plan.senders.next()
        if fault:
            await self._misbehave(fault)
        else:
            self._sender = True
            await self._say(b"250 2.1.0 sender ok\r\n")

    async def _rcpt(self, line: bytes) -> None:
        found = _NUMBER.search(line)
        if not self._sender or not found:
            await self._say(b"503 5.5.1 no sender, or a stranger\r\n")
            return
        number = int(found[1])
        self._fault = self._desk.plan.messages.next()
        if self._fault and self._fault.stage is Stage.RCPT:
            await self._misbehave(self._fault, number)
        else:
            self._number = number
            await self._say(b"250 2.1.5 recipient ok\r\n")

    async def _data(self) -> None:
        if not self._number:
            await self._say(b"503 5.5.1 no recipient\r\n")
        elif self._fault and self._fault.stage is Stage.DATA:
            fault, number = self._fault, self._number
            self._forget()
            await self._misbehave(fault, number)
        else:
            self._may_be_claimed = True
            await self._say(b"354 go on\r\n")
            await self._content()
            self._forget()

    async def _content(self) -> None:
        fault, number = self._fault, self._number
        if fault and fault.stage is Stage.CONTENT:
            await self._reader.readexactly(200)
            await self._misbehave(fault, number)
        content = await self._reader.readuntil(b"\r\n.\r\n")
        found = _MESSAGE_ID.search(content)
        kept = fault is None or (fault.keeps and not fault.refuses)
        name = fault.name if fault else ""
        message_id = found[1].decode("ascii", "replace") if found else ""
        self._desk.notebook.write(Line(What.CONTENT, self._id, number, name, message_id, kept))
        if fault:
            await self._misbehave(fault, number)
            if fault.then is not Then.HOLD:
                return
        await self._desk.turn()
        if not self._writer.is_closing() and not self._reader.at_eof():
            self._desk.notebook.write(Line(What.ANSWER, self._id, number))
            await self._say(b"250 2.0.0 taken\r\n")

    async def _misbehave(self, fault: Fault, number: int = 0) -> None:
        """Do what the fault is. Raises Gone where the connection is over by it."""
        self._desk.note(fault, self._id, number)
        if fault.refuses and number:
            self._desk.notebook.write(Line(What.REFUSAL, self._id, number, fault.name))
        if fault.says:
            await self._say(fault.says)
        if fault.then is Then.SHUT and self._desk.shut:
            await self._desk.shut()
        elif fault.then is Then.HANG:
            await self._wait_for_the_end()
        elif fault.then is Then.FLOOD:
            for _ in range(FLOOD_LINES):
                await self._say(fault.says)
        elif fault.then is Then.HOLD:
            await asyncio.sleep(HELD_SECONDS)
        if fault.then not in (Then.GO_ON, Then.HOLD):
            raise Gone

    async def _wait_for_the_end(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANG_SECONDS):
                while await self._reader.read(65536):
                    pass

    async def _say(self, words: bytes) -> None:
        half = len(words) // 2 if self._id % PIECES_EVERY == 0 else 0
        if half:
            self._writer.write(words[:half])
            await asyncio.sleep(0.002)
        self._writer.write(words[half:])
        await self._writer.drain()

    def _forget(self) -> None:
        self._number, self._sender, self._fault = 0, False, None


class Front:
    """A port that misbehaves before any message: with STARTTLS or with signing in, in a different way each time."""

    def __init__(self, notebook: Notebook, offer: bytes, verb: bytes, ways: tuple[tuple[str, bytes], ...]) -> None:
        self._notebook, self._offer, self._verb, self._ways = notebook, offer, verb, ways
        self._connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. It takes a message from nobody."""
        name, answer = self._ways[self._connections % len(self._ways)]
        self._connections += 1
        self._notebook.write(Line(What.FAULT, 0, fault=name))
        offer = self._offer if answer else b""
        said = {b"EHLO": b"250-selftest\r\n" + offer + b"250 8BITMIME\r\n", self._verb: answer, b"QUIT": b"221 bye\r\n"}
        with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
            writer.write(b"220 selftest ESMTP\r\n")
            while True:
                line = await reader.readuntil(b"\r\n")
                writer.write(said.get(line[:4].upper(), b"530 5.7.0 not like this\r\n"))
                await writer.drain()
        writer.transport.abort()


STARTTLS_WAYS = (
    ("starttls.broken", b"220 shake hands\r\n" + NOISE),
    ("starttls.refused", b"454 4.7.0 not available\r\n"),
    ("starttls.missing", b""),
)
AUTH_WAYS = (
    ("auth.later", b"454 4.7.0 temporary failure\r\n"),
    ("auth.missing", b""),
    ("auth.refused", b"535 5.7.8 wrong name or password\r\n"),
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the relay listens: the faulty one, the one whose STARTTLS fails, the one whose sign-in fails."""

    mail: int
    starttls: int
    auth: int


def run(seed: int, people: int, notebook: Path, pace: Pace, tell: Callable[[Ports], object]) -> None:
    """Serve until the process is ended; `tell` hears the ports once they are open."""
    asyncio.run(_serve(Desk(FaultPlan(seed, people), Notebook(notebook), pace), tell))


async def _serve(desk: Desk, tell: Callable[[Ports], object]) -> None:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Session(desk, reader, writer).run()

    starttls = Front(desk.notebook, b"250-STARTTLS\r\n", b"STAR", STARTTLS_WAYS)
    auth = Front(desk.notebook, b"250-AUTH PLAIN\r\n", b"AUTH", AUTH_WAYS)
    fronts = [await asyncio.start_server(front.serve, HOST, 0) for front in (starttls, auth)]
    door = await asyncio.start_server(session, HOST, 0, limit=BIGGEST)
    port = _port(door)

    async def shut() -> None:
        """Let nobody in for a moment; who is inside stays."""
        nonlocal door
        door.close()
        await asyncio.sleep(SHUT_SECONDS)
        if not door.is_serving():
            door = await asyncio.start_server(session, HOST, port, limit=BIGGEST)

    # A relay that fails in a way that nobody planned proves nothing: it ends, and the test with it.
    asyncio.get_running_loop().set_exception_handler(_give_up)
    desk.shut = shut
    tell(Ports(port, *(_port(front) for front in fronts)))
    await asyncio.Event().wait()


def _give_up(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    loop.default_exception_handler(context)
    os._exit(1)


def _port(server: asyncio.Server) -> int:
    found: int = server.sockets[0].getsockname()[1]
    return found
