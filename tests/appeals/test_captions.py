"""Captions: each mistake is said with its line."""

from __future__ import annotations

import pytest

from mobilizer.appeals.captions import MOST_SAID, caption_problems

GOOD = """WEBVTT - the film

NOTE
not a cue

STYLE
::cue { color: white }

intro
00:01.000 --> 00:02.500 align:start
<v Ana>Love always wins.

00:59:59.000 --> 01:00:01.000
It does.
"""


def test_captions_in_order_have_no_problem() -> None:
    assert caption_problems(GOOD) == []
    assert caption_problems(GOOD.replace("\n", "\r\n")) == []


@pytest.mark.parametrize(
    ("cue", "code", "line"),
    [
        ("00:01,000 --> 00:02,000\nHi", "bad_time", 3),
        ("1\n00:61.000 --> 01:02.000\nHi", "bad_time", 4),
        ("Hi there\nand there", "no_time", 3),
        ("00:02.000 --> 00:01.000\nHi", "ends_early", 3),
        ("1" * 5000 + ":00:02.000 --> 00:03.000\nHi", "bad_time", 3),
        ("00:05.000 --> 00:06.000\nHi\n\n00:01.000 --> 00:02.000\nYou", "order", 6),
        ("00:01.000 --> 00:02.000", "no_words", 3),
        ("NOTE nothing else", "none", 1),
    ],
)
def test_a_mistake_is_said_with_its_line(cue: str, code: str, line: int) -> None:
    (found,) = caption_problems(f"WEBVTT\n\n{cue}\n")
    assert (found.code, found.params["line"]) == (f"captions.{code}", line)
    assert found.text().startswith(f"Line {line}:")


def test_a_mistake_in_every_cue_is_said_a_few_times() -> None:
    assert len(caption_problems("WEBVTT\n\n" + "00:01,000 --> 00:02,000\nHi\n\n" * 50)) == MOST_SAID
