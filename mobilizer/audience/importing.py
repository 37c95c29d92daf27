"""Audience: importing a file, step by step: keep it, look at it, choose, rehearse, start. running.py does the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import IO, Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.columns import column_problems, guess_columns
from mobilizer.audience.consent import consent_problems
from mobilizer.audience.fields import definitions, guess_fields
from mobilizer.audience.imports import Import
from mobilizer.audience.rehearsing import GOOD, Rehearsal, forget, rehearse
from mobilizer.audience.reporting import report, report_csv, report_length, report_page
from mobilizer.audience.rows import Unreadable
from mobilizer.audience.running import (
    FAILURES,
    end,
    run_import,
)
from mobilizer.audience.sheet import Sheet, look
from mobilizer.audience.tags import names_problems
from mobilizer.audience.uploads import forget_strays, open_upload, upload_path, write_upload
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.keys import BadSeal, Keyring
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.problems import N_, Problem

WAITING_SECONDS = 24 * 3600
REMEMBERED = 100  # imports whose header is looked at

NOBODY = Problem(
    "import.nobody", N_("The file has the names of the columns and nobody below them. Upload one with members in it.")
)

__all__ = [
    "GOOD",
    "NOBODY",
    "Rehearsal",
    "Sheet",
    "Unreadable",
    "choose",
    "discard",
    "draft",
    "failure_of",
    "forget_uploads",
    "give_up",
    "go_on",
    "guess_columns",
    "look",
    "look_again",
    "pause",
    "rehearse",
    "report",
    "report_csv",
    "report_length",
    "report_page",
    "run_import",
    "start",
    "store",
]


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
    looked = sheet or look(stream)
    row = draft(session, installation, list_id, looked)
    row.created_by_id = user_id
    session.add(row)
    session.flush()
    row.name_file(installation.keyring, filename)
    row.name_columns(installation.keyring, looked.header)
    stream.seek(0)
    write_upload(upload_path(installation.settings.home, row.id), installation.keyring, stream)
    return row


def draft(session: Session, installation: Installation, list_id: int, sheet: Sheet) -> Import:
    """An import with all that can be guessed, also from earlier ones: the last of a file with the same header, else
    the last into the same list. It is not kept yet."""
    before = _latest(session, list_id)
    alike = _alike(session, installation.keyring, sheet.header) or before
    known = _columns_by_name(installation.keyring, alike) if alike else {}
    columns = guess_columns(sheet.header, sheet.sample, known)
    fields = guess_fields(sheet.header, columns.values(), definitions(session))
    options = {"default_language": installation.settings.default_language, "attributes": fields, **_kept_of(before)}
    return Import(
        list_id=list_id,
        encoding=sheet.encoding,
        delimiter=sheet.delimiter,
        columns=columns,
        options=_options_of(sheet, options),
        rows=sheet.rows,
    )


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


def choose(
    keyring: Keyring, row: Import, sheet: Sheet, columns: Mapping[str, int], options: Mapping[str, Any]
) -> list[Problem]:
    """Keep a person's choices for an import that has not started; with problems nothing is kept.

    `options` may hold `default_language`, `by_country`, `languages` (word -> tag), `attributes` (name -> column),
    `known` (see joining.Joining), `dates` (see fitting.fitted), `source`, `tags` (for everyone), and of the members'
    consent `consent_source`, `consent_date`, `wording` and `wording_language`.
    """
    told = {**row.options, **options}
    problems = [
        *([] if sheet.rows else [NOBODY]),
        *column_problems(columns, sheet.header),
        *(p for tag in _tags(options) if (p := _tag_problem(tag))),
        *consent_problems(told, row.created_at),
        *names_problems(tuple(told.get("tags", ()))),
    ]
    if not problems:
        row.encoding, row.delimiter, row.rows = sheet.encoding, sheet.delimiter, sheet.rows
        row.columns, row.options = dict(columns), _options_of(sheet, told)
        if row.id is not None:  # one that is only rehearsed is not kept, and so remembered by nobody
            row.name_columns(keyring, sheet.header)
    return problems


def start(session: Session, row: Import) -> list[Problem]:
    """Let an import run: the caller commits, then queues it. Nothing happens if it has started before."""
    problems = [
        *column_problems(row.columns, [""] * row.options.get("width", 0)),
        *consent_problems(row.options, row.created_at),
    ]
    if not problems:
        session.flush()
        forget(session, row)
        session.execute(update(Import).where(Import.id == row.id, Import.state == "uploaded").values(state="running"))
        session.refresh(row)
    return problems


def pause(session: Session, row: Import) -> bool:
    """Let a run stop after the rows it is at; they stay in. False where none is under way."""
    session.flush()
    session.refresh(row, with_for_update=True)
    runs = row.runs
    if runs:
        row.options = {**row.options, "paused": session.scalars(select(clock())).one().isoformat()}
    return runs


def go_on(session: Session, row: Import) -> bool:
    """Let a run that was paused go on where it stood: the caller commits, then queues it. False if none was."""
    session.flush()
    session.refresh(row, with_for_update=True)
    was = row.paused
    if was:
        row.options = {name: value for name, value in row.options.items() if name != "paused"}
    return was


def give_up(session: Session, installation: Installation, row: Import, why: str = "given_up") -> bool:
    """End a run that is under way or paused, and throw its file away at once; what is in stays in, and is reported.
    False if none was."""
    session.flush()
    was = end(session, row.id, "failed", why)
    if was:
        upload_path(installation.settings.home, row.id).unlink(missing_ok=True)
    return was


def failure_of(row: Import) -> Problem | None:
    """Why an import failed as a whole."""
    return Problem(f"import.{row.failure}", FAILURES[row.failure]) if row.failure in FAILURES else None


def discard(session: Session, installation: Installation, row: Import) -> None:
    """Throw away an import that has not started, with its file."""
    if row.state == "uploaded":
        session.delete(row)
        upload_path(installation.settings.home, row.id).unlink(missing_ok=True)


def _latest(session: Session, list_id: int) -> Import | None:
    """The import into a list whose choices were followed last."""
    started = select(Import).where(Import.list_id == list_id, Import.state.in_(("running", "done")))
    return session.scalar(started.order_by(Import.id.desc()).limit(1))


def _alike(session: Session, keyring: Keyring, header: Sequence[str]) -> Import | None:
    """The import of a file with the same named columns whose choices were followed last."""
    started = select(Import).where(Import.state.in_(("running", "done")), Import.sealed_header.is_not(None))
    names = sorted(filter(None, header))
    for row in session.scalars(started.order_by(Import.id.desc()).limit(REMEMBERED)):
        if names and names == sorted(filter(None, row.header(keyring))):
            return row
    return None


def _columns_by_name(keyring: Keyring, row: Import) -> dict[str, str]:
    """The name of a column -> the field that it was in an import, empty if none."""
    fields = {at: field for field, at in row.columns.items()}
    return {name: fields.get(at, "") for at, name in enumerate(row.header(keyring)) if name}


def _kept_of(row: Import | None) -> dict[str, Any]:
    """The choices that the next import into the same list begins with. Consent is told for each file anew."""
    kept = ("default_language", "by_country", "languages", "known", "dates")
    return {name: row.options[name] for name in kept if name in row.options} if row else {}


def forget_uploads(session: Session, installation: Installation) -> int:
    """Throw away the files that nobody has chosen anything for in WAITING_SECONDS, those of runs that have been paused
    for as long, and those that a crash left without an import: they are full of addresses. Returns how many went."""
    waiting = delete(Import).where(Import.state == "uploaded", Import.created_at < clock(-WAITING_SECONDS))
    over = session.scalars(waiting.returning(Import.id)).all()
    day_ago = session.scalars(select(clock(-WAITING_SECONDS))).one()
    running = session.scalars(select(Import).where(Import.state == "running").with_for_update(skip_locked=True)).all()
    paused = [row for row in running if row.paused_since and row.paused_since < day_ago]
    gone = [row for row in paused if give_up(session, installation, row, "waited")]
    for number in over:
        upload_path(installation.settings.home, number).unlink(missing_ok=True)
    still = session.scalars(select(Import.id).where(Import.state.in_(("uploaded", "running")))).all()
    return len(over) + len(gone) + forget_strays(installation.settings.home, set(still), WAITING_SECONDS)


def _options_of(sheet: Sheet, options: Mapping[str, Any]) -> dict[str, Any]:
    reading = {"has_header": sheet.has_header, "above": sheet.above, "sheet": sheet.sheet}
    return {**options, **reading, "width": len(sheet.header)}


def _tags(options: Mapping[str, Any]) -> list[str]:
    return [
        *([options["default_language"]] if "default_language" in options else []),
        *([options["wording_language"]] if options.get("wording_language") else []),
        *options.get("languages", {}).values(),
    ]


def _tag_problem(tag: str) -> Problem | None:
    try:
        canonical(tag)
    except UnknownLanguage:
        message = N_("“%(language)s” is not a language code. Choose one from the list.")
        return Problem("import.unknown_choice", message, {"language": tag[:40]}, where="default_language")
    return None
