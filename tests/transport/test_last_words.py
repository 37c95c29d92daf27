"""A relay that says why and closes while we still write: what it said counts, but no yes to half a content."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mobilizer.transport.greeting import Offers
from mobilizer.transport.lines import Errand, Line, Lines
from mobilizer.transport.losses import Loss
from mobilizer.transport.outcomes import Accepted, Deferred, Ready, Rejected, Stage, Trouble, Verdict
from mobilizer.transport.relay import Relay, Timeouts
from mobilizer.transport.smtp import Connection
from mobilizer.transport.talk import Final
from mobilizer.transport.wire import Lost, Wire
from tests.transport.test_protection import certificates, trusted  # noqa: F401 - fixtures

TIMEOUTS = Timeouts(10, 10, 10)
LONG = b"Subject: long\r\n\r\n" + b"Love always wins\r\n" * 1_000_000  # more than the kernels of both ends take in
TOO_BIG = b"552 5.3.4 too big\r\n"
SAID = {
    TOO_BIG: Rejected(552, "5.3.4 too big", Stage.CONTENT),
    b"421 4.3.2 closing\r\n": Deferred(421, "4.3.2 closing", Stage.CONTENT),
    b"552-5.3.4 too\r\n552 5.3.4 big\r\n421 closing\r\n": Rejected(552, "5.3.4 too big", Stage.CONTENT),
}
UNSAID = (b"250 2.0.0 taken\r\n", b"250-2.0.0 taken\r\n", b"354 go on\r\n", b"552 5.3.4 too", b"")

Send = Callable[[Relay, threading.Event], Final]


@contextmanager
def hasty(words: bytes, context: ssl.SSLContext | None = None) -> Iterator[tuple[Relay, threading.Event]]:
    """A relay that reads nothing of a content, says its words and resets the connection; the event is set then."""
    closed = threading.Event()

    def serve() -> None:
        sock, _ = server.accept()
        sock.settimeout(20)
        if context:
            sock = context.wrap_socket(sock, server_side=True)
        with sock:
            sock.sendall(b"220 hello\r\n")
            read(sock, b"\r\n")
            sock.sendall(b"250-hello\r\n250 PIPELINING\r\n")
            read(sock, b"DATA\r\n")
            sock.sendall(b"250 ok\r\n250 ok\r\n354 go on\r\n")
            time.sleep(0.2)  # for the content to be on its way
            sock.sendall(words)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        closed.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Relay("127.0.0.1", server.getsockname()[1], tls="tls" if context else "none"), closed
        thread.join(30)


def read(sock: socket.socket, words: bytes) -> None:
    data = b""
    while not data.endswith(words):
        data += sock.recv(1)


def over_a_connection(relay: Relay, closed: threading.Event) -> Final:
    connection = Connection.open(relay, TIMEOUTS)
    connection.offer("us@example.org", "you@example.org")
    assert connection.answer() == Ready()
    connection.hand(LONG)
    assert closed.wait(20)
    answer = connection.reply()
    assert not connection.usable
    return answer


def over_a_line(relay: Relay, closed: threading.Event) -> Final:
    """Nothing is looked at until the relay has closed: then the line can be written and read, and both fail."""
    answers: list[Final] = []
    parked: list[Line] = []

    def errand(line: Line) -> Errand:
        envelope = line.talk.envelope("us@example.org", "you@example.org")
        line.say(line.talk.opening(envelope))
        assert (yield from line.talk.answered(envelope)) == Ready()
        parked.append(line)
        yield None
        line.hand(LONG, b"MAIL FROM:<us@example.org>\r\n")
        answers.append((yield from line.talk.replied()))

    def failed(trouble: Trouble) -> None:
        raise AssertionError(trouble)

    lines = Lines(TIMEOUTS)
    lines.open(relay, errand, failed)
    wait_until(lines, lambda: parked)
    lines.resume(parked[0], True)
    assert closed.wait(20)
    wait_until(lines, lambda: answers)
    assert parked[0].closed
    lines.close()
    return answers[0]


def wait_until(lines: Lines, done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline
        lines.wait(0.05)


both_ways = pytest.mark.parametrize("send", [over_a_connection, over_a_line])


@both_ways
@pytest.mark.parametrize("words", SAID)
def test_what_a_relay_says_before_it_breaks_off_counts(send: Send, words: bytes) -> None:
    with hasty(words) as relay:
        assert send(*relay) == SAID[words]


@both_ways
@pytest.mark.parametrize("words", UNSAID)
def test_no_word_of_a_relay_makes_a_delivery_of_half_a_content(send: Send, words: bytes) -> None:
    with hasty(words) as relay:
        answer = send(*relay)
    assert isinstance(answer, Deferred)
    assert answer.unsaid
    assert answer.stage is Stage.CONTENT


@both_ways
@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("words", [TOO_BIG, UNSAID[0]])
def test_the_same_holds_where_it_is_encrypted(
    send: Send,
    words: bytes,
    certificates: dict[str, Path],  # noqa: F811
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates["good"])
    with hasty(words, context) as relay:
        answer = send(*relay)
    assert answer == SAID.get(words, answer)
    assert not isinstance(answer, Accepted)


def test_what_is_kept_of_a_reply_keeps_its_meaning() -> None:
    assert SAID[TOO_BIG].verdict is Verdict.POLICY


@pytest.fixture
def ends() -> Iterator[tuple[Line, socket.socket]]:
    """A line to a relay that pipelines, and the relay's end of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(Wire(ours), Offers({"PIPELINING": ""}), Relay("relay.test", 25), TIMEOUTS), theirs


def test_a_content_for_a_line_that_is_closed_has_not_left(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    theirs.sendall(b"250 2.0.0 taken\r\n")
    line.unwritable(Loss.BROKE)
    line.hand(b"Subject: x\r\n\r\n", b"MAIL FROM:<us@example.org>\r\n")
    line.say(b"RSET\r\n")
    assert not line.content_has_left
    with pytest.raises(StopIteration) as end:
        next(line.talk.replied())
    assert isinstance(end.value.value, Deferred)


def test_a_relay_that_floods_who_can_not_write_is_heard_to_an_end(ends: tuple[Line, socket.socket]) -> None:
    line, theirs = ends
    theirs.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            theirs.sendall(b"x" * 4096)
    line.unwritable(Loss.BROKE)
    with pytest.raises(Lost):
        line.next_reply()
    assert line.closed


def test_the_words_to_an_envelope_that_could_not_be_written_are_told() -> None:
    """A relay that is tired of us says so and closes; the next command meets a closed door."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        wire = Wire(ours)
        theirs.sendall(b"421 4.4.2 idle for too long\r\n")
        theirs.close()
        with pytest.raises(Lost) as lost:
            wire.write(b"MAIL FROM:<us@example.org>\r\n", 5)
        assert re.search("broke", lost.value.reason)
        assert str(wire.next_reply()) == "421 4.4.2 idle for too long"
