"""Audience: which addresses of a file have been read already, and on which line; millions in little memory.  (pure)"""

from __future__ import annotations

import struct
from collections import defaultdict

_LINE = struct.Struct("<I")
_HEAD = 2  # bytes of a key by which it is put aside


class Seen:
    """Remembers keys of one length, each with the line it was on first: about twenty bytes for each, where a dict
    would take over a hundred. A key is hashed, so its first bytes divide them evenly."""

    def __init__(self) -> None:
        self._groups: defaultdict[bytes, bytearray] = defaultdict(bytearray)

    def first(self, key: bytes, line: int) -> int:
        """The line that a key was on first: this one, where it is new."""
        group, rest = self._groups[key[:_HEAD]], key[_HEAD:]
        at = group.find(rest)
        stride = len(rest) + _LINE.size
        while at % stride and at != -1:  # across two of them
            at = group.find(rest, at + 1)
        if at == -1:
            group += rest
            group += _LINE.pack(line)
            return line
        found: int = _LINE.unpack_from(group, at + len(rest))[0]
        return found
