"""Audience: which addresses of a file have been read already, and on which line; millions in little memory.  (pure)"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable

_LINE = struct.Struct("<I")
_HEAD = 2  # bytes of a key by which it is put aside


class Seen:
    """Remembers keys of one length, each with the line it was on first: about twenty bytes for each, where a dict
    would take over a hundred. A key is hashed, so its first bytes divide them evenly."""

    def __init__(self) -> None:
        self._groups: defaultdict[bytes, bytearray] = defaultdict(bytearray)

    def first(self, key: bytes, line: int) -> int:
        """The line that a key was on first: this one, where it is new."""
        return self.firsts((key,), (line,))[0]

    def firsts(self, keys: Iterable[bytes], lines: Iterable[int]) -> list[int]:
        """`first` of many, in the order of the file."""
        groups, pack, found = self._groups, _LINE.pack, list[int]()
        for key, line in zip(keys, lines, strict=True):
            group, rest = groups[key[:_HEAD]], key[_HEAD:]
            if rest in group and (before := self.line_of(key)) is not None:
                found.append(before)
            else:
                group += rest
                group += pack(line)
                found.append(line)
        return found

    def __len__(self) -> int:
        """In how many groups there is something: 0 where nothing is known."""
        return len(self._groups)

    def line_of(self, key: bytes) -> int | None:
        """The line that a key was on first; None where it is not known."""
        group, rest = self._groups.get(key[:_HEAD]), key[_HEAD:]
        if group is None:
            return None
        at, stride = group.find(rest), len(rest) + _LINE.size
        while at % stride and at != -1:  # across two of them
            at = group.find(rest, at + 1)
        found: int | None = None if at == -1 else _LINE.unpack_from(group, at + len(rest))[0]
        return found
