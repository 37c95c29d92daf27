"""Transport: lines on a socket. Replies are read with every length and every wait bounded."""

from __future__ import annotations

import re
import socket
import ssl
import time
from contextlib import suppress

from mobilizer.transport.losses import Loss, Lost

LONGEST_LINE = 1024  # RFC 5321 4.5.3.1.5 asks for 512; some relays talk more
MOST_LINES = 100
LONGEST_TEXT = 500  # what is kept of a reply

_ONE_LINE = re.compile(rb"([2-5][0-9][0-9](?: [^\r\n]{0,1000})?)\r?\n")  # what nearly every reply is
_REPLY = re.compile(rb"([2-5][0-9][0-9])([ -]|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# A relay likes to repeat the address it refuses. It is kept sealed in our database, so never in a reply.
_ADDRESS = re.compile(r"<[^<>]*@[^<>]*>|[^\s<>()\[\]:;,]+@[^\s<>()\[\],;:]+")


class Reply:
    """One reply, all its lines; what it says in words is made out only when asked for."""

    __slots__ = ("_raw", "code")

    def __init__(self, raw: list[bytes]) -> None:
        self._raw = raw
        self.code = int(raw[0][:3])

    @property
    def kind(self) -> int:
        """The first digit: 2 done, 3 go on, 4 not now, 5 no."""
        return self.code // 100

    @property
    def lines(self) -> tuple[str, ...]:
        """The words of each line, without control characters."""
        return tuple([_words(line) for line in self._raw])

    @property
    def text(self) -> str:
        """All of it on one line, without addresses or control characters."""
        texts = self.lines
        # An enhanced status stands on each line of a reply: it is kept once.
        status = re.match(r"[245]\.\d{1,3}\.\d{1,3} ", texts[0]) if len(texts) > 1 else None
        rest = [text.removeprefix(status[0]) if status else text for text in texts[1:]]
        text = " ".join([texts[0], *rest]).strip()
        return (_ADDRESS.sub("<address>", text) if "@" in text else text)[:LONGEST_TEXT]

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


def _words(line: bytes) -> str:
    said = line[4:].decode("utf-8", "replace")
    return (said if said.isprintable() else _CONTROL.sub(" ", said)).strip()


class Wire:
    """A socket that writes bytes and reads replies, and waits for both. `trouble` says how it was lost, if it was."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.closed = False
        self.trouble: Lost | None = None
        self._heard = b""
        self._lines: list[bytes] = []  # of a reply whose last line has not come yet

    def write(self, data: bytes, seconds: float) -> None:
        """Give all of `data` to the kernel. Raises Lost; then the last byte of `data` never left, and what the relay
        had said before is still to be taken."""
        try:
            self.socket.settimeout(seconds)
            self.socket.sendall(data)
        except TimeoutError:
            raise self.unwritable(Loss.STUCK) from None
        except OSError as error:
            raise self.unwritable(Loss.BROKE, error) from None

    def read(self, seconds: float) -> Reply:
        """The next reply, which must be complete within `seconds`. Raises Lost."""
        until = time.monotonic() + seconds
        while (reply := self.next_reply()) is None:
            self.hear(until)
        return reply

    @property
    def silent(self) -> bool:
        """Whether it is open and nothing has come that was not taken yet."""
        return not (self.closed or self._heard or self._lines)

    def take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what has come as far as it matches, if it does: replies of which it is known how they mostly are."""
        found = None if self._lines else pattern.match(self._heard)
        if found:
            self._heard = self._heard[found.end() :]
        return found

    def next_reply(self) -> Reply | None:
        """Take the next reply if it has come as a whole. Raises Lost where what came is not SMTP or has no end, and
        where the connection is closed and nothing more can come."""
        if not self._lines and (found := _ONE_LINE.match(self._heard)):
            self._heard = self._heard[found.end() :]
            return Reply([found[1]])
        while (end := self._heard.find(b"\n", 0, LONGEST_LINE)) >= 0:
            line, self._heard = self._heard[:end].removesuffix(b"\r"), self._heard[end + 1 :]
            found = _REPLY.match(line)
            if not found or (self._lines and line[:3] != self._lines[0][:3]):
                raise self.lost(Loss.NOT_SMTP)
            self._lines.append(line)
            if found[2] != b"-":
                lines, self._lines = self._lines, []
                return Reply(lines)
            if len(self._lines) == MOST_LINES:
                raise self.lost(Loss.ENDLESS)
        if len(self._heard) >= LONGEST_LINE:
            raise self.lost(Loss.ENDLESS)
        if self.closed:
            raise self.trouble or Lost(Loss.BROKE)
        return None

    def hear(self, until: float) -> None:
        """Wait for something to come, to a moment of the monotonic clock. Where nothing does, the wire is closed and
        `next_reply` will say why."""
        left = until - time.monotonic()
        try:
            self.socket.settimeout(max(left, 0.001))
            data = self.socket.recv(65536)
        except TimeoutError:
            self.lost(Loss.SILENT)
        except OSError as error:
            self.lost(Loss.BROKE, error)
        else:
            self._heard += data
            if not data:
                self.lost(Loss.HUNG_UP)

    def quiet(self) -> bool:
        """Whether the relay is still there and has said nothing we did not wait for. Never waits."""
        if self.closed or self._heard:
            return False
        try:
            self.socket.settimeout(0)
            self._heard = self.socket.recv(LONGEST_LINE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            pass
        return False

    def unwritable(self, loss: Loss, error: OSError | None = None) -> Lost:
        """Close after a write that failed, and the exception that says why. First all that has come is heard: who
        breaks off has mostly said before what about."""
        with suppress(OSError):
            self.socket.settimeout(0)
            while len(self._heard) < LONGEST_LINE * MOST_LINES and (data := self.socket.recv(LONGEST_LINE)):
                self._heard += data
        return self.lost(loss, error)

    def lost(self, loss: Loss, error: OSError | None = None) -> Lost:
        """Close, and the exception that says why."""
        self.trouble = Lost(loss, (error.strerror or str(error)) if error else "")
        self.close()
        return self.trouble

    def close(self) -> None:
        """Close the socket; again does nothing."""
        self.closed = True
        self.socket.close()
