"""Audience: reading text with a delimiter, row after row. One broken row costs one row."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO

from mobilizer.audience.rows import MAX_CELL, MAX_COLUMNS, Row, row_of

MAX_LINES = 200  # lines in one row
MAX_LINE = 10_000_000  # letters read at once: a file without line breaks must not fill the memory

# The csv module keeps one limit for the whole process; it must hold before the first look at any file.
csv.field_size_limit(10 * MAX_CELL * MAX_LINES)

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def delimited_rows(stream: IO[bytes], encoding: str, delimiter: str) -> Iterator[Row]:
    """Every row that is not empty, the header too; characters that cannot be read come as U+FFFD.

    A row that no end can be found for (a quote that was never closed) comes alone with its `fault`; reading goes on
    with the next line, so that one bad row costs one row. The stream is left open.
    """
    text = TextIOWrapper(stream, encoding, "replace", newline="")
    try:
        yield from _rows(_Lines(text), delimiter)
    finally:
        text.detach()


def guess_delimiter(text: str) -> str:
    """The delimiter that splits the first lines into the same number of cells most often."""
    lines = [line for line in text.splitlines()[:60] if line.strip()]
    match = re.fullmatch(r'"?sep=([,;\t|])"?', lines[0]) if lines else None
    if match:
        return match[1]

    def worth(delimiter: str) -> tuple[int, int]:
        widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter))
        width, times = max(widths.items(), key=lambda pair: (pair[0] > 1, pair[1])) if widths else (1, 0)
        return (times if width > 1 else 0, width)

    best = max(DELIMITERS, key=worth)
    return best if worth(best)[0] else ","


def _rows(lines: _Lines, delimiter: str) -> Iterator[Row]:
    delimiter = lines.declared_delimiter() or delimiter
    reader, blank = _Reader(lines, delimiter), f"{delimiter} "
    while True:
        while plain := lines.plain():
            cells = plain.split(delimiter)
            if blank in plain or plain[0] == " ":  # as `skipinitialspace` below
                cells = [cell.lstrip(" ") for cell in cells]
            if cells[0].strip() or any(cell.strip() for cell in cells):
                yield Row(lines.number, cells) if len(cells) <= MAX_COLUMNS else row_of(lines.number, cells)
        line = lines.begin()
        try:
            cells = reader.next_row()
        except StopIteration:
            return
        except _NoEnd:
            yield Row(line, reader.leniently(lines.put_back()), "no_end")
            continue
        if any(cell.strip() for cell in cells):
            yield Row(line, cells, "nul") if lines.had_nul else row_of(line, cells)


class _Reader:
    """csv.reader, strict where a row spans lines (a quote may have been left open), lenient within one line."""

    def __init__(self, lines: _Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._strict = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)

    def next_row(self) -> list[str]:
        """The next row's cells. Raises StopIteration after the last, and _NoEnd for a row that swallows others."""
        try:
            cells = next(self._strict)
        except csv.Error:
            if self._lines.in_row > 1:
                raise _NoEnd from None
            return self.leniently(self._lines.put_back())
        if self._lines.in_row > 1 and any(self._swallows(cell) for cell in cells):
            raise _NoEnd
        return cells

    def leniently(self, line: str) -> list[str]:
        """The cells of one line, whatever its quotes."""
        try:
            return next(csv.reader([line], delimiter=self._delimiter, skipinitialspace=True), [])
        except csv.Error:
            return [line]

    def _swallows(self, cell: str) -> bool:
        return any("@" in line and self._delimiter in line for line in cell.splitlines()[1:])


class _NoEnd(Exception):
    """A row went on and on: somewhere a quote was opened and not closed."""


class _Lines:
    """The lines of a text for csv.reader, remembering those of the present row so that they can be read again."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._waiting: list[str] = []
        self._row: list[str] = []
        self.number = 0  # of the line that was read last
        self.had_nul = False  # in the present row

    def declared_delimiter(self) -> str:
        """What Excel says in a first line `sep=;`, which is then no row."""
        first = self._text.readline(MAX_LINE)
        match = re.fullmatch(r'"?sep=([,;\t|])"?[\r\n]*', first)
        if match:
            self.number += 1
            return match[1]
        self._waiting.append(first)
        return ""

    def begin(self) -> int:
        """Start a row; returns the number of its first line."""
        self._row = []
        self.had_nul = False
        return self.number + 1

    def plain(self) -> str:
        """The next line without its end, if it is a whole row that the csv module would only split: no quotes, no NUL,
        no great length. Else nothing, and the line comes with the next row."""
        line = self._waiting.pop() if self._waiting else self._text.readline(MAX_LINE)
        if '"' in line or "\0" in line or len(line) > MAX_CELL or not line:
            self._waiting.append(line)
            return ""
        self.number += 1
        return line.rstrip("\r\n") or " "

    @property
    def in_row(self) -> int:
        """How many lines the present row has so far."""
        return len(self._row)

    def put_back(self) -> str:
        """Give up the present row but for its first line, which is returned; the others will be read again."""
        first, *others = self._row
        self._waiting = others[::-1] + self._waiting
        self.number -= len(others)
        self._row = []
        return first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else self._text.readline(MAX_LINE)
        if not line and self._row:
            raise _NoEnd
        if not line:
            raise StopIteration
        self._row.append(line)
        self.number += 1
        if len(self._row) > MAX_LINES or sum(map(len, self._row[1:])) > MAX_CELL:
            raise _NoEnd
        if "\0" not in line:
            return line
        self.had_nul = True
        return line.replace("\0", "")
