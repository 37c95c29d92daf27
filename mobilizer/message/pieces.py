"""Message: pieces. A compiled text is a line of fixed words and slots; a slot waits for one member's value."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Form = Literal["html", "plain"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a member's value. `field` names it, `fallback` stands in for an empty one.

    In the form 'html' the value is escaped, for text and attributes alike.
    """

    field: str
    fallback: str = ""
    form: Form = "plain"


Piece = str | Slot
Line = tuple[Piece, ...]
Places = tuple[str | int, ...]  # a line whose slots are numbers: where their values stand in a list

# Controls, line and paragraph separators, halves of surrogate pairs.
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Direction overrides can make a name look like another sentence; joiners stay, for emoji and many scripts need them.
_HARMFUL = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]")


def clean(value: str) -> str:
    """A member's value on one line: no control characters (CR, LF, NUL), no direction overrides, single blanks."""
    if not value.isprintable():
        value = _BREAKS.sub(" ", _HARMFUL.sub("", value))
    return " ".join(value.split())


def escape(value: str) -> str:
    """A value as it may stand in HTML text and in quoted attributes."""
    return value if value.isalnum() else html.escape(value, quote=True)


def slots_of(lines: Iterable[Line]) -> list[Slot]:
    """The slots of some lines, each once, in order of appearance."""
    return list(dict.fromkeys(piece for line in lines for piece in line if not isinstance(piece, str)))


def placed(line: Line, slots: Sequence[Slot]) -> Places:
    """A line with each slot's number among `slots`. Raises ValueError."""
    return tuple([piece if isinstance(piece, str) else slots.index(piece) for piece in line])


def fill(line: Places, values: Sequence[str]) -> str:
    """A line with its values."""
    return "".join([piece if isinstance(piece, str) else values[piece] for piece in line])


def joined(pieces: Iterable[Piece]) -> Line:
    """A line of these pieces, neighbouring words put together."""
    line: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and line and isinstance(line[-1], str):
            line[-1] += piece
        elif piece != "":
            line.append(piece)
    return tuple(line)


def to_json(line: Line) -> list[object]:
    """A line as JSON knows it: words as strings, a slot as [field, fallback, form]."""
    return [piece if isinstance(piece, str) else [piece.field, piece.fallback, piece.form] for piece in line]


def from_json(pieces: list[str | list[str]]) -> Line:
    """The line that `to_json` wrote. Raises ValueError."""
    return tuple(piece if isinstance(piece, str) else _slot(*piece) for piece in pieces)


def _slot(field: str, fallback: str, form: str) -> Slot:
    if form not in ("html", "plain"):
        raise ValueError(f"no such form of a slot: {form}")
    return Slot(field, fallback, "html" if form == "html" else "plain")
