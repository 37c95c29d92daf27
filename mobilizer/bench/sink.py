"""Bench: the sink. An SMTP server in a process of its own that takes every message, counts it and forgets it.

`python -m mobilizer.bench.sink [PORT [RTT_MS]]` says its port on the first line, its figures as JSON on the last:
when its input ends or SIGTERM comes. It knows PIPELINING in any grouping, and can hold each reply back for a round
trip.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections import deque

HOST = "127.0.0.1"
CHUNK = 256 * 1024
IDLE_SECONDS = 0.5  # how long a SIGTERM may go unseen
GREETING = b"220 sink ESMTP\r\n"
EHLO = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
OK, GO, TAKEN, BYE = b"250 2.1.0 Ok\r\n", b"354 End with a dot\r\n", b"250 2.0.0 Ok: taken\r\n", b"221 2.0.0 Bye\r\n"
END = b"\r\n.\r\n"


class Dialogue:
    """One connection's side of the talk: bytes in, replies out. `rest` is what has come of a line or an end of data."""

    def __init__(self) -> None:
        self.messages = 0
        self.over = False
        self._in_content = False
        self._rest = b""

    def answer(self, data: bytes) -> bytes:
        """The replies to what has come in."""
        data = self._rest + data if self._rest else data
        replies: list[bytes] = []
        at = 0
        while not self.over:
            if self._in_content:
                # The line end of DATA is kept: a content may be empty.
                end = data.find(END, at)
                if end < 0:
                    self._rest = data[max(at, len(data) - len(END) + 1) :]
                    return b"".join(replies)
                at = end + len(END)
                self._in_content = False
                self.messages += 1
                replies.append(TAKEN)
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            replies.append(self._reply(data[at : at + 4].upper()))
            at = end if self._in_content else end + 2
        self._rest = data[at:]
        return b"".join(replies)

    def _reply(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self._in_content = True
            return GO
        if verb == b"EHLO":
            return EHLO
        self.over = verb == b"QUIT"
        return BYE if self.over else OK


class Sink:
    """The listening socket and its connections, in one loop."""

    def __init__(self, port: int = 0, rtt_ms: float = 0) -> None:
        self._listener = socket.create_server((HOST, port), backlog=1024)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._talks: list[Dialogue] = []
        self._space = memoryview(bytearray(CHUNK))  # one for all: no message is kept
        self._rtt = rtt_ms / 1000
        self._held: deque[tuple[float, socket.socket, bytes, bool]] = deque()
        self._ends = False
        self.port: int = self._listener.getsockname()[1]

    @property
    def messages(self) -> int:
        """How many it has taken."""
        return sum(talk.messages for talk in self._talks)

    def end(self, *_: object) -> None:
        """Leave the loop at the next turn."""
        self._ends = True

    def run(self, parent: int | None = None) -> None:
        """Serve until `end`, or until the file descriptor `parent` has nothing more to say."""
        if parent is not None:
            self._selector.register(parent, selectors.EVENT_READ, None)
        while not self._ends:
            self._turn()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                self._drop(key.fileobj)
        self._selector.close()

    def _turn(self) -> None:
        for key, _ in self._selector.select(self._patience()):
            if key.data is not None:
                self._read(key.fileobj, key.data)  # type: ignore[arg-type]
            elif key.fileobj is self._listener:
                self._accept()
            elif not os.read(key.fd, CHUNK):
                self._ends = True
        self._release()

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Dialogue()
        self._talks.append(talk)
        self._selector.register(connection, selectors.EVENT_READ, talk)
        self._say(connection, GREETING, False)

    def _read(self, connection: socket.socket, talk: Dialogue) -> None:
        try:
            size = connection.recv_into(self._space)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._drop(connection)
            return
        replies = talk.answer(bytes(self._space[:size]))
        if replies:
            self._say(connection, replies, talk.over)

    def _say(self, connection: socket.socket, replies: bytes, last: bool) -> None:
        if self._rtt:
            self._held.append((time.monotonic() + self._rtt, connection, replies, last))
        else:
            self._write(connection, replies, last)

    def _write(self, connection: socket.socket, replies: bytes, last: bool) -> None:
        try:
            connection.send(replies)  # a few lines always fit
        except OSError:
            last = True
        if last:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        if connection.fileno() >= 0:
            self._selector.unregister(connection)
            connection.close()

    def _patience(self) -> float:
        """How long to wait for input: selectors count in milliseconds and round up, so the last one is slept."""
        if not self._held:
            return IDLE_SECONDS
        left = self._held[0][0] - time.monotonic()
        if left < 0.001:
            time.sleep(max(left, 0))
            return 0
        return left - 0.001

    def _release(self) -> None:
        now = time.monotonic()
        while self._held and self._held[0][0] <= now:
            _, connection, replies, last = self._held.popleft()
            if connection.fileno() >= 0:
                self._write(connection, replies, last)


def main() -> None:
    """The process."""
    port, rtt_ms = [*sys.argv[1:], "0", "0"][:2]
    sink = Sink(int(port), float(rtt_ms))
    signal.signal(signal.SIGTERM, sink.end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who started it
    print(sink.port, flush=True)  # noqa: T201 - said to who started it
    sink.run(sys.stdin.fileno())
    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime
    print(json.dumps({"messages": sink.messages, "cpu_seconds": round(cpu, 3)}))  # noqa: T201


if __name__ == "__main__":
    main()
