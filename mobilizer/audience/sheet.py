"""Audience: looking at a file of members. What kind it is, how it reads, where its header is.

A guess is always shown and can be changed: every function takes what a person chose.
"""

from __future__ import annotations

import re
from collections import Counter
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

MAX_BOOK = 100_000_000  # bytes of a workbook: more is no table of people that a spreadsheet could hold
LOOKED_AT = 64_000_000  # bytes of a text: somebody waits, and the rest is like it
SAMPLE_ROWS = 8
TITLE_ROWS = 8  # rows that may stand above the names of the columns
TELLING = 6  # cells
MAX_TITLE = 100  # letters of a column's name


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a file reads: `header` has a name for each column, `sample` the first rows, `rows` counts those below.

    `encoding` is that of a text, or 'xlsx' or 'ods' for a workbook, which has `sheets` by name, read at number
    `sheet`. `has_header` says whether the names stand in a row of the file, below `above` rows that are left out, as
    titles are. `broken` counts characters that the encoding cannot read; `telling` are the first cells with letters
    beyond ASCII, wherever they stand, for a person to see whether the encoding is right. `about`: `rows` is an
    estimate, for the file is too large to be read while somebody waits.
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
    above: int = 0
    telling: tuple[str, ...] = ()
    about: bool = False


def look(
    file: IO[bytes] | bytes, encoding: str = "", delimiter: str = "", has_header: bool | None = None, sheet: int = 0
) -> Sheet:
    """How a file reads, with what is not given guessed. The file is read piece by piece, and of a text no more than
    LOOKED_AT. Raises Unreadable."""
    stream = BytesIO(file) if isinstance(file, bytes) else file
    head = _head(stream)
    if head.startswith(ZIP_MARK):
        refuse_larger(stream, MAX_BOOK)
        encoding, delimiter = kind_of_workbook(stream), ","
        sheets = sheet_names(stream, encoding)
        sheet = sheet if sheet < len(sheets) else 0
    else:
        encoding = encoding if encoding and encoding not in WORKBOOKS else guess_encoding(stream)
        text = _as_text(head, encoding)
        delimiter, sheets, sheet = delimiter or guess_delimiter(text), [], 0
    found = _Look()
    read = rows(stream, encoding, delimiter, sheet)
    for row in read:
        found.take(row)
        if found.number % 1000 == 0 and not sheets and stream.tell() > LOOKED_AT:
            break
    share = stream.tell() / stream.seek(0, SEEK_END) if next(read, None) else 1
    header, above = found.header(has_header)
    named = above >= 0
    below = above + 1
    sample = tuple(tuple(cell[:200] for cell in row.cells) for row in found.first[below:][:SAMPLE_ROWS])
    return Sheet(
        encoding=encoding,
        delimiter=delimiter,
        has_header=named,
        header=header,
        sample=sample,
        rows=round(found.number / share) - below,
        broken=found.broken,
        sheet=sheet,
        sheets=tuple(sheets),
        above=max(above, 0),
        telling=tuple(found.telling),
        about=share < 1,
    )


def rows(stream: IO[bytes], encoding: str, delimiter: str, sheet: int = 0) -> Iterator[Row]:
    """Every row of a file that is not empty, the header too. The stream is left open. Raises Unreadable."""
    stream.seek(0)
    if encoding in WORKBOOKS:
        return workbook_rows(stream, encoding, sheet)
    return delimited_rows(stream, encoding, delimiter)


