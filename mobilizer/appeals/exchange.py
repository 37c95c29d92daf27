"""Appeals: the formats that translators and their tools read and write, and what makes sheets of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mobilizer.appeals import csvsheet, pofile, xliff
from mobilizer.appeals.sheets import BadSheet, Sheet
from mobilizer.problems import N_, Problem

MAX_BYTES = 2_000_000


@dataclass(frozen=True, slots=True)
class Format:
    """A format of sheets: how it is called, how its files end, and both ways through it."""

    name: str
    label: str
    suffixes: tuple[str, ...]
    media_type: str
    write: Callable[[Sheet], bytes]
    read: Callable[[bytes], Sheet]


FORMATS = {
    format.name: format
    for format in (
        Format("xliff", "XLIFF 2", (".xlf", ".xliff"), "application/xliff+xml", xliff.write, xliff.read),
        Format("po", "PO", (".po",), "text/x-gettext-translation", pofile.write, pofile.read),
        Format("csv", "CSV", (".csv",), "text/csv", csvsheet.write, csvsheet.read),
    )
}


def file_name(sheet: Sheet, format: Format) -> str:
    """What the file of a sheet is called: 'love-always-wins.es.xlf'."""
    return f"{sheet.slug}.{sheet.language}{format.suffixes[0]}"


def format_of(file: str) -> Format | None:
    """The format that a file's name says."""
    return next((found for found in FORMATS.values() if file.lower().endswith(found.suffixes)), None)


def read_sheet(file: str, data: bytes) -> Sheet:
    """The sheet in a file. Raises BadSheet."""
    format = format_of(file)
    if format is None:
        known = ", ".join(suffix for each in FORMATS.values() for suffix in each.suffixes)
        message = N_("“%(file)s” is none of the files that can come back here. They end in %(known)s.")
        raise BadSheet(Problem("sheet.unknown_format", message, {"file": file[-60:], "known": known}))
    if len(data) > MAX_BYTES:
        message = N_("The file is too large (bytes: %(size)d, at most: %(most)d). Is it the right file?")
        raise BadSheet(Problem("sheet.too_large", message, {"size": len(data), "most": MAX_BYTES}))
    return format.read(data)
