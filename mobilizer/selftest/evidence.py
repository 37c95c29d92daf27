"""Selftest: the evidence. What the relay wrote down while it misbehaved, a line at a time and before it answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from mobilizer.selftest.faults import NAMED


class What(StrEnum):
    """What the relay saw or did."""

    FAULT = "fault"
    REFUSAL = "refusal"  # a definite no to a recipient or to their message
    CONTENT = "content"  # a message that came whole, to the dot
    ANSWER = "answer"  # the yes to such a message
    CUT = "cut"  # the other side went without goodbye, after it had been told to send a message


@dataclass(frozen=True, slots=True)
class Line:
    """One note of the relay. `number` is the recipient's, 0 where none is known; `kept`: it delivers the message."""

    what: What
    connection: int
    number: int = 0
    fault: str = ""
    message_id: str = ""
    kept: bool = False


class Notebook:
    """Where the relay writes: each line is with the system before the relay says a word about it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    def write(self, line: Line) -> None:
        """Append a line."""
        self._file.write(json.dumps(asdict(line)).encode() + b"\n")

    def close(self) -> None:
        """Write no more."""
        self._file.close()


@dataclass(slots=True)
class Evidence:
    """The notebook, added up by person."""

    copies: Counter[int] = field(default_factory=Counter)  # messages that came whole and were not refused
    kept: Counter[int] = field(default_factory=Counter)
    answered: Counter[int] = field(default_factory=Counter)
    refused: dict[int, list[str]] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)  # a fault left open what became of their message
    message_ids: dict[int, set[str]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    cut: int = 0

    def add(self, line: Line) -> None:
        """Take one line into account."""
        fault = NAMED.get(line.fault)
        match line.what:
            case What.FAULT:
                self.faults[line.fault] += 1
                if fault and fault.leaves_doubt and line.number:
                    self.doubted.add(line.number)
            case What.REFUSAL:
                self.refused.setdefault(line.number, []).append(line.fault)
            case What.CONTENT:
                self.message_ids.setdefault(line.number, set()).add(line.message_id)
                self.kept[line.number] += line.kept
                self.copies[line.number] += line.kept or bool(fault and fault.leaves_doubt)
            case What.ANSWER:
                self.answered[line.number] += 1
            case What.CUT:
                self.cut += 1


def read(path: Path) -> Evidence:
    """What a notebook says; empty where there is none. A line that is still being written counts not yet."""
    with path.open(encoding="utf-8") as lines:
        return gather(_line(text) for text in lines if text.endswith("\n"))


def gather(lines: Iterable[Line]) -> Evidence:
    """Add lines up."""
    evidence = Evidence()
    for line in lines:
        evidence.add(line)
    return evidence


def _line(text: str) -> Line:
    values = json.loads(text)
    return Line(**{**values, "what": What(values["what"])})
