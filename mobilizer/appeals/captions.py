"""Appeals: captions in WebVTT (W3C), read cue by cue, so that what is wrong is said with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mobilizer.problems import N_, Problem

MOST_SAID = 5  # problems at a time: one mistake is often made in every cue
_TIME = r"(?:(\d{2,4}):)?([0-5]\d):([0-5]\d)\.(\d{3})"
_TIMING = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?:\s+\S.*)?\s*")
_NOT_CUES = ("NOTE", "STYLE", "REGION")

Block = list[tuple[int, str]]  # the lines between two empty ones, each with its number from 1


def caption_problems(text: str) -> list[Problem]:
    """What is wrong with captions, the first few problems; `line` among the params counts from 1."""
    found: list[Problem] = []
    before = 0
    cues = [block for block in _blocks(text)[1:] if not block[0][1].startswith(_NOT_CUES)]
    for block in cues:
        begins, problem = _cue(block, before)
        before = max(before, begins)
        found += [problem] if problem else []
    if not cues:
        found = [_at("none", N_("Line %(line)d: there is not one cue here, a time with words beneath it."), 1)]
    return found[:MOST_SAID]


def _blocks(text: str) -> list[Block]:
    blocks: list[Block] = [[]]
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), start=1):
        if line.strip():
            blocks[-1].append((number, line))
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _cue(block: Block, before: int) -> tuple[int, Problem | None]:
    """When a cue begins, in milliseconds, and what is wrong with it."""
    # The first line may be the cue's own name.
    at = next((n for n, (_, line) in enumerate(block[:2]) if "-->" in line), None)
    if at is None:
        message = N_("Line %(line)d: a time like “00:01.000 --> 00:04.000” is missing before these words.")
        return before, _at("no_time", message, block[0][0])
    number, line = block[at]
    timing = _TIMING.fullmatch(line)
    if timing is None:
        message = N_("Line %(line)d: this is no time. Write it like “00:01.000 --> 00:04.000”, with a point.")
        return before, _at("bad_time", message, number)
    begins, ends = _moments(timing)
    if ends <= begins:
        return begins, _at("ends_early", N_("Line %(line)d: this cue ends before it begins."), number)
    if begins < before:
        return begins, _at("order", N_("Line %(line)d: this cue begins before the one above it."), number)
    if len(block) == at + 1:
        return begins, _at("no_words", N_("Line %(line)d: this cue has no words beneath its time."), number)
    return begins, None


def _moments(timing: re.Match[str]) -> Iterator[int]:
    for hours, minutes, seconds, rest in (timing.groups()[:4], timing.groups()[4:]):
        yield ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(rest)


def _at(code: str, message: str, line: int) -> Problem:
    return Problem(f"captions.{code}", message, {"line": line}, where="captions")
