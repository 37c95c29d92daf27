"""Audience: importing a file, step by step: keep it, look at it, choose, rehearse, start. running.py does the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from mobilizer.audience.candidates import Candidate, Choices, read_row
from mobilizer.audience.columns import column_problems, guess_columns
from mobilizer.audience.imports import Import
from mobilizer.audience.reporting import ReportRow, report, report_csv
from mobilizer.audience.rows import Unreadable
from mobilizer.audience.running import FAILURES, data_rows, first_time, noted, run_import
from mobilizer.audience.sheet import Sheet, look
from mobilizer.audience.uploads import open_upload, upload_path, write_upload
from mobilizer.installation import Installation
from mobilizer.keys import BadSeal
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.problems import N_, Problem

__all__ = [
    "Rehearsal",
    "Sheet",
    "Unreadable",
    "choose",
    "discard",
    "failure_of",
    "guess_columns",
    "look",
    "look_again",
    "rehearse",
    "report",
    "report_csv",
    "run_import",
    "start",
    "store",
]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a run would say of the rows before it looks at who is a member already. Nothing is written.

    `counts` has 'good' and the verdicts of refused rows; `people` are the first good rows, `refused` the first others;
    `unknown_languages` counts rows a word.
    """

    counts: dict[str, int]
    people: tuple[Candidate, ...]
    refused: tuple[ReportRow, ...]
    unknown_languages: dict[str, int]
    languages: dict[str, int]


def store(
    session: Session,
    installation: Installation,
    *,
    list_id: int,
    filename: str,
    data: IO[bytes] | bytes,
    sheet: Sheet | None = None,
    user_id: int | None = None,
) -> Import:
    """Keep an uploaded file and all that can be guessed of it. Raises Unreadable; then nothing is kept.

    Who has looked at the file before gives its `sheet`: a long look is no part of a transaction.
    """
    stream = BytesIO(data) if isinstance(data, bytes) else data
    sheet = sheet or look(stream)
    row = Import(
        list_id=list_id,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        columns=guess_columns(sheet.header, sheet.sample),
        options=_options_of(sheet, {"default_language": installation.settings.default_language}),
        rows=sheet.rows,
        created_by_id=user_id,
    )
    session.add(row)
    session.flush()
    row.name_file(installation.keyring, filename)
    stream.seek(0)
    write_upload(upload_path(installation.settings.home, row.id), installation.keyring, stream)
    return row


def look_again(
    installation: Installation,
    row: Import,
    encoding: str = "",
    delimiter: str = "",
    has_header: bool | None = None,
    sheet: int | None = None,
) -> Sheet:
    """How a kept file reads with a person's choices, else those of the row. Raises Unreadable."""
    header = bool(row.options.get("has_header", True)) if has_header is None else has_header
    number = int(row.options.get("sheet", 0)) if sheet is None else sheet
    try:
        with open_upload(upload_path(installation.settings.home, row.id), installation.keyring) as file:
            return look(file, encoding or row.encoding, delimiter or row.delimiter, header, number)
    except (FileNotFoundError, BadSeal):
        raise Unreadable(Problem("import.gone", FAILURES["gone"])) from None


def choose(row: Import, sheet: Sheet, columns: Mapping[str, int], options: Mapping[str, Any]) -> list[Problem]:
    """Keep a person's choices for an import that has not started; with problems nothing is kept.

    `options` may hold `default_language`, `languages` (word -> tag), `attributes` (name -> column), `wording` (what
    members agreed to) and `source`.
    """
    problems = column_problems(columns, sheet.header)
    problems += [p for tag in _tags(options) if (p := _tag_problem(tag))]
    if not problems:
        row.encoding, row.delimiter, row.rows = sheet.encoding, sheet.delimiter, sheet.rows
        row.columns, row.options = dict(columns), _options_of(sheet, {**row.options, **options})
    return problems


def start(session: Session, row: Import) -> list[Problem]:
    """Let an import run: the caller commits, then queues it. Nothing happens if it has started before."""
    problems = column_problems(row.columns, row.options.get("header", ()))
    if not problems:
        session.flush()
        session.execute(update(Import).where(Import.id == row.id, Import.state == "uploaded").values(state="running"))
        session.refresh(row)
    return problems


def rehearse(installation: Installation, row: Import, show: int = 20) -> Rehearsal:
    """Read the whole file as a run would, and write nothing. Raises FileNotFoundError and keys.BadSeal."""
    choices = Choices.of(row.columns, row.options, installation.settings.default_language)
    counts, unknown, languages = Counter[str](), Counter[str](), Counter[str]()
    people, refused, seen = list[Candidate](), list[ReportRow](), dict[bytes, int]()
    for raw in data_rows(installation, row):
        read = first_time(installation.keyring, read_row(raw, choices), seen)
        counts["good" if isinstance(read, Candidate) else read.verdict] += 1
        if isinstance(read, Candidate):
            languages[read.language] += 1
            people += [read] if len(people) < show else []
            continue
        refused += [noted(raw, read)] if len(refused) < show else []
        unknown.update(str(p.params["language"]) for p in read.problems if p.code == "import.unknown_language")
    return Rehearsal(dict(counts), tuple(people), tuple(refused), dict(unknown), dict(languages.most_common()))


def failure_of(row: Import) -> Problem | None:
    """Why an import failed as a whole."""
    return Problem(f"import.{row.failure}", FAILURES[row.failure]) if row.failure in FAILURES else None


def discard(session: Session, installation: Installation, row: Import) -> None:
    """Throw away an import that has not started, with its file."""
    if row.state == "uploaded":
        session.delete(row)
        upload_path(installation.settings.home, row.id).unlink(missing_ok=True)


def _options_of(sheet: Sheet, options: Mapping[str, Any]) -> dict[str, Any]:
    return {**options, "header": list(sheet.header), "has_header": sheet.has_header, "sheet": sheet.sheet}


def _tags(options: Mapping[str, Any]) -> list[str]:
    return [
        *([options["default_language"]] if "default_language" in options else []),
        *options.get("languages", {}).values(),
    ]


def _tag_problem(tag: str) -> Problem | None:
    try:
        canonical(tag)
    except UnknownLanguage:
        message = N_("“%(language)s” is not a language code. Choose one from the list.")
        return Problem("import.unknown_choice", message, {"language": tag[:40]}, where="default_language")
    return None