def refuse_larger(file: IO[bytes], most: int) -> None:
    """Raises Unreadable for a file of more than `most` bytes."""
    size = file.seek(0, SEEK_END)
    if size > most:
        message = N_("The file has %(size)d MB; at most %(most)d MB can be read at once. Cut it into parts.")
        params = {"size": -(-size // 1_000_000), "most": most // 1_000_000}
        raise Unreadable(Problem("import.too_big", message, params))


def header_at(first: Sequence[Sequence[str]]) -> int:
    """Which of the first rows names the columns; -1 for none. Titles and blanks may stand above it, people may not."""
    for at, cells in enumerate(first):
        if any("@" in cell for cell in cells):
            break
        if "email" in map(names_a_field, cells):
            return at
    return 0 if _names_columns(first[0]) else -1


def _names_columns(cells: Sequence[str]) -> bool:
    """No cell of it is an address, and one is a name we know, or all are words."""
    if any("@" in cell for cell in cells):
        return False
    return any(names_a_field(cell) for cell in cells) or not any(re.search(r"\d", cell) for cell in cells)


class _Look:
    """What one reading of the whole file finds."""

    def __init__(self) -> None:
        self.first: list[Row] = []
        self.telling: list[str] = []
        self.number = self.broken = 0

    def take(self, row: Row) -> None:
        self.number += 1
        self.broken += sum(cell.count("\ufffd") for cell in row.cells)
        if len(self.first) <= TITLE_ROWS + SAMPLE_ROWS:
            self.first.append(row)
        if len(self.telling) < TELLING and not all(map(str.isascii, row.cells)):
            told = (cell.strip()[:60] for cell in row.cells if not cell.isascii() and "@" not in cell)
            self.telling = list(dict.fromkeys([*self.telling, *told]))[:TELLING]

    def header(self, has_header: bool | None) -> tuple[tuple[str, ...], int]:
        """A name for each column, and how many rows stand above the one with the names; -1 where none has them.

        Raises Unreadable.
        """
        if not self.number:
            raise Unreadable(_EMPTY)
        if self.first[0].fault == "too_wide":
            message = N_(
                "The first row has more than %(most)d columns. Keep only the columns you need; if it has fewer, "
                "choose another delimiter."
            )
            raise Unreadable(Problem("import.too_wide", message, {"most": MAX_COLUMNS}))
        above = -1 if has_header is False else header_at([row.cells for row in self.first[: TITLE_ROWS + 1]])
        if has_header:
            above = max(above, 0)
        # Kept with the import in clear: where a person stands in the first row, no address may go with it.
        named = self.first[above].cells if above >= 0 else []
        names = ["" if "@" in cell else cell.strip()[:MAX_TITLE] for cell in named]
        widths = Counter(len(row.cells) for row in self.first[above + 1 :] if not row.fault)
        usual = max(widths, key=lambda width: (widths[width], width), default=0)
        return tuple(names + [""] * (usual - len(names))), above


_EMPTY = Problem("import.empty", N_("The file has no rows. Save it again with the members in it."))
_NO_TEXT = Problem(
    "import.no_text",
    N_("This is neither a text file nor a workbook. Save the members as “CSV UTF-8” and upload that file."),
)
_OTHER = Problem(
    "import.other_kind",
    N_(
        "This is a web page, an address book or data for programs, not a table. Open it in a spreadsheet, save it as "
        "“CSV UTF-8” and upload that file."
    ),
)


def _head(stream: IO[bytes]) -> bytes:
    """The beginning of a file that may be a table. Raises Unreadable for one that can't be."""
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
    if re.match(
        rb"(\xef\xbb\xbf)?\s*(<(!doctype|\?xml|html|head|body|table)\b|\[?\s*\{|begin:vcard)", head, re.IGNORECASE
    ):
        raise Unreadable(_OTHER)
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")):
        raise Unreadable(_NO_TEXT)
    return head


def _as_text(head: bytes, encoding: str) -> str:
    try:
        text = head.decode(encoding, "ignore")
    except (LookupError, UnicodeError):  # the latter of codecs that are for names, not for text
        message = N_("“%(encoding)s” is not an encoding that we know. Choose one from the list.")
        raise Unreadable(Problem("import.unknown_encoding", message, {"encoding": encoding[:40]})) from None
    if len(re.findall(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text)) > len(text) // 50:
        raise Unreadable(_NO_TEXT)
    return text
