"""Message: transfer encodings (RFC 2045). Fixed words are encoded once, slots a member at a time.

What comes out is ASCII with CRLF and lines of at most 76, needs no dot-stuffing, and is a fixed point of DKIM's
relaxed body canonicalisation (RFC 6376, 3.4.4), so that it can be hashed as it is.

Quoted-printable: each segment starts and ends at column 0, soft breaks stand round every slot.
Base64: three bytes make four characters, so what follows a value depends on its length modulo 3. Each fixed segment is
kept encoded for all three cases; a value borrows up to two bytes from the segment behind it and lines are just shorter
there. Which of the two a part gets is a matter of size: Arabic and Cyrillic triple in quoted-printable.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from mobilizer.message.pieces import Line, Slot

WIDTH = 75  # and one for the “=” of a soft break
BASE64_BYTES = 57  # that make a line of 76
SHORT = 24  # a fixed segment below this is not worth three copies
SAFE_FIRST = {ord("."): b"=2E", ord("F"): b"=46"}  # dot-stuffing; "From " that an old relay would quote

_UNSAFE = re.compile(rb"[^!-<>-~ ]|(?<= ) | $")
_PLAIN = re.compile(r"[a-z0-9ABCDEG-Z/:_-][A-Za-z0-9/:_.-]{0,74}")

Lookup = Callable[[Slot], str]


class Part(Protocol):
    """A part of the message, ready to be filled."""

    @property
    def name(self) -> str:
        """The encoding, as Content-Transfer-Encoding names it."""

    def encode(self, value_of: Lookup) -> list[bytes]:
        """The part's lines with a member's values."""


def part(line: Line) -> Part:
    """The smaller of the two encodings of a line of text."""
    fixed = "".join(piece for piece in line if isinstance(piece, str))
    in_base64 = len(fixed.encode()) * 4 / 3 * 78 / 76
    return _quoted(line) if len(quote(fixed)) <= in_base64 else _base64(line)


def quote(text: str, *, last: bool = False) -> bytes:
    """Quoted-printable from column 0 to column 0; with `last`, no soft break at the end. Line ends are LF."""
    *lines, tail = text.split("\n")
    hard = b"".join(_quoted_line(line) + b"\r\n" for line in lines)
    if not tail:
        return hard
    return hard + _quoted_line(tail) + (b"" if last else b"=\r\n")


def quote_value(value: str) -> bytes:
    """Quoted-printable of a value without line ends; most are tokens and need no more than a soft break."""
    if _PLAIN.fullmatch(value):
        return value.encode() + b"=\r\n"
    return quote(value)


def _quoted_line(line: str) -> bytes:
    rest = _UNSAFE.sub(lambda match: b"=%02X" % ord(match.group()), line.encode())
    chunks = []
    while rest:
        rest = SAFE_FIRST.get(rest[0], rest[:1]) + rest[1:]
        cut = len(rest) if len(rest) <= WIDTH else WIDTH
        if cut < len(rest) and (at := rest.rfind(b"=", cut - 2, cut)) >= 0:
            cut = at
        chunks.append(rest[:cut])
        rest = rest[cut:]
    return b"=\r\n".join(chunks)


@dataclass(frozen=True, slots=True)
class _QuotedPart:
    """Encoded segments with gaps; a gap is a place in `segments` and which of `slots` goes there."""

    segments: list[bytes]
    gaps: Sequence[tuple[int, int]]
    slots: Sequence[Slot]
    name: str = "quoted-printable"

    def encode(self, value_of: Lookup) -> list[bytes]:
        values = [quote_value(value_of(slot)) for slot in self.slots]
        lines = self.segments.copy()
        for place, slot in self.gaps:
            lines[place] = values[slot]
        return lines


def _quoted(line: Line) -> _QuotedPart:
    last = len(line) - 1
    slots = list(dict.fromkeys(piece for piece in line if not isinstance(piece, str)))
    gaps = [(place, slots.index(piece)) for place, piece in enumerate(line) if not isinstance(piece, str)]
    segments = [quote(piece, last=at == last) if isinstance(piece, str) else b"" for at, piece in enumerate(line)]
    return _QuotedPart([*segments, b"\r\n"], gaps, slots)


@dataclass(frozen=True, slots=True)
class _Segment:
    """Fixed bytes behind a run of values, encoded for 0, 1 and 2 bytes borrowed; `rests` are what is left over."""

    run: Sequence[bytes | Slot]
    lent: tuple[bytes, bytes, bytes]
    encoded: tuple[bytes, bytes, bytes]
    rests: tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Base64Part:
    segments: Sequence[_Segment]
    tail: Sequence[bytes | Slot]
    name: str = "base64"

    def encode(self, value_of: Lookup) -> list[bytes]:
        lines, carried = [], b""
        for segment in self.segments:
            values = carried + _bytes(segment.run, value_of)
            borrowed = -len(values) % 3
            lines += [base64_lines(values + segment.lent[borrowed]), segment.encoded[borrowed]]
            carried = segment.rests[borrowed]
        return [*lines, base64_lines(carried + _bytes(self.tail, value_of))]


def base64_lines(data: bytes) -> bytes:
    """Base64 from column 0 to column 0, in lines of at most 76."""
    if len(data) <= BASE64_BYTES:
        return b2a_base64(data, newline=False) + b"\r\n" if data else b""
    whole = b2a_base64(data, newline=False)
    return b"\r\n".join([whole[at : at + 76] for at in range(0, len(whole), 76)]) + b"\r\n"


def _bytes(run: Sequence[bytes | Slot], value_of: Lookup) -> bytes:
    return b"".join([piece if isinstance(piece, bytes) else value_of(piece).encode() for piece in run])


def _base64(line: Line) -> _Base64Part:
    segments: list[_Segment] = []
    run: list[bytes | Slot] = []
    for piece in line:
        data = piece.replace("\n", "\r\n").encode() if isinstance(piece, str) else piece
        if isinstance(data, bytes) and len(data) >= SHORT:
            segments.append(_segment(run, data))
            run = []
        else:
            run.append(data)
    return _Base64Part(segments, run)


def _segment(run: list[bytes | Slot], data: bytes) -> _Segment:
    lent = data[:0], data[:1], data[:2]
    whole = [len(data) - (len(data) - n) % 3 for n in range(3)]
    encoded = [base64_lines(data[n : whole[n]]) for n in range(3)]
    rests = [data[whole[n] :] for n in range(3)]
    return _Segment(run, lent, (encoded[0], encoded[1], encoded[2]), (rests[0], rests[1], rests[2]))
