"""Audience: what every kind of file comes down to: rows of cells, or a reason why there are none."""

from __future__ import annotations

from typing import NamedTuple

from mobilizer.problems import Problem

MAX_CELL = 100_000  # letters; far more than any honest cell, and what an unclosed quote soon swallows
MAX_COLUMNS = 500


class Unreadable(ValueError):
    """Not a file that rows can be read from; `problem` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class Row(NamedTuple):
    """One row, the line of the file that it begins on (1 is the first), and what made it unreadable, if anything."""

    line: int
    cells: list[str]
    fault: str = ""
