"""Audience: the run of an import. Chunks of rows, each one transaction, so that a broken run goes on where it stood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience import headcounts
from mobilizer.audience.candidates import Candidate, Choices, Refusal, Verdict, read_row
from mobilizer.audience.consent import consent_line
from mobilizer.audience.fields import definitions
from mobilizer.audience.imports import Import
from mobilizer.audience.joining import Joining, join
from mobilizer.audience.reporting import ReportRow, add_to_report
from mobilizer.audience.rows import Row, Unreadable
from mobilizer.audience.sheet import rows
from mobilizer.audience.uploads import open_upload, upload_path
from mobilizer.db import clock
from mobilizer.installation import Installation, follow_keys
from mobilizer.keys import BadSeal, Keyring
from mobilizer.problems import N_, Problem

CHUNK = 1000
FOLLOW_SECONDS = 1.0  # a long run asks now and then which key is current

FAILURES = {
    "gone": N_("The uploaded file is gone. Upload it again; what was already added stays."),
    "sealed": N_("The uploaded file cannot be opened: it was changed on disk, or its key is gone. Upload it again."),
    "unreadable": N_("The file breaks off or is damaged. Save it again and upload it; what was already added stays."),
}

# What is said of a good row whose person stays as they are.
_LEFT_ALONE = {
    "suppressed": N_("This address must not be mailed: it bounced, complained or was erased. It was not added."),
    "unsubscribed": N_("This person has left. They stay unsubscribed; only they can come back."),
}

Progress = Callable[[int, int], None]
Read = list[tuple[Row, Candidate | Refusal]]


def run_import(installation: Installation, import_id: int, progress: Progress | None = None) -> None:
    """Read a kept file into its list: the body of the job. Safe to run again, and twice at once.

    Every chunk of rows is one transaction that also moves `rows_read` on, if nobody else has: a run that was killed is
    resumed where it stood, and of two runs one gives up. The file is deleted when all is read.
    """
    row = _begin(installation, import_id)
    if row is None:
        return
    try:
        _read_on(installation, row, progress)
    except FileNotFoundError:
        _end(installation, import_id, "failed", "gone")
    except BadSeal:
        _end(installation, import_id, "failed", "sealed")
    except Unreadable:
        # Looked at before, it could be read: it is a sheet that breaks off somewhere.
        _end(installation, import_id, "failed", "unreadable")


def data_rows(installation: Installation, row: Import, clear: IO[bytes] | None = None) -> Iterator[Row]:
    """The rows below the header: of the kept file, or of a `clear` one that was not kept."""
    sheet = int(row.options.get("sheet", 0))
    header = int(row.options.get("above", 0)) + 1 if row.options.get("has_header", True) else 0
    with open_upload(_kept(installation, row), installation.keyring) if clear is None else nullcontext(clear) as file:
        yield from islice(rows(file, row.encoding, row.delimiter, sheet), header, None)


def _kept(installation: Installation, row: Import) -> Path:
    return upload_path(installation.settings.home, row.id)


def choices_of(session: Session, installation: Installation, row: Import) -> Choices:
    """How an import's rows are read."""
    return Choices.of(row.columns, row.options, installation.settings.default_language, definitions(session))


def joining_of(row: Import) -> Joining:
    """Where an import's candidates go, and how."""
    options = row.options
    return Joining(
        list_id=row.list_id,
        source=str(options.get("source") or f"import:{row.id}"),
        wording=str(options.get("wording", "")),
        how=consent_line(options) or "import",
        known=options.get("known", "fill"),
        import_id=row.id,
    )


def first_time(keyring: Keyring, read: Candidate | Refusal, seen: dict[bytes, int]) -> Candidate | Refusal:
    """A candidate, unless an earlier line had the same address: `seen` remembers the lines by address key."""
    if isinstance(read, Refusal):
        return read
    first = seen.setdefault(keyring.address_key(read.email), read.line)
    if first == read.line:
        return read
    message = N_("The same address is on line %(first)d already; this row was left out.")
    return Refusal(read.line, "duplicate", (Problem("import.duplicate", message, {"first": first}, where="email"),))


def noted(raw: Row, read: Candidate | Refusal, verdict: Verdict = "new") -> ReportRow:
    """A row as the report has it; `verdict` is what became of a candidate."""
    cells = tuple(raw.cells)
    if isinstance(read, Refusal):
        return ReportRow(raw.line, read.verdict, read.problems, cells)
    alone = _LEFT_ALONE.get(verdict)
    why = (Problem(f"import.{verdict}", alone, severity="warning"),) if alone else read.remarks
    return ReportRow(raw.line, verdict, why, cells)


def _begin(installation: Installation, import_id: int) -> Import | None:
    with installation.database.write() as session:
        row = session.get(Import, import_id)
        if row is None or not row.runs:
            return None
        session.expunge(row)
        return row


def _read_on(installation: Installation, order: Import, progress: Progress | None) -> None:
    with installation.database.read() as session:
        choices = choices_of(session, installation, order)
    keyring, source, seen = installation.keyring, data_rows(installation, order), dict[bytes, int]()
    for raw in islice(source, order.rows_read):
        first_time(keyring, read_row(raw, choices), seen)
    done = order.rows_read
    while chunk := list(islice(source, CHUNK)):
        follow_keys(keyring, installation.database, FOLLOW_SECONDS)
        read = [(raw, first_time(keyring, read_row(raw, choices), seen)) for raw in chunk]
        with installation.database.write() as session:
            if not _settle(session, keyring, order.id, done, read):
                return
        done += len(chunk)
        if progress:
            progress(done, order.rows)
    _end(installation, order.id, "done")


def _settle(session: Session, keyring: Keyring, import_id: int, done: int, read: Read) -> bool:
    """Write one chunk and how far it reaches, together. False: another run was here first, or a person stopped it;
    nothing is written."""
    row = session.scalar(select(Import).where(Import.id == import_id).with_for_update())
    if row is None or not row.runs or row.rows_read != done:
        return False
    candidates = {keyring.address_key(c.email): c for _, c in read if isinstance(c, Candidate)}
    became = join(session, keyring, joining_of(row), candidates)
    verdicts = {candidates[key].line: verdict for key, verdict in became.items()}
    report = [noted(raw, one, verdicts.get(raw.line, "new")) for raw, one in read]
    row.counts = dict(Counter(row.counts) + Counter(found.verdict for found in report))
    row.rows_read = done + len(read)
    row.rows = max(row.rows, row.rows_read)  # of a large file it was an estimate
    add_to_report(keyring, row, [found for found in report if found.problems])
    return True


def _end(installation: Installation, import_id: int, state: str, failure: str = "") -> None:
    with installation.database.write() as session:
        row = session.scalar(select(Import).where(Import.id == import_id).with_for_update())
        if row is None or row.state != "running":
            return
        row.state, row.failure, row.finished_at = state, failure, session.scalar(select(clock()))
        row.rows = row.rows_read if state == "done" else row.rows
        headcounts.doubt(session)
    upload_path(installation.settings.home, import_id).unlink(missing_ok=True)
