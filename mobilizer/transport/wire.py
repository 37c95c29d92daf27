"""Transport: lines on a socket. Replies are read with every length and every wait bounded."""

from __future__ import annotations

import re
import socket
import ssl
import time
from dataclasses import dataclass

LONGEST_LINE = 1024  # RFC 5321 4.5.3.1.5 asks for 512; some relays talk more
MOST_LINES = 100
LONGEST_TEXT = 500  # what is kept of a reply

_REPLY = re.compile(rb"([2-5][0-9][0-9])([ -]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# A relay likes to repeat the address it refuses. It is kept sealed in our database, so never in a reply.
_ADDRESS = re.compile(r"<[^<>]*@[^<>]*>|[^\s<>()\[\]:;,]+@[^\s<>()\[\],;:]+")


class Lost(Exception):
    """The connection can't be used any more. `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, all its lines. `text` is one line, without addresses or control characters."""

    code: int
    text: str
    lines: tuple[str, ...]

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no."""
        return self.code // 100

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class Wire:
    """A socket that writes bytes and reads replies. Every method raises Lost, after closing the socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._buffer = b""
        self.closed = False

    def write(self, data: bytes, seconds: float) -> None:
        """Give all of `data` to the kernel. If it raises, the last byte of `data` never left."""
        try:
            self.socket.settimeout(seconds)
            self.socket.sendall(data)
        except TimeoutError:
            raise self.lost("the relay stopped taking our bytes") from None
        except OSError as error:
            raise self.lost(f"the connection broke: {error}") from None

    def read(self, seconds: float) -> Reply:
        """The next reply, which must be complete within `seconds`."""
        deadline = time.monotonic() + seconds
        lines: list[bytes] = []
        while True:
            line = self._line(deadline)
            found = _REPLY.match(line)
            if not found or (lines and line[:3] != lines[0][:3]):
                raise self.lost("the relay's answer is not SMTP")
            lines.append(line)
            if found[2] != b"-":
                return _reply(lines)
            if len(lines) == MOST_LINES:
                raise self.lost("the relay's answer has no end")

    def quiet(self) -> bool:
        """Whether the relay is still there and has said nothing we did not wait for. Never waits."""
        if self.closed or self._buffer:
            return False
        try:
            self.socket.settimeout(0)
            self._buffer = self.socket.recv(LONGEST_LINE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False

    def lost(self, reason: str) -> Lost:
        """Close, and the exception that says why."""
        self.close()
        return Lost(reason)

    def close(self) -> None:
        """Close the socket; again does nothing."""
        self.closed = True
        self.socket.close()

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n", 0, LONGEST_LINE)) < 0:
            if len(self._buffer) >= LONGEST_LINE:
                raise self.lost("the relay's answer has a line without end")
            self._buffer += self._more(deadline)
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")

    def _more(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self.lost("the relay did not answer in time")
        try:
            self.socket.settimeout(left)
            data = self.socket.recv(65536)
        except TimeoutError:
            raise self.lost("the relay did not answer in time") from None
        except OSError as error:
            raise self.lost(f"the connection broke: {error}") from None
        if not data:
            raise self.lost("the relay hung up")
        return data


def _reply(lines: list[bytes]) -> Reply:
    texts = tuple(_CONTROL.sub(" ", line[4:].decode("utf-8", "replace")).strip() for line in lines)
    # An enhanced status stands on each line of a reply: it is kept once.
    status = re.match(r"[245]\.\d{1,3}\.\d{1,3} ", texts[0])
    rest = [text.removeprefix(status[0]) if status else text for text in texts[1:]]
    text = _ADDRESS.sub("<address>", " ".join([texts[0], *rest]).strip())
    return Reply(int(lines[0][:3]), text[:LONGEST_TEXT], texts)
