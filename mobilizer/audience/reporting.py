"""Audience: the report of an import, row by row: what did not go in, why, and how to mend it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any

from babel.support import NullTranslations
from sqlalchemy.orm import Session

from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.imports import Import
from mobilizer.audience.suppressing import suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.guarding import guard, unguard
from mobilizer.keys import Keyring
from mobilizer.problems import N_, Problem

# Rows in a report; beyond it rows are only counted. Whoever has more mends a column, not a row.
MOST_ROWS = 5000
MOST_LETTERS = 300

VERDICTS = {
    "new": N_("new"),
    "updated": N_("updated"),
    "unchanged": N_("unchanged"),
    "duplicate": N_("twice in the file"),
    "unsubscribed": N_("unsubscribed, left as they are"),
    "suppressed": N_("suppressed, left out"),
    "left": N_("left elsewhere, left out"),
    "unknown_language": N_("language not known"),
    "invalid": N_("cannot be used"),
}


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row that has something to say: the line it begins on, its verdict, its problems, its cells as they were."""

    line: int
    verdict: str
    problems: tuple[Problem, ...]
    cells: tuple[str, ...]


def report(keyring: Keyring, row: Import) -> list[ReportRow]:
    """The rows of an import's report, in the order of the file. Raises keys.BadSeal."""
    if row.problems is None:
        return []
    kept: list[dict[str, Any]] = json.loads(keyring.open(row.problems, report_binding(row.id)))
    return [
        ReportRow(
            line=entry["line"],
            verdict=entry["verdict"],
            problems=tuple(Problem(**problem) for problem in entry["problems"]),
            cells=tuple(entry["cells"]),
        )
        for entry in kept
    ]


def add_to_report(keyring: Keyring, row: Import, more: Sequence[ReportRow]) -> None:
    """Add rows to a report, up to MOST_ROWS in all."""
    before = report(keyring, row) if more else []
    room = MOST_ROWS - len(before)
    if not more or room <= 0:
        return
    entries = [_entry(found) for found in (*before, *more[:room])]
    row.problems = keyring.seal(json.dumps(entries), report_binding(row.id))


def forget_erased(session: Session, keyring: Keyring, row: Import) -> int:
    """Take the rows of people who went in and were erased since out of a report; how many they were. Who was refused
    because they are erased stays in it: else nobody would know why they are missing. Raises keys.BadSeal."""
    found = report(keyring, row)
    keys = [_address_key(keyring, row, one) if one.verdict != "suppressed" else b"" for one in found]
    reasons = suppressed_among(session, {key for key in keys if key})
    kept = [one for key, one in zip(keys, found, strict=True) if reasons.get(key) != SuppressedFor.ERASED]
    if len(kept) < len(found):
        row.problems = keyring.seal(json.dumps([_entry(one) for one in kept]), report_binding(row.id))
    return len(found) - len(kept)


def report_csv(keyring: Keyring, row: Import, words: NullTranslations | None = None) -> str:
    """The report as a CSV file: the file's own columns, so that it can be mended and uploaded again, and the why.

    Cells that a spreadsheet would run as a formula are guarded; an import takes the guard off again.
    """
    say = (words or NullTranslations()).gettext
    rows, header = report(keyring, row), list(row.options.get("header", ()))
    width = max([len(header), *(len(found.cells) for found in rows)])
    names = [*header, *[""] * (width - len(header))]
    out = StringIO()
    writer = csv.writer(out, delimiter=row.delimiter)
    writer.writerow([guard(name) for name in (*names, say(N_("Line")), say(N_("Verdict")), say(N_("What to mend")))])
    for found in rows:
        cells = [*found.cells, *[""] * (width - len(found.cells))]
        why = " ".join(problem.text(words) for problem in found.problems)
        verdict = say(VERDICTS.get(found.verdict, found.verdict))
        writer.writerow([guard(cell) for cell in (*cells, str(found.line), verdict, why)])
    # The mark lets every spreadsheet read it as UTF-8.
    return "\ufeff" + out.getvalue()


def report_binding(import_id: int) -> bytes:
    """What the sealed report of an import is bound to."""
    return f"import-report:{import_id}".encode()


def _address_key(keyring: Keyring, row: Import, found: ReportRow) -> bytes:
    """By what the address of a reported row is known; nothing where it is none."""
    at = row.columns.get("email", len(found.cells))
    try:
        return keyring.address_key(normalise(unguard(found.cells[at]))) if at < len(found.cells) else b""
    except BadAddress:
        return b""


def _entry(row: ReportRow) -> dict[str, Any]:
    problems = [asdict(problem) for problem in row.problems]
    cells = [cell if len(cell) <= MOST_LETTERS else cell[: MOST_LETTERS - 1] + "…" for cell in row.cells]
    return {"line": row.line, "verdict": row.verdict, "problems": problems, "cells": cells}
