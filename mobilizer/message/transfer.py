"""Message: transfer encodings (RFC 2045). Fixed words are encoded once, slots a member at a time.

What comes out is ASCII with CRLF and lines of at most 76, needs no dot-stuffing, and is a fixed point of DKIM's
relaxed body canonicalisation (RFC 6376, 3.4.4), so that it can be hashed as it is.

Quoted-printable: each segment starts and ends at column 0, soft breaks stand round every slot.
Base64: three bytes make four characters, so what follows a value depends on its length modulo 3. Each fixed segment is
kept encoded for all three cases; a value borrows up to two bytes from the segment behind it and lines are just shorter
there. The lengths of all values modulo 3 are a shape, and where everything goes is worked out once for each.
Which of the two a part gets is a matter of size: Arabic and Cyrillic triple in quoted-printable.
"""

from __future__ import annotations

import re
from binascii import b2a_base64, b2a_qp
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import ClassVar, Protocol

from mobilizer.message.content import Tokens
from mobilizer.message.pieces import Places

WIDTH = 75  # and one for the “=” of a soft break
BASE64_BYTES = 57  # that make a line of 76
SHORT = 24  # a fixed segment below this is not worth three copies
VALUES = 4096  # kept as they are spelled
SHAPES = 128  # kept for a part; a mail with a greeting and a date has nine or so
TOKENS = len(Tokens._fields)  # small letters and digits, fewer than WIDTH: they never need quoting
EMPTY = 3  # in a shape: neither 0, 1 nor 2 bytes over, but none at all
SAFE_FIRST = {ord("."): b"=2E", ord("F"): b"=46"}  # dot-stuffing; "From " that an old relay would quote

_UNSAFE = re.compile(rb"[^!-<>-~ ]|(?<= ) | $")

Picker = Callable[[Sequence[bytes]], Sequence[bytes]]
Stretch = tuple[Places, bytes]  # a part of the message, and the bytes behind it: what is between two parts


class Encoding(Protocol):
    """One or more parts of the message in the same transfer encoding, ready to be filled."""

    name: ClassVar[str]

    def __init__(self, *stretches: Stretch) -> None: ...

    def encode(self, values: Sequence[str]) -> list[bytes]:
        """The lines of the parts, with a member's values in the places: first the tokens, as Voice says them."""


def encoding(line: Places) -> type[Encoding]:
    """The one that makes a line of text smaller."""
    fixed = "".join(piece for piece in line if isinstance(piece, str))
    in_base64 = len(fixed.encode()) * 4 / 3 * 78 / 76
    return Quoted if len(quote(fixed)) <= in_base64 else Base64


def encoded(text: str) -> tuple[str, bytes]:
    """A text without places: the name of its encoding, and its lines."""
    kind = encoding((text,))
    return kind.name, b"".join(kind(((text,), b"")).encode(()))


def alternatives(boundary: str, text: Places, html: Places) -> tuple[bytes, tuple[Encoding, ...]]:
    """What opens the body of a multipart/alternative (RFC 2046, 5.1.4), and its two parts ready to be filled: in one go
    if they have the same encoding."""
    in_text, in_html = encoding(text), encoding(html)
    opening, between = _part_head(boundary, "plain", in_text.name), _part_head(boundary, "html", in_html.name)
    first, last = (text, between), (html, f"--{boundary}--\r\n".encode())
    return opening, (in_text(first, last),) if in_text is in_html else (in_text(first), in_html(last))


def _part_head(boundary: str, kind: str, encoding: str) -> bytes:
    lines = [f"--{boundary}", f"Content-Type: text/{kind}; charset=utf-8", f"Content-Transfer-Encoding: {encoding}", ""]
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def quote(text: str, *, last: bool = False) -> bytes:
    """Quoted-printable from column 0 to column 0; with `last`, no soft break at the end. Line ends are LF."""
    *lines, tail = text.split("\n")
    hard = b"".join(_quoted_line(line) + b"\r\n" for line in lines)
    if not tail:
        return hard
    return hard + _quoted_line(tail) + (b"" if last else b"=\r\n")


def quote_value(value: str) -> bytes:
    """The same for a value; most are short, and come again: first names, lists, days."""
    return _short_value(value) if len(value) <= WIDTH else quote(value)


@lru_cache(VALUES)
def _short_value(value: str) -> bytes:
    """Most values are on one line, and need none of our precautions."""
    if value.isprintable() and value[:1] not in ".F" and "  " not in value:
        spelled = b2a_qp(value.encode())
        if len(spelled) <= WIDTH:
            return spelled + b"=\r\n"
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


