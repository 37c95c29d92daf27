"""Audience: the rehearsal of an import. It reads what a run would read, says what would become of each row, and writes
nothing. That of a large file is a job's work, and is kept until the import starts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any

from sqlalchemy import ForeignKey, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.candidates import LEFT_BLANK, Candidate, Refusal, Verdict
from mobilizer.audience.imports import Import
from mobilizer.audience.joining import judge
from mobilizer.audience.reporting import ReportRow
from mobilizer.audience.rows import Row, Unreadable
from mobilizer.audience.running import (
    candidates_of,
    choices_of,
    data_rows,
    joining_of,
    leavers,
    leaving_of,
    noted,
    read_chunks,
    verdicts_of,
)
from mobilizer.audience.tags import folded
from mobilizer.db import Base, BigId, clock
from mobilizer.installation import Installation
from mobilizer.keys import BadSeal, Keyring
from mobilizer.problems import Problem

# The verdicts of who is on the list afterwards.
GOOD = ("new", "updated", "unchanged")

_SHOWN = ("line", "email", "name", "language", "second_language", "country", "time_zone")


class ImportRehearsal(Base):
    """A rehearsal that was asked for at a moment: how far it is, and at its end what it found, sealed."""

    __tablename__ = "import_rehearsals"

    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock())
    rows_read: Mapped[int] = mapped_column(default=0)
    sealed: Mapped[bytes | None]

    def found(self, keyring: Keyring) -> Rehearsal | None:
        """What it found, None while it is under way. Raises keys.BadSeal."""
        if self.sealed is None:
            return None
        told: dict[str, Any] = json.loads(keyring.open(self.sealed, rehearsal_binding(self.import_id)))
        people = tuple(Candidate(**one, attributes={}) for one in told.pop("people"))
        refused = tuple(
            ReportRow(line, verdict, tuple(Problem(**one) for one in problems), tuple(cells))
            for line, verdict, problems, cells in told.pop("refused")
        )
        return Rehearsal(people=people, refused=refused, **told)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a run would say of each row as things stand. Nothing is written.

    `counts` has the verdicts, `people` are the first who would go in, `refused` the first rows that would not;
    `unknown_languages` counts rows a word, `typos` the rows whose address looks like a typing error, `blanked` those
    with a value that did not fit its field, and `languages` the people who would go in, most first; `tags` is how many
    different ones their rows name.
    """

    counts: dict[str, int]
    people: tuple[Candidate, ...]
    refused: tuple[ReportRow, ...]
    unknown_languages: dict[str, int]
    languages: dict[str, int]
    typos: int
    blanked: int
    tags: int

    @property
    def good(self) -> int:
        """How many would be on the list afterwards, by this file."""
        return sum(self.counts.get(verdict, 0) for verdict in GOOD)

    def written(self) -> str:
        """As text, to be kept; of the people, what is shown of them."""
        people = [{name: getattr(one, name) for name in _SHOWN} for one in self.people]
        refused = [(one.line, one.verdict, [asdict(why) for why in one.problems], one.cells) for one in self.refused]
        told = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({**told, "people": people, "refused": refused}, ensure_ascii=False)


def ask(session: Session, row: Import) -> None:
    """Let a job rehearse an import: the caller commits, then queues it. What an earlier one found is forgotten."""
    forget(session, row)
    session.add(ImportRehearsal(import_id=row.id))


def forget(session: Session, row: Import) -> None:
    """Forget what a rehearsal found; one that is under way stops."""
    session.execute(delete(ImportRehearsal).where(ImportRehearsal.import_id == row.id))


