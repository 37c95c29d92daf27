"""Appeals: sheets as CSV, for whoever translates in a spreadsheet: field, note, source text, translation."""

from __future__ import annotations

import csv
import io

from mobilizer.appeals.sheets import BadSheet, Sheet, Unit
from mobilizer.guarding import guard, unguard
from mobilizer.problems import N_, Problem

COLUMNS = ("field", "note", "source", "translation")


def write(sheet: Sheet) -> bytes:
    """A sheet as CSV (RFC 4180) in UTF-8 with the mark by which spreadsheets know it. Formulas are guarded."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for unit in sheet.units:
        writer.writerow([unit.name, *map(guard, (unit.note, unit.source, unit.target))])
    return out.getvalue().encode("utf-8-sig")


def read(data: bytes) -> Sheet:
    """The sheet that `write` wrote, also as spreadsheets save it, with other delimiters. Raises BadSheet."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = N_("The file is not UTF-8 from byte %(byte)d on. Save it as “CSV UTF-8”.")
        raise BadSheet(Problem("sheet.not_utf8", message, {"byte": error.start})) from None
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    try:
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) or [[]]
    except csv.Error as error:
        message = N_("The file can't be read as CSV: %(why)s.")
        raise BadSheet(Problem("sheet.not_csv", message, {"why": str(error)})) from None
    places = {name.strip().lower(): at for at, name in enumerate(header)}
    missing = [name for name in COLUMNS if name not in places and name != "note"]
    if missing:
        message = N_("The first line must name the columns %(columns)s. Missing: %(missing)s.")
        params = {"columns": ", ".join(COLUMNS), "missing": ", ".join(missing)}
        raise BadSheet(Problem("sheet.no_columns", message, params))
    units = [_unit(row, places, line) for line, row in enumerate(rows, start=2) if any(map(str.strip, row))]
    return Sheet("", "", "", tuple(units))


def _unit(row: list[str], places: dict[str, int], line: int) -> Unit:
    if len(row) < max(places[name] for name in ("field", "source", "translation")) + 1:
        message = N_("Row %(row)d has %(count)d cells: some are missing.")
        raise BadSheet(Problem("sheet.short_row", message, {"row": line, "count": len(row)}))
    name, source, target = (row[places[column]] for column in ("field", "source", "translation"))
    return Unit(name.strip(), *(unguard(cell).replace("\r\n", "\n") for cell in (source, target)))
