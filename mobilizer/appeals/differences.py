"""Appeals: what differs between two texts, by words. Pure; knows scripts that write without blanks."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

Kind = Literal["same", "removed", "added"]

JOINER = "\u200d"
# Scripts whose words have no blanks between them: each letter with its marks is compared by itself.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both have, or only the older, or only the newer one."""

    kind: Kind
    text: str


def differences(old: str, new: str) -> tuple[Piece, ...]:
    """Both texts as one: without what is "added" it is `old`, without what is "removed" it is `new`."""
    before, after = _tokens(old), _tokens(new)
    pieces: list[Piece] = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(before[i:j])))
            continue
        if i < j:
            pieces.append(Piece("removed", "".join(before[i:j])))
        if k < m:
            pieces.append(Piece("added", "".join(after[k:m])))
    return tuple(pieces)


def likeness(one: str, other: str) -> float:
    """How much of two texts is the same words: from 0, nothing, to 1, all."""
    return SequenceMatcher(None, _tokens(one), _tokens(other)).ratio()


def words(text: str) -> frozenset[str]:
    """The different words of a text, in small letters."""
    return frozenset(token.casefold() for token in _tokens(text) if token[:1].isalnum())


def _tokens(text: str) -> list[str]:
    """Words, blanks and signs, one by one; nothing of the text is left out."""
    found: list[str] = []
    for kind, letters in groupby(_letters(text), _kind):
        run = list(letters)
        found += ["".join(run)] if kind in ("word", "blank") else run
    return found


def _letters(text: str) -> list[str]:
    """Letters, each with the marks that follow it."""
    found: list[str] = []
    for letter in text:
        if found and (unicodedata.category(letter)[0] == "M" or letter == JOINER):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _kind(letter: str) -> str:
    if letter[0].isspace():
        return "blank"
    if not letter[0].isalnum():
        return "sign"
    return "letter" if _UNSPACED.match(letter) else "word"
