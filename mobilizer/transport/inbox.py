"""Transport: the built-in inbox. Takes whatever comes over loopback SMTP and keeps it, for trying out and for tests."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from types import TracebackType
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from mobilizer.transport.kept import FILE, Arrived, Inbox, keep, opened
from mobilizer.transport.reading import language_of, subject_of
from mobilizer.transport.relay import is_loopback

__all__ = ["Arrived", "Inbox", "Sink", "serve"]

_STARTED_SECONDS = 10


def serve(folder: Path, host: str = "127.0.0.1", port: int = 0) -> Sink:
    """Listen in a thread of its own and keep what arrives in `folder`; port 0 takes a free one.

    Raises ValueError for a host that is not this machine, OSError where the port is taken.
    """
    if not is_loopback(host):
        raise ValueError(f"The inbox listens on this machine only, not on {host}; use 127.0.0.1 or ::1.")
    folder.mkdir(parents=True, exist_ok=True)
    sink = Sink(folder, host, port)
    sink.start()
    return sink


class Sink:
    """A listening inbox. `port` is the one it listens on; `stop()` ends it, kept mail stays."""

    def __init__(self, folder: Path, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._path = folder / FILE
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="inbox", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Return once the port is open."""
        self._thread.start()
        self._started.wait(_STARTED_SECONDS)
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """Close the port and end the thread; again does nothing."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stop()

    def _run(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._loop.close)
            try:
                connection = stack.enter_context(opened(self._path))
                self._listen(_Keeper(connection))
            except (OSError, sqlite3.Error) as failure:
                self._failure = failure
                return
            finally:
                self._started.set()
            self._loop.run_forever()
            self._wind_up()

    def _listen(self, keeper: _Keeper) -> None:
        def protocol() -> SMTP:
            return SMTP(
                keeper, hostname="inbox.localhost", ident="Mobilizer inbox", enable_SMTPUTF8=True, loop=self._loop
            )

        self._server = self._loop.run_until_complete(self._loop.create_server(protocol, self.host, self.port))
        self.port = self._server.sockets[0].getsockname()[1]

    def _wind_up(self) -> None:
        self._server.close()
        self._loop.run_until_complete(_end(asyncio.all_tasks(self._loop)))


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Keeper:
    """Answers for the sink: a message gets its 250 once it is in the file. What arrives together is kept together."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: list[tuple[list[Arrived], asyncio.Future[None]]] = []

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._keep)
        self._waiting.append((list(_arrivals(envelope)), kept))
        await kept
        return "250 2.0.0 It is in the inbox"

    def _keep(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            keep(self._connection, [message for messages, _ in waiting for message in messages])
        except sqlite3.Error as error:
            for _, kept in waiting:
                kept.set_exception(error)
        else:
            for _, kept in waiting:
                kept.set_result(None)


def _arrivals(envelope: Envelope) -> Iterator[Arrived]:
    raw: Any = envelope.content
    parsed = message_from_bytes(raw)
    now, subject, language = datetime.now(UTC), subject_of(parsed), language_of(parsed)
    for recipient in envelope.rcpt_tos:
        yield Arrived(0, now, recipient, envelope.mail_from or "", subject, language, len(raw), raw)
