"""Audience: reading workbooks (XLSX, ODS), a row at a time. What a file claims of its size is never believed.

A workbook is a ZIP archive of XML (ECMA-376, ISO/IEC 26300). XLSX is read by openpyxl; ODS here, for what else reads
it holds a table whole, however large that says it is.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, time
from typing import IO, Any
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

import openpyxl

from mobilizer.audience.ods import ods_rows, ods_sheets
from mobilizer.audience.rows import Row, Unreadable, row_of
from mobilizer.keys import BadSeal
from mobilizer.problems import N_, Problem

WORKBOOKS = {"xlsx": "Excel (XLSX)", "ods": "OpenDocument (ODS)"}
ZIP_MARK = b"PK\x03\x04"

MAX_UNPACKED = 500_000_000  # bytes: no sheet of honest rows comes near it
MAX_WHOLE = 100_000_000  # bytes of a part that has to be held in memory
MAX_PARTS = 2000
SMALL = 10_000_000  # bytes: what unpacks to no more does no harm
MOST_TIMES = 150  # what a table of people packs to at most; one letter, or one tag, repeated packs to a thousandth
MAX_ROWS = 1_048_576  # what spreadsheets themselves can hold

_STREAMED = ("xl/worksheets/", "content.xml")
_WHOLE = (
    "[Content_Types].xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
)
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
# All that the readers raise where the XML or the archive is not what it should be.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    BadZipFile,
    EOFError,
    ExpatError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,  # that of XML, whichever parser found it
    TypeError,
    ValueError,
    zlib.error,
)


def kind_of_workbook(stream: IO[bytes]) -> str:
    """'xlsx' or 'ods'. Raises Unreadable for an archive that is neither, or that unpacks to too much."""
    try:
        with ZipFile(stream) as archive:
            _refuse_a_bomb(archive)
            kind = _kind(archive)
    except _BROKEN as error:
        raise _unreadable(error) from None
    if not kind:
        message = N_("This is a ZIP archive, not a table. Unpack it and upload the file that is inside.")
        raise Unreadable(Problem("import.archive", message))
    return kind


def sheet_names(stream: IO[bytes], kind: str) -> list[str]:
    """The names of a workbook's sheets, in its order. Raises Unreadable."""
    try:
        if kind == "ods":
            return ods_sheets(stream)
        with closing(_open(stream)) as book:
            return [str(sheet.title) for sheet in book.worksheets]
    except _BROKEN as error:
        raise _unreadable(error) from None


def workbook_rows(stream: IO[bytes], kind: str, sheet: int) -> Iterator[Row]:
    """Every row of a sheet (0 is the first) that is not empty; numbers, dates and truths as text. Raises Unreadable.

    The stream is left open.
    """
    lines = ods_rows(stream, sheet) if kind == "ods" else _xlsx_rows(stream, sheet)
    while True:
        try:
            line, cells = next(lines)
        except StopIteration:
            return
        except _BROKEN as error:
            raise _unreadable(error) from None
        if line > MAX_ROWS:
            raise _too_much()
        if any(cell.strip() for cell in cells):
            yield row_of(line, cells)


def _kind(archive: ZipFile) -> str:
    names = set(archive.namelist())
    if "xl/workbook.xml" in names:
        return "xlsx"
    if {"mimetype", "content.xml"} <= names:
        with archive.open("mimetype") as part:
            return "ods" if part.read(100).startswith(_ODS_TYPE) else ""
    return ""


def _is_read(name: str) -> bool:
    return name in _WHOLE or name.startswith(_STREAMED)


def _refuse_a_bomb(archive: ZipFile) -> None:
    """The sizes are what the archive says of itself; zipfile never unpacks a part beyond what it says."""
    parts = archive.infolist()
    streamed = [part.file_size for part in parts if part.filename.startswith(_STREAMED)]
    whole = [part.file_size for part in parts if part.filename in _WHOLE]
    dense = any(
        part.file_size > max(SMALL, MOST_TIMES * part.compress_size) for part in parts if _is_read(part.filename)
    )
    if dense or len(parts) > MAX_PARTS or sum(streamed) > MAX_UNPACKED or sum(whole) > MAX_WHOLE:
        raise _too_much()


def _open(stream: IO[bytes]) -> Any:
    with warnings.catch_warnings():
        # Of looks and filters that are left out: no concern of who reads addresses.
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)


def _xlsx_rows(stream: IO[bytes], sheet: int) -> Iterator[tuple[int, list[str]]]:
    with closing(_open(stream)) as book:
        chosen = book.worksheets[sheet]
        # What a sheet says of its own size is often wrong, and would cut rows off.
        chosen.reset_dimensions()
        for line, cells in enumerate(chosen.iter_rows(values_only=True), 1):
            yield line, [_as_text(cell) for cell in cells]


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return str(value)


def _too_much() -> Unreadable:
    message = N_(
        "The workbook is too large to be read (rows: at most %(rows)d, unpacked MB: at most %(most)d). Keep one sheet "
        "of members, or save it as “CSV UTF-8”."
    )
    return Unreadable(Problem("import.book_too_big", message, {"rows": MAX_ROWS, "most": MAX_UNPACKED // 1_000_000}))


def _unreadable(error: Exception) -> Unreadable:
    if isinstance(error, Unreadable | BadSeal):
        raise error
    message = N_(
        "The workbook is damaged or locked with a password. Open it, save it again without one and upload that."
    )
    return Unreadable(Problem("import.damaged", message))
