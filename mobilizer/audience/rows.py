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


def row_of(line: int, cells: list[str]) -> Row:
    """A row, with what is too much about it as its fault; no more than MAX_COLUMNS + 1 cells are kept."""
    if len(cells) > MAX_COLUMNS:
        return Row(line, cells[: MAX_COLUMNS + 1], "too_wide")
    return Row(line, cells, "too_long" if any(len(cell) > MAX_CELL for cell in cells) else "")


class Row(NamedTuple):
    """One row, the line of the file that it begins on (1 is the first), and what made it unreadable, if anything."""

    line: int
    cells: list[str]
    fault: str = ""
