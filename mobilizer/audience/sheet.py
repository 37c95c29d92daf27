"""Audience: reading a file of members. Which encoding and delimiter it has, where its header is, row after row.

A guess is always shown and can be changed: every function takes the encoding and delimiter that a person chose.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import IO, NamedTuple

from mobilizer.audience.columns import names_a_field
from mobilizer.audience.encodings import PEEK, guess_encoding
from mobilizer.problems import N_, Problem

MAX_UPLOAD = 100_000_000
MAX_CELL = 100_000  # letters; far more than any honest cell, and what an unclosed quote soon swallows
MAX_LINES = 200  # lines in one row
MAX_COLUMNS = 500
SAMPLE_ROWS = 8

# The csv module keeps one limit for the whole process; it must hold before the first look at any file.
csv.field_size_limit(10 * MAX_CELL * MAX_LINES)

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


class Unreadable(ValueError):
    """Not a file that rows can be read from; `problem` says why and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a file reads: `header` has a name for each column, `sample` the first rows, `rows` counts those below.

    `has_header` says whether the names stand in the file's first row. `broken` counts characters that the encoding
    cannot read.
    """

    encoding: str
    delimiter: str
    has_header: bool
    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    rows: int
    broken: int


class Row(NamedTuple):
    """One row, the line of the file that it begins on (1 is the first), and what made it unreadable, if anything."""

    line: int
    cells: list[str]
    fault: str = ""


def look(data: bytes, encoding: str = "", delimiter: str = "", has_header: bool | None = None) -> Sheet:
    """How a file reads, with what is not given guessed. Raises Unreadable."""
    _refuse_what_is_no_table(data)
    encoding = encoding or guess_encoding(data)
    broken = _broken(data, encoding)
    delimiter = delimiter or guess_delimiter(data[:PEEK].decode(encoding, "ignore"))
    first: list[Row] = []
    widths, number = 0, 0
    for row in rows(BytesIO(data), encoding, delimiter):
        number += 1
        widths = max(widths, len(row.cells))
        if len(first) <= SAMPLE_ROWS:
            first.append(row)
    if not number:
        raise Unreadable(Problem("import.empty", N_("The file has no rows. Save it again with the members in it.")))
    if widths > MAX_COLUMNS:
        message = N_("The file is too wide (columns: %(columns)d). Choose another delimiter, or save it again as CSV.")
        raise Unreadable(Problem("import.too_wide", message, {"columns": widths}))
    named = is_header(first[0].cells) if has_header is None else has_header
    names = first[0].cells if named else []
    header = tuple(names[i].strip() if i < len(names) else "" for i in range(widths))
    sample = tuple(tuple(cell[:200] for cell in row.cells) for row in first[int(named) :][:SAMPLE_ROWS])
    return Sheet(encoding, delimiter, named, header, sample, number - int(named), broken)


def rows(stream: IO[bytes], encoding: str, delimiter: str) -> Iterator[Row]:
    """Every row that is not empty, the header too; characters that cannot be read come as U+FFFD.

    A row that no end can be found for (a quote that was never closed) comes alone with its `fault`; reading goes on
    with the next line, so that one bad row costs one row.
    """
    lines = _Lines(TextIOWrapper(stream, encoding, "replace", newline=""))
    reader = _Reader(lines, lines.declared_delimiter() or delimiter)
    while True:
        line = lines.begin()
        try:
            cells = reader.next_row()
        except StopIteration:
            return
        except _NoEnd:
            yield Row(line, reader.leniently(lines.put_back()), "no_end")
            continue
        if any(cell.strip() for cell in cells):
            yield Row(line, cells, "too_long" if any(len(cell) > MAX_CELL for cell in cells) else "")


class _Reader:
    """csv.reader, strict where a row spans lines (a quote may have been left open), lenient within one line."""

    def __init__(self, lines: _Lines, delimiter: str) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._strict = csv.reader(lines, delimiter=delimiter, strict=True)

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
            return next(csv.reader([line], delimiter=self._delimiter), [])
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
        self._number = 0

    def declared_delimiter(self) -> str:
        """What Excel says in a first line `sep=;`, which is then no row."""
        first = next(self._text, "")
        match = re.fullmatch(r'"?sep=([,;\t|])"?[\r\n]*', first)
        if match:
            self._number += 1
            return match[1]
        self._waiting.append(first)
        return ""

    def begin(self) -> int:
        """Start a row; returns the number of its first line."""
        self._row = []
        return self._number + 1

    @property
    def in_row(self) -> int:
        """How many lines the present row has so far."""
        return len(self._row)

    def put_back(self) -> str:
        """Give up the present row but for its first line, which is returned; the others will be read again."""
        first, *others = self._row
        self._waiting = others[::-1] + self._waiting
        self._number -= len(others)
        self._row = []
        return first

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.pop() if self._waiting else next(self._text, "")
        if not line and self._row:
            raise _NoEnd
        if not line:
            raise StopIteration
        self._row.append(line)
        self._number += 1
        if len(self._row) > MAX_LINES or sum(map(len, self._row[1:])) > MAX_CELL:
            raise _NoEnd
        return line.replace("\0", "")


def is_header(cells: Sequence[str]) -> bool:
    """Whether a first row names columns: no cell of it is an address, and one is a name we know, or all are words."""
    if any("@" in cell for cell in cells):
        return False
    return any(names_a_field(cell) for cell in cells) or not any(re.search(r"\d", cell) for cell in cells)


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


_NO_TEXT = Problem(
    "import.no_text", N_("This is not a text file. Save the members as “CSV UTF-8” and upload that file.")
)


def _refuse_what_is_no_table(data: bytes) -> None:
    if len(data) > MAX_UPLOAD:
        message = N_("The file has %(size)d MB; at most %(most)d MB can be read at once. Cut it into parts.")
        params = {"size": -(-len(data) // 1_000_000), "most": MAX_UPLOAD // 1_000_000}
        raise Unreadable(Problem("import.too_big", message, params))
    if not data.strip():
        raise Unreadable(Problem("import.empty", N_("The file has no rows. Save it again with the members in it.")))
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        message = N_("This is a workbook, not a CSV file. In your spreadsheet choose “Save as” and then “CSV UTF-8”.")
        raise Unreadable(Problem("import.workbook", message))
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        raise Unreadable(_NO_TEXT)


def _broken(data: bytes, encoding: str) -> int:
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        message = N_("“%(encoding)s” is not an encoding that we know. Choose one from the list.")
        raise Unreadable(Problem("import.unknown_encoding", message, {"encoding": encoding[:40]})) from None
    if len(re.findall(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text[:PEEK])) > len(text[:PEEK]) // 50:
        raise Unreadable(_NO_TEXT)
    return text.count("\ufffd") - data.count(b"\xef\xbf\xbd") * (encoding == "utf-8-sig")
