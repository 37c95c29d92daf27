"""Audience: reading a file of members. Which encoding and delimiter it has, where its header is, row after row.

A guess is always shown and can be changed: every function takes the encoding and delimiter that a person chose.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import IO, NamedTuple

from charset_normalizer import from_bytes

from mobilizer.audience.columns import names_a_field
from mobilizer.problems import N_, Problem

MAX_UPLOAD = 100_000_000
MAX_CELL = 100_000  # letters; far more than any honest cell, and what an unclosed quote soon swallows
MAX_LINES = 200  # lines in one row
MAX_COLUMNS = 500
SAMPLE_ROWS = 8
PEEK = 256_000

# Python's name of an encoding, and what people call it. The order is that of a choice on a page.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1253": "Greek (Windows-1253)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1254": "Turkish (Windows-1254)",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "cp949": "Korean (Windows-949)",
    "mac_roman": "Western (Mac Roman)",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

# Offered to the guess only: among all that exist it read Arabic as Korean.
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp1256", "cp1253", "cp1255", "cp932", "gb18030", "cp949"]


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
        message = N_("The file seems to have %(columns)d columns. Choose another delimiter, or save it again as CSV.")
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
    csv.field_size_limit(10 * MAX_CELL * MAX_LINES)
    reader = csv.reader(lines, delimiter=lines.declared_delimiter() or delimiter)
    while True:
        line = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (_NoEnd, csv.Error):
            first = lines.put_back()
            yield Row(line, next(csv.reader([first.replace('"', "")], delimiter=delimiter), []), "no_end")
            reader = csv.reader(lines, delimiter=delimiter)
            continue
        if any(cell.strip() for cell in cells):
            yield Row(line, cells, "too_long" if any(len(cell) > MAX_CELL for cell in cells) else "")


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


def guess_encoding(data: bytes) -> str:
    """The likeliest of ENCODINGS: by mark, else UTF-8 if it reads, else by the look of the words."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    zeros = data[:PEEK].count(0)
    if zeros > len(data[:PEEK]) // 4:
        return "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    if _is_mostly_utf8(data):
        return "utf-8-sig"
    found = from_bytes(_with_other_letters(data), cp_isolation=_GUESSED).best()
    return str(found.encoding) if found else "cp1252"


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


_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


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
    controls = len(re.findall(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]", data[:PEEK]))
    if data.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")) or controls > len(data[:PEEK]) // 50:
        message = N_("This is not a text file. Save the members as “CSV UTF-8” and upload that file.")
        raise Unreadable(Problem("import.no_text", message))


def _broken(data: bytes, encoding: str) -> int:
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        message = N_("“%(encoding)s” is not an encoding that we know. Choose one from the list.")
        raise Unreadable(Problem("import.unknown_encoding", message, {"encoding": encoding[:40]})) from None
    return text.count("\ufffd") - data.count(b"\xef\xbf\xbd") * (encoding == "utf-8-sig")


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether a file is UTF-8, even where a few rows came from elsewhere: those are then reported one by one."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return not broken or broken * 10 < sum(1 for c in text if ord(c) > 127)


def _with_other_letters(data: bytes) -> bytes:
    """The lines that tell encodings apart, enough of them: a large file may begin with plain ASCII for long."""
    lines = [line for line in data.splitlines() if not line.isascii()]
    return b"\n".join(lines)[:PEEK]
