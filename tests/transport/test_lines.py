"""One line among many: what a relay nearly always says is taken at a look, and no wait or flood is without end."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from mobilizer.transport import talk, wire
from mobilizer.transport.greeting import Offers
from mobilizer.transport.lines import Errand, Line, Lines
from mobilizer.transport.outcomes import Accepted, Deferred, Ready, Trouble
from mobilizer.transport.relay import Relay, Timeouts
from mobilizer.transport.wire import Lost, Wire

TIMEOUTS = Timeouts(5, 5, 5)
CONTENT = b"Subject: hello\r\n\r\nhello\r\n"


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    """A line to a relay that pipelines, and the relay's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(Wire(ours), Offers({"PIPELINING": ""}), Relay("relay.test", 25), TIMEOUTS), theirs


def test_a_yes_to_the_envelope_and_one_to_the_content_are_each_taken_at_one_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[bool] = []
    take = Wire.take

    def counted(self: Wire, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        found = take(self, pattern)
        looks.append(found is not None)
        return found

    monkeypatch.setattr(wire.Wire, "take", counted)
    answers: list[object] = []
    parked: list[Line] = []

    def errand(line: Line) -> Errand:
        envelope = line.talk.envelope("us@example.org", "you@example.org")
        line.say(line.talk.opening(envelope))
        answers.append((yield from line.talk.answered(envelope)))
        parked.append(line)
        yield None
        line.hand(CONTENT)
        answers.append((yield from line.talk.replied()))

    def failed(trouble: Trouble) -> None:
        raise AssertionError(trouble)

    lines = Lines(TIMEOUTS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        lines.open(Relay("127.0.0.1", server.getsockname()[1], tls="none"), errand, failed)
        theirs, _ = server.accept()
        with theirs:
            theirs.sendall(b"220 hello\r\n")
            heard(theirs, b"EHLO")
            theirs.sendall(b"250-hello\r\n250 PIPELINING\r\n")
            until(lines, lambda: waits(theirs))
            heard(theirs, b"DATA\r\n")
            theirs.sendall(b"250 ok\r\n250 ok\r\n354 go on\r\n")
            until(lines, lambda: bool(parked))
            lines.resume(parked[0], True)
            heard(theirs, b"\r\n.\r\n")
            theirs.sendall(b"250 2.0.0 taken\r\n")
            until(lines, lambda: len(answers) == 2)
    lines.close()
    assert answers == [Ready(), Accepted("2.0.0 taken")]
    assert looks == [True, True]


def waits(sock: socket.socket) -> bool:
    """Whether something has come that was not read."""
    sock.setblocking(False)
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        sock.settimeout(10)


def heard(sock: socket.socket, words: bytes) -> None:
    """Read up to some words."""
    data = b""
    while words not in data:
        data += sock.recv(4096)


def until(lines: Lines, done: Callable[[], object]) -> None:
    """Let the lines work until something is true."""
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        lines.wait(0.05)


@pytest.mark.parametrize("question", ["answered", "replied"])
def test_who_is_woken_for_nothing_waits_no_longer_for_it(
    ends: tuple[Line, socket.socket], question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, _ = ends
    monkeypatch.setattr(talk, "monotonic", iter(range(1000)).__next__)
    asked = (
        line.talk.answered(line.talk.envelope("a@example.org", "b@example.org"))
        if question == "answered"
        else line.talk.replied()
    )
    moments = {next(asked) for _ in range(5)}
    assert len(moments) == 1


@pytest.mark.parametrize("listening", [True, False])
def test_a_relay_that_floods_an_encrypted_line_is_let_go(
    ends: tuple[Line, socket.socket], listening: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Flood:
        def recv(self, size: int) -> bytes:
            return b"x" * size

    line, _ = ends
    line.listening = listening
    monkeypatch.setattr(line, "_encrypted", True)
    monkeypatch.setattr(line, "socket", Flood())
    line.listen()
    monkeypatch.undo()
    with pytest.raises(Lost):
        line.next_reply()
    assert line.closed


def test_what_came_before_the_content_had_left_is_no_yes(
    ends: tuple[Line, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, theirs = ends
    monkeypatch.setattr(Line, "content_has_left", False)
    asked = line.talk.replied()
    next(asked)
    line.listening = True
    theirs.sendall(b"250 taken\r\n")
    line.listen()
    with pytest.raises(StopIteration) as end:
        next(asked)
    assert isinstance(end.value.value, Deferred)
    assert line.closed
