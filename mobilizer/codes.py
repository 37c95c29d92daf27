"""Ground: codes that people read aloud: share codes, and whatever else is spelled in their letters."""

from __future__ import annotations

import secrets

CODE_LETTERS = 10
_TAIL = 7  # the letters by which codes that are made together differ
_ALPHABET = b"abcdefghjkmnpqrstuvwxyz23456789"
_LETTERS = (_ALPHABET * 9)[:256]
_UNEVEN = bytes(range(256 - 256 % len(_ALPHABET), 256))


def share_code() -> str:
    """A fresh share code: 10 characters that nobody mixes up when reading aloud (49 bits)."""
    return _letters(CODE_LETTERS)


def share_codes(count: int) -> list[str]:
    """So many different share codes in order, of which each begins as the others do: rows that come together also lie
    together in an index of them, whose every page would else be touched. Who knows one still guesses among 34 bits."""
    head = _letters(CODE_LETTERS - _TAIL)
    tails: dict[str, None] = {}
    while len(tails) < count:
        fresh = _letters((count - len(tails)) * _TAIL)
        tails |= dict.fromkeys(fresh[at : at + _TAIL] for at in range(0, len(fresh), _TAIL))
    return [head + tail for tail in sorted(tails)]


def _letters(count: int) -> str:
    """So many letters of share codes, each as likely as any other."""
    found = b""
    while len(found) < count:
        # What does not divide evenly among them is left out.
        found += secrets.token_bytes(count + count // 16 + 16).translate(_LETTERS, _UNEVEN)
    return found[:count].decode()
