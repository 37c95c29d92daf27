"""Audience: the rows of an OpenDocument table (ISO/IEC 26300), as its XML goes by; nothing but the present row is held.

Cells and rows that repeat are counted in the file, so that a small file may claim any size: blanks are not spelled
out, and who reads stops where enough is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO
from xml.parsers import expat
from zipfile import ZipFile

from mobilizer.audience.rows import MAX_CELL, MAX_COLUMNS

_PIECE = 1 << 16
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0 "
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
# What a cell that is no text says of its value; what it shows depends on the spreadsheet.
_VALUES = ("date-value", "time-value", "boolean-value", "value")
_BLANKS = {f"{_TEXT}s": " ", f"{_TEXT}tab": "\t", f"{_TEXT}line-break": "\n"}

Attributes = dict[str, str]


def ods_sheets(stream: IO[bytes]) -> list[str]:
    """The names of the sheets. Raises what zipfile and expat raise, and ValueError."""
    reader = _Reader(-1)
    for _ in reader.rows(stream):
        pass
    return reader.sheets


def ods_rows(stream: IO[bytes], sheet: int) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of a sheet's rows (0 is the first), without the blank ones. Raises what `ods_sheets` does."""
    line = 1
    for cells, times in _Reader(sheet).rows(stream):
        if any(cells):
            yield from ((line + again, list(cells)) for again in range(times))
        line += times


class _Reader:
    """Hears the XML's elements and keeps the rows of one sheet until they are taken."""

    def __init__(self, sheet: int) -> None:
        self.sheets: list[str] = []
        self._sheet = sheet
        self._done: list[tuple[list[str], int]] = []
        self._cells: list[str] = []
        self._blanks = 0
        self._times = 1
        self._attributes: Attributes = {}
        self._words: list[str] | None = None
        self._length = 0
        self._aside = 0  # within remarks on a cell, which are not its text
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = _refuse

    def rows(self, stream: IO[bytes]) -> Iterator[tuple[list[str], int]]:
        with ZipFile(stream) as archive, archive.open("content.xml") as part:
            while piece := part.read(_PIECE):
                self._parser.Parse(piece, False)
                yield from self._done
                self._done.clear()
            self._parser.Parse(b"", True)

    @property
    def _here(self) -> bool:
        return len(self.sheets) - 1 == self._sheet

    def _start(self, name: str, attributes: Attributes) -> None:
        if name == f"{_TABLE}table":
            self.sheets.append(attributes.get(f"{_TABLE}name", ""))
        elif name == f"{_TABLE}table-row":
            self._cells, self._blanks = [], 0
            self._times = _times(attributes, "number-rows-repeated")
        elif name in _CELLS:
            self._attributes, self._words, self._length = attributes, [], 0
        elif name == f"{_OFFICE}annotation":
            self._aside += 1
        elif name == f"{_TEXT}p" and self._words:
            self._text("\n")
        elif name in _BLANKS:
            self._text(_BLANKS[name] * min(_times(attributes, "c", _TEXT), MAX_CELL))

    def _end(self, name: str) -> None:
        if name in _CELLS:
            self._cell()
        elif name == f"{_OFFICE}annotation":
            self._aside -= 1
        elif name == f"{_TABLE}table-row" and self._here:
            self._done.append((self._cells, self._times))

    def _text(self, words: str) -> None:
        if self._words is not None and not self._aside and self._length <= MAX_CELL:
            self._words.append(words)
            self._length += len(words)

    def _cell(self) -> None:
        text, self._words = "".join(self._words or ()), None
        if self._attributes.get(f"{_OFFICE}value-type", "string") != "string":
            text = next((v for kind in _VALUES if (v := self._attributes.get(f"{_OFFICE}{kind}"))), text)
        times = _times(self._attributes, "number-columns-repeated")
        if not text:
            self._blanks += times
            return
        room = MAX_COLUMNS + 1 - len(self._cells)
        self._cells += [*[""] * min(self._blanks, room), *[text] * min(times, MAX_COLUMNS + 1)][: max(room, 0)]
        self._blanks = 0


def _times(attributes: Attributes, name: str, of: str = _TABLE) -> int:
    return max(int(attributes.get(f"{of}{name}", 1)), 1)


def _refuse(*_: object) -> None:
    raise ValueError("a table needs no document type: whoever writes one wants it to grow")