class Quoted:
    """Parts in quoted-printable: encoded segments, and between each two of them the gap of a slot."""

    name: ClassVar[str] = "quoted-printable"

    def __init__(self, *stretches: Stretch) -> None:
        self._lines, gaps = [b""], []
        for line, behind in stretches:
            for at, piece in enumerate(line, start=1):
                if isinstance(piece, str):
                    self._lines[-1] += quote(piece, last=at == len(line))
                else:
                    gaps.append(piece)
                    self._lines += [b"", b""]
            self._lines[-1] += b"\r\n" + behind
        used = sorted(set(gaps))
        self._tokens = [place for place in used if place < TOKENS]
        self._others = [place for place in used if place >= TOKENS]
        self._pick = _picker([used.index(place) for place in gaps])

    def encode(self, values: Sequence[str]) -> list[bytes]:
        """The lines of the parts, with a member's values in the places."""
        spelled = [(values[place] + "=\r\n").encode() for place in self._tokens]
        spelled += [quote_value(values[place]) for place in self._others]
        lines = self._lines.copy()
        lines[1::2] = self._pick(spelled)
        return lines


Run = int | tuple[bytes | int, ...]  # a place, or some with a few fixed bytes among them
Three = tuple[bytes, bytes, bytes]  # for 0, 1 and 2 bytes borrowed by the value before
Job = tuple[bytes, int, bytes]  # a run to encode, by its number, between two and two bytes at most


@dataclass(frozen=True, slots=True)
class _Segment:
    """Fixed bytes behind a run: those `lent` to it, those `encoded`, and the `rests` that go with the next run."""

    run: int
    lent: Three
    encoded: Three
    rests: Three


class Base64:
    """Parts in base64: runs of values between fixed segments."""

    name: ClassVar[str] = "base64"

    def __init__(self, *stretches: Stretch) -> None:
        self._runs: list[Run] = []
        self._segments: list[_Segment] = []
        for line, behind in stretches:
            run: tuple[bytes | int, ...] = ()
            for piece in line:
                data = piece.replace("\n", "\r\n").encode() if isinstance(piece, str) else piece
                if isinstance(data, bytes) and len(data) >= SHORT:
                    self._segments.append(_segment(self._number(run), data))
                    run = ()
                else:
                    run = (*run, data)
            self._segments.append(_Segment(self._number(run), (b"",) * 3, (behind,) * 3, (b"",) * 3))
        self._shape = lru_cache(SHAPES)(self._laid_out)

    def encode(self, values: Sequence[str]) -> list[bytes]:
        """The lines of the parts, with a member's values in the places."""
        data = [values[run].encode() if isinstance(run, int) else _joined(run, values) for run in self._runs]
        jobs, lines, pick = self._shape(tuple([len(run) % 3 if run else EMPTY for run in data]))
        if max(map(len, data)) <= BASE64_BYTES - 4:
            spelled = [b2a_base64(before + data[run] + behind, newline=False) for before, run, behind in jobs]
        else:
            spelled = [base64_lines(before + data[run] + behind) for before, run, behind in jobs]
        filled = lines.copy()
        filled[1::2] = pick(spelled)
        return filled

    def _number(self, run: tuple[bytes | int, ...]) -> int:
        alone = run[0] if len(run) == 1 and isinstance(run[0], int) else run
        if alone not in self._runs:
            self._runs.append(alone)
        return self._runs.index(alone)

    def _laid_out(self, lengths: tuple[int, ...]) -> tuple[list[Job], list[bytes], Picker]:
        """For runs of these lengths: what to encode, the lines with gaps, and which goes into which gap."""
        lines, carried = [b""], b""
        jobs: dict[Job, int] = {}
        gaps: list[int] = []
        for segment in self._segments:
            borrowed = -(len(carried) + lengths[segment.run]) % 3
            job = (carried, segment.run, segment.lent[borrowed])
            if lengths[segment.run] != EMPTY or job[0] or job[2]:
                gaps.append(jobs.setdefault(job, len(jobs)))
                lines += [b"", b"\r\n"]
            lines[-1] += segment.encoded[borrowed]
            carried = segment.rests[borrowed]
        return list(jobs), lines, _picker(gaps)


def base64_lines(data: bytes) -> bytes:
    """Base64 from column 0, in lines of at most 76, the last without its line end."""
    whole = b2a_base64(data, newline=False)
    if len(whole) <= 76:
        return whole
    return b"\r\n".join([whole[at : at + 76] for at in range(0, len(whole), 76)])


def _joined(run: Sequence[bytes | int], values: Sequence[str]) -> bytes:
    return b"".join([piece if isinstance(piece, bytes) else values[piece].encode() for piece in run])


def _segment(run: int, data: bytes) -> _Segment:
    lent = data[:0], data[:1], data[:2]
    whole = [len(data) - (len(data) - n) % 3 for n in range(3)]
    encoded = [base64_lines(data[n : whole[n]]) + b"\r\n" for n in range(3)]
    rests = [data[whole[n] :] for n in range(3)]
    return _Segment(run, lent, (encoded[0], encoded[1], encoded[2]), (rests[0], rests[1], rests[2]))


def _picker(gaps: Sequence[int]) -> Picker:
    """What takes for each gap the value it names."""
    return itemgetter(*gaps) if len(gaps) > 1 else lambda values: [values[gap] for gap in gaps]