def run_rehearsal(installation: Installation, import_id: int) -> None:
    """Rehearse an import as it was asked: the body of the job. Safe to run again, and twice at once; it stops when the
    choices are changed, or the import starts. One whose file can't be read is forgotten."""
    with installation.database.read() as session:
        asked = session.get(ImportRehearsal, import_id)
        row = session.get(Import, import_id)
        if asked is None or asked.sealed is not None or row is None or row.state != "uploaded":
            return
        session.expunge_all()

        def note(done: int, sealed: bytes | None = None) -> None:
            session.rollback()  # what is read next is as it is then
            _note(installation, asked, done, sealed)

        try:
            found = rehearse(session, installation, row, progress=note)
            note(sum(found.counts.values()), installation.keyring.seal(found.written(), rehearsal_binding(import_id)))
        except _Overtaken:
            return
        except (FileNotFoundError, Unreadable, BadSeal):
            with installation.database.write() as writing:
                forget(writing, row)


def rehearsal_binding(import_id: int) -> bytes:
    """What the sealed outcome of a rehearsal is bound to."""
    return f"import-rehearsal:{import_id}".encode()


class _Overtaken(Exception):
    """Something else was asked for since."""


def _note(installation: Installation, asked: ImportRehearsal, done: int, sealed: bytes | None) -> None:
    same = ImportRehearsal.import_id == asked.import_id, ImportRehearsal.asked_at == asked.asked_at
    waits = select(Import.id).where(Import.state == "uploaded")
    values = {"rows_read": done, "sealed": sealed}
    with installation.database.write() as session:
        told = update(ImportRehearsal).where(*same, ImportRehearsal.import_id.in_(waits)).values(values)
        if session.scalar(told.returning(ImportRehearsal.import_id)) is None:
            raise _Overtaken


def rehearse(
    session: Session,
    installation: Installation,
    row: Import,
    show: int = 20,
    clear: IO[bytes] | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> Rehearsal:
    """Read the file as a run would, every row of it, and write nothing; `clear` is a file not kept yet. `progress`
    hears how many rows are done.

    Raises FileNotFoundError, Unreadable and keys.BadSeal.
    """
    keyring, choices = installation.keyring, choices_of(session, installation, row)
    gone = leavers(keyring, choices, data_rows(installation, row, clear))
    tally, done = _Tally(show), 0
    for chunk in read_chunks(keyring, choices, data_rows(installation, row, clear), gone):
        decisions, _ = judge(session, keyring, joining_of(row), candidates_of(chunk))
        became = {key: decision.verdict for key, decision in decisions.items()}
        for read, verdict in zip(chunk, verdicts_of(chunk, became, leaving_of(session, row, chunk)), strict=True):
            tally.take(read.raw, read.says, verdict)
        done += len(chunk)
        progress(done)
    return tally.rehearsal()


class _Tally:
    """What is said of each row, summed up."""

    def __init__(self, show: int) -> None:
        self._show = show
        self._counts, self._unknown, self._languages = Counter[str](), Counter[str](), Counter[str]()
        self._people, self._refused = list[Candidate](), list[ReportRow]()
        self._typos = self._blanked = 0
        self._tags = set[str]()

    def take(self, raw: Row, read: Candidate | Refusal, verdict: Verdict) -> None:
        self._counts[verdict] += 1
        problems = read.problems if isinstance(read, Refusal) else read.remarks
        self._typos += any(problem.code == "import.typo" for problem in problems)
        self._blanked += any(problem.code == LEFT_BLANK for problem in problems)
        self._unknown.update(str(p.params["language"]) for p in problems if p.code == "import.unknown_language")
        if isinstance(read, Candidate) and verdict in GOOD:
            self._languages[read.language] += 1
            self._tags.update(map(folded, read.tags))
            self._people += [read] if len(self._people) < self._show else []
        else:
            self._refused += [noted(raw, read, verdict)] if len(self._refused) < self._show else []

    def rehearsal(self) -> Rehearsal:
        return Rehearsal(
            counts=dict(self._counts),
            people=tuple(self._people),
            refused=tuple(self._refused),
            unknown_languages=dict(self._unknown),
            languages=dict(self._languages.most_common()),
            typos=self._typos,
            blanked=self._blanked,
            tags=len(self._tags),
        )
