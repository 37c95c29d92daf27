"""Audience: the run of an import. Chunks of rows, each one transaction, so that a broken run goes on where it stood."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience import headcounts
from mobilizer.audience.arriving import Overtaken
from mobilizer.audience.candidates import Candidate, Reader, Refusal, Verdict
from mobilizer.audience.choices import Choices
from mobilizer.audience.consent import consent_line
from mobilizer.audience.fields import definitions
from mobilizer.audience.flocks import FlockReader
from mobilizer.audience.imports import Import
from mobilizer.audience.joining import Joining, join, on_list
from mobilizer.audience.reporting import ReportRow, add_to_report
from mobilizer.audience.rows import Row, Unreadable
from mobilizer.audience.seen import Seen
from mobilizer.audience.sheet import rows
from mobilizer.audience.standing import leave_list
from mobilizer.audience.uploads import open_upload, upload_path
from mobilizer.db import clock
from mobilizer.installation import Installation, follow_keys
from mobilizer.keys import BadSeal, Keyring
from mobilizer.problems import N_, Problem

# Rows in one transaction: their places in the indexes lie all over, and more rows share the pages that are written;
# but everybody who writes waits for so long.
CHUNK = 10_000
CACHE_MB = 32
FOLLOW_SECONDS = 1.0  # a long run asks now and then which key is current

FAILURES = {
    "gone": N_("The uploaded file is gone. Upload it again; what was already added stays."),
    "sealed": N_("The uploaded file cannot be opened: it was changed on disk, or its key is gone. Upload it again."),
    "unreadable": N_("The file breaks off or is damaged. Save it again and upload it; what was already added stays."),
    "given_up": N_("It was given up before all rows were read, and its file is gone; what was already added stays."),
    "waited": N_("It was paused for more than a day: its file was thrown away. What was already added stays."),
}

# What is said of a good row whose person stays as they are.
_LEFT_ALONE = {
    "suppressed": N_("This address must not be mailed: it bounced, complained or was erased. It was not added."),
    "unsubscribed": N_("This person has left. They stay unsubscribed; only they can come back."),
}

_LEAVES = Problem(
    "import.leaves",
    N_("This person is on the list, and the file says that they have left: they are taken off it."),
    severity="warning",
    where="status",
)

Progress = Callable[[int, int], None]


class Read(NamedTuple):
    """One row, what it says, and the key of the address that it brings, or that has left by it; else empty."""

    raw: Row
    says: Candidate | Refusal
    key: bytes


def run_import(installation: Installation, import_id: int, progress: Progress | None = None) -> None:
    """Read a kept file into its list: the body of the job. Safe to run again, and twice at once.

    Every chunk of rows is one transaction that also moves `rows_read` on, if nobody else has: a run that was killed is
    resumed where it stood, and of two runs one gives up. The file is deleted when all is read.
    """
    row = _begin(installation, import_id)
    if row is None:
        return
    try:
        with _nothing_collected():
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
    with (
        open_upload(_path(installation, row.id), installation.keyring) if clear is None else nullcontext(clear) as file
    ):
        yield from islice(rows(file, row.encoding, row.delimiter, sheet), header, None)


def _path(installation: Installation, import_id: int) -> Path:
    return upload_path(installation.settings.home, import_id)


def choices_of(session: Session, installation: Installation, row: Import) -> Choices:
    """How an import's rows are read."""
    latest = (row.created_at + timedelta(days=1)).date()  # somewhere it is tomorrow already
    default = installation.settings.default_language
    return Choices.of(row.columns, row.options, default, definitions(session), latest)


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
        tags=tuple(options.get("tags", ())),
        wording_language=str(options.get("wording_language", "")) if options.get("wording") else "",
    )


def leavers(keyring: Keyring, choices: Choices, source: Iterator[Row]) -> Seen:
    """Who has left by a row of a source, each with its line: whatever other rows say of them, before it or after."""
    found, reader = Seen(), Reader(choices)
    for raw in source if "status" in choices.columns else ():
        email = reader.leaver(raw)
        if email:
            found.first(keyring.address_key(email), raw.line)
    return found


def read_chunks(keyring: Keyring, choices: Choices, source: Iterator[Row], gone: Seen) -> Iterator[list[Read]]:
    """The rows of a source as a run reads them, some at a time; an address that was on an earlier line is refused, and
    one that is `gone` by any line (see `leavers`)."""
    reader, seen = FlockReader(choices), Seen()
    while chunk := list(islice(source, CHUNK)):
        says = reader.read(chunk)
        addresses = [one.email if isinstance(one, Candidate) else one.leaver for one in says]
        keys = keyring.address_keys(addresses)
        yield list(map(_told(gone), chunk, says, keys, _firsts(seen, chunk, says, keys)))
        chunk.clear()  # while the next are read these are no longer held


def _firsts(seen: Seen, chunk: Sequence[Row], says: Sequence[Candidate | Refusal], keys: Sequence[bytes]) -> list[int]:
    """The line that the address of each candidate was on first; that of its own for a row that brings nobody."""
    own = [raw.line for raw in chunk]
    brought = [at for at, one in enumerate(says) if isinstance(one, Candidate)]
    if len(brought) == len(own):
        return seen.firsts(keys, own)
    for at, first in zip(brought, seen.firsts([keys[at] for at in brought], [own[at] for at in brought]), strict=True):
        own[at] = first
    return own


