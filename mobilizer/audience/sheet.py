"""Audience: looking at a file of members. What kind it is, how it reads, where its header is.

A guess is always shown and can be changed: every function takes what a person chose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import SEEK_END, BytesIO
from typing import IO

from mobilizer.audience.columns import names_a_field
from mobilizer.audience.delimited import delimited_rows, guess_delimiter
from mobilizer.audience.encodings import PEEK, guess_encoding
from mobilizer.audience.rows import MAX_COLUMNS, Row, Unreadable
from mobilizer.audience.workbook import WORKBOOKS, ZIP_MARK, kind_of_workbook, sheet_names, workbook_rows
from mobilizer.problems import N_, Problem

MAX_UPLOAD = 100_000_000
SAMPLE_ROWS = 8


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a file reads: `header` has a name for each column, `sample` the first rows, `rows` counts those below.

    `encoding` is that of a text, or 'xlsx' or 'ods' for a workbook, which has `sheets` by name, read at number
    `sheet`. `has_header` says whether the names stand in the first row. `broken` counts characters that the encoding
    cannot read.
    """

    encoding: str
    delimiter: str
    has_header: bool
    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]
    rows: int
    broken: int
    sheet: int = 0
    sheets: tuple[str, ...] = ()


def look(
    file: IO[bytes] | bytes, encoding: str = "", delimiter: str = "", has_header: bool | None = None, sheet: int = 0
) -> Sheet:
    """How a file reads, with what is not given guessed. The file is read piece by piece. Raises Unreadable."""
    stream = BytesIO(file) if isinstance(file, bytes) else file
    head = _head(stream)
    if head.startswith(ZIP_MARK):
        encoding, delimiter = kind_of_workbook(stream), ","
        sheets = sheet_names(stream, encoding)
        sheet = sheet if sheet < len(sheets) else 0
    else:
        encoding = encoding if encoding and encoding not in WORKBOOKS else guess_encoding(stream)
        text = _as_text(head, encoding)
        delimiter, sheets, sheet = delimiter or guess_delimiter(text), [], 0
    found = _Look()
    for row in rows(stream, encoding, delimiter, sheet):
        found.take(row)
    header, named = found.header(has_header)
    sample = tuple(tuple(cell[:200] for cell in row.cells) for row in found.first[int(named) :][:SAMPLE_ROWS])
    number = found.number - int(named)
    return Sheet(encoding, delimiter, named, header, sample, number, found.broken, sheet, tuple(sheets))


def rows(stream: IO[bytes], encoding: str, delimiter: str, sheet: int = 0) -> Iterator[Row]:
    """Every row of a file that is not empty, the header too. The stream is left open. Raises Unreadable."""
    stream.seek(0)
    if encoding in WORKBOOKS:
        return workbook_rows(stream, encoding, sheet)
    return delimited_rows(stream, encoding, delimiter)


def is_header(cells: Sequence[str]) -> bool:
    """Whether a first row names columns: no cell of it is an address, and one is a name we know, or all are words."""
    if any("@" in cell for cell in cells):
        return False
    return any(names_a_field(cell) for cell in cells) or not any(re.search(r"\d", cell) for cell in cells)


class _Look:
    """What one reading of the whole file finds."""

    def __init__(self) -> None:
        self.first: list[Row] = []
        self.number = self.broken = self._widths = 0

    def take(self, row: Row) -> None:
        self.number += 1
        self._widths = max(self._widths, len(row.cells))
        self.broken += sum(cell.count("\ufffd") for cell in row.cells)
        if len(self.first) <= SAMPLE_ROWS:
            self.first.append(row)

    def header(self, has_header: bool | None) -> tuple[tuple[str, ...], bool]:
        """A name for each column, and whether they stand in the first row. Raises Unreadable."""
        if not self.number:
            raise Unreadable(_EMPTY)
        if self._widths > MAX_COLUMNS:
            message = N_(
                "The file is too wide (columns: %(columns)d). Choose another delimiter, or save it again as CSV."
            )
            raise Unreadable(Problem("import.too_wide", message, {"columns": self._widths}))
        named = is_header(self.first[0].cells) if has_header is None else has_header
        # Kept with the import in clear: where a person stands in the first row, no address may go with it.
        names = ["" if "@" in cell else cell.strip() for cell in self.first[0].cells] if named else []
        return tuple(names[i] if i < len(names) else "" for i in range(self._widths)), named


_EMPTY = Problem("import.empty", N_("The file has no rows. Save it again with the members in it."))
_NO_TEXT = Problem(
    "import.no_text",
    N_("This is neither a text file nor a workbook. Save the members as “CSV UTF-8” and upload that file."),
)


def _head(stream: IO[bytes]) -> bytes:
    """The beginning of a file that may be a table. Raises Unreadable for one that can't be."""
    size = stream.seek(0, SEEK_END)
    if size > MAX_UPLOAD:
        message = N_("The file has %(size)d MB; at most %(most)d MB can be read at once. Cut it into parts.")
        params = {"size": -(-size // 1_000_000), "most": MAX_UPLOAD // 1_000_000}
        raise Unreadable(Problem("import.too_big", message, params))
    stream.seek(0)
    head = stream.read(PEEK)
    if not head.strip():
        raise Unreadable(_EMPTY)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        message = N_(
            "This workbook is of an old kind, or locked with a password. In your spreadsheet choose “Save as”, then "
            "“XLSX” or “CSV UTF-8”, without a password."
        )
        raise Unreadable(Problem("import.workbook", message))
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        raise Unreadable(_NO_TEXT)
    return head


def _as_text(head: bytes, encoding: str) -> str:
    try:
        text = head.decode(encoding, "ignore")
    except LookupError:
        message = N_("“%(encoding)s” is not an encoding that we know. Choose one from the list.")
        raise Unreadable(Problem("import.unknown_encoding", message, {"encoding": encoding[:40]})) from None
    if len(re.findall(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text)) > len(text) // 50:
        raise Unreadable(_NO_TEXT)
    return text
