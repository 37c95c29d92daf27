"""The bench's sink: it counts what came, however the bytes are grouped."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.bench.sink import BYE, EHLO, GO, OK, TAKEN, Dialogue, Sink

ENVELOPE = b"MAIL FROM:<b+1@example.org> SIZE=99\r\nRCPT TO:<a@example.org>\r\nDATA\r\n"
CONTENTS = (b"Subject: x\r\n\r\nDATA\r\nQUIT\r\n", b"", b"a\r\n.b\r\n.\r", b"\r\n\r\n", b"." * 30_000 + b"\r\n")
TALK = b"EHLO here\r\n" + b"".join(ENVELOPE + content + b"\r\n.\r\n" for content in CONTENTS) + b"QUIT\r\n"
REPLIES = EHLO + (OK + OK + GO + TAKEN) * len(CONTENTS) + BYE


@given(st.lists(st.integers(min_value=1, max_value=len(TALK)), max_size=60))
def test_the_same_talk_in_any_pieces_has_the_same_replies(cuts: list[int]) -> None:
    talk, edges = Dialogue(), [0, *sorted(cuts), len(TALK)]
    said = b"".join(talk.answer(TALK[a:b]) for a, b in pairwise(edges) if a < b)
    assert said == REPLIES
    assert talk.messages == len(CONTENTS)
    assert talk.over


def test_the_same_talk_byte_by_byte_has_the_same_replies() -> None:
    talk = Dialogue()
    assert b"".join(talk.answer(TALK[n : n + 1]) for n in range(len(TALK))) == REPLIES


def test_an_empty_content_is_a_message() -> None:
    talk = Dialogue()
    assert talk.answer(ENVELOPE + b".\r\n") == OK + OK + GO + TAKEN


@pytest.fixture
def far_sink() -> Iterator[Sink]:
    """A sink 30 ms away."""
    sink = Sink(rtt_ms=30)
    thread = threading.Thread(target=sink.run)
    thread.start()
    yield sink
    sink.end()
    thread.join()


def test_a_far_sink_holds_each_reply_back_and_keeps_their_order(far_sink: Sink) -> None:
    with socket.create_connection(("127.0.0.1", far_sink.port)) as connection:
        began = time.monotonic()
        connection.sendall(TALK)
        said = b""
        while got := connection.recv(4096):
            said += got
    assert said.endswith(REPLIES)
    assert time.monotonic() - began >= 0.03
    assert far_sink.messages == len(CONTENTS)