def _told(gone: Seen) -> Callable[[Row, Candidate | Refusal, bytes, int], Read]:
    """What reads a row as it is, or refuses it for what other rows say: who is `gone`, where its address was first."""

    def read(raw: Row, says: Candidate | Refusal, key: bytes, first: int) -> Read:
        left = gone.line_of(key) if gone else None
        if isinstance(says, Refusal):
            return Read(raw, says, key if says.leaver and left == raw.line else b"")
        if left is not None:
            message = N_("Line %(line)d says that this person has left; this row was left out.")
            problem = Problem("import.left_by_line", message, {"line": left}, "warning", "status")
            return Read(raw, Refusal(raw.line, "left", (problem,)), b"")
        if first == raw.line:
            return Read(raw, says, key)
        message = N_("The same address is on line %(first)d already; this row was left out.")
        problem = Problem("import.duplicate", message, {"first": first}, where="email")
        return Read(raw, Refusal(raw.line, "duplicate", (problem,)), b"")

    return read


def candidates_of(chunk: Sequence[Read]) -> dict[bytes, Candidate]:
    """Those who may be brought in, by address key."""
    return {read.key: read.says for read in chunk if isinstance(read.says, Candidate)}


def leaving_of(session: Session, row: Import, chunk: Sequence[Read]) -> dict[bytes, int]:
    """Those on the import's list who have left by the file: address key -> number."""
    keys = [read.key for read in chunk if read.key and isinstance(read.says, Refusal)]
    return on_list(session, row.list_id, keys) if keys else {}


def verdicts_of(chunk: Sequence[Read], became: Mapping[bytes, Verdict], leaving: Collection[bytes]) -> list[Verdict]:
    """What is said of each row: `became` has what becomes of candidates, `leaving` who is taken off the list."""
    return [
        became[key] if isinstance(says, Candidate) else "leaves" if key in leaving else says.verdict
        for _, says, key in chunk
    ]


def noted(raw: Row, read: Candidate | Refusal, verdict: Verdict = "new") -> ReportRow:
    """A row as the report has it; `verdict` is what became of a candidate."""
    cells = tuple(raw.cells)
    if verdict == "leaves":
        return ReportRow(raw.line, verdict, (_LEAVES,), cells)
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


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Rows hold each other in no circle: the collector would look at all of them again and again for nothing."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _read_on(installation: Installation, order: Import, progress: Progress | None) -> None:
    installation.database.widen(CACHE_MB)
    keyring, done = installation.keyring, 0
    with installation.database.read() as session:
        choices = choices_of(session, installation, order)
    gone = leavers(keyring, choices, data_rows(installation, order))
    for chunk in read_chunks(keyring, choices, data_rows(installation, order), gone):
        # What is in already is read all the same: a later line may have the same address.
        done, fresh = done + len(chunk), chunk[max(order.rows_read - done, 0) :]
        if not fresh:
            continue
        follow_keys(keyring, installation.database, FOLLOW_SECONDS)
        if not _settled(installation, order.id, done - len(fresh), fresh):
            return
        del chunk, fresh
        if progress:
            progress(done, order.rows)
    _end(installation, order.id, "done")


def _settled(installation: Installation, import_id: int, done: int, chunk: Sequence[Read]) -> bool:
    """Write one chunk in a transaction of its own. False: another run was here first."""
    while True:
        try:
            with installation.database.write() as session:
                return _settle(session, installation.keyring, import_id, done, chunk)
        except Overtaken:
            continue


def _settle(session: Session, keyring: Keyring, import_id: int, done: int, chunk: Sequence[Read]) -> bool:
    """Write one chunk and how far it reaches, together. False: another run was here first, or a person stopped it;
    nothing is written."""
    row = session.scalar(select(Import).where(Import.id == import_id).with_for_update())
    if row is None or not row.runs or row.rows_read != done:
        return False
    leaving = leaving_of(session, row, chunk)
    leave_list(session, row.list_id, list(leaving.values()))
    verdicts = verdicts_of(chunk, join(session, keyring, joining_of(row), candidates_of(chunk)), leaving)
    row.counts = dict(Counter(row.counts) + Counter(verdicts))
    row.rows_read = done + len(chunk)
    row.rows = max(row.rows, row.rows_read)  # of a large file it was an estimate
    report = [
        (number, noted(raw, says, verdict))
        for number, ((raw, says, _), verdict) in enumerate(zip(chunk, verdicts, strict=True), done + 1)
        if isinstance(says, Refusal) or says.remarks or verdict in _LEFT_ALONE
    ]
    add_to_report(session, keyring, row, report)
    return True


def end(session: Session, import_id: int, state: str, failure: str = "") -> bool:
    """Let a run be over, for whatever reason; False where none is under way. The caller commits, then throws the file
    away."""
    row = session.scalar(select(Import).where(Import.id == import_id).with_for_update())
    if row is None or row.state != "running":
        return False
    row.state, row.failure, row.finished_at = state, failure, session.scalar(select(clock()))
    row.rows = row.rows_read if state == "done" else row.rows
    headcounts.doubt(session)
    return True


def _end(installation: Installation, import_id: int, state: str, failure: str = "") -> None:
    with installation.database.write() as session:
        over = end(session, import_id, state, failure)
    if over:
        _path(installation, import_id).unlink(missing_ok=True)
