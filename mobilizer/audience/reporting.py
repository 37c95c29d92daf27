"""Audience: the report of an import, row by row: what did not go in, why, and how to mend it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import StringIO

from babel.support import NullTranslations
from sqlalchemy import ForeignKey, delete, func, insert, select, tuple_
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.imports import Import
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.db import Base, BigId
from mobilizer.guarding import guard, unguard
from mobilizer.keys import Keyring
from mobilizer.problems import N_, Problem

READ_AT_ONCE = 1000  # rows

VERDICTS = {
    "new": N_("new"),
    "updated": N_("updated"),
    "unchanged": N_("unchanged"),
    "duplicate": N_("twice in the file"),
    "unsubscribed": N_("unsubscribed, left as they are"),
    "suppressed": N_("suppressed, left out"),
    "left": N_("left elsewhere, left out"),
    "leaves": N_("left elsewhere, taken off the list"),
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


class ReportedRow(Base):
    """A row of an import's report. `number` is its place among the rows of the file, `width` how many cells it has; its
    cells and what is wrong with them are sealed.

    `address_key` is there for whoever may have to be forgotten: not for a row that was refused because its person is.
    """

    __tablename__ = "import_report_rows"

    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int]
    verdict: Mapped[str]
    width: Mapped[int]
    address_key: Mapped[bytes | None] = mapped_column(index=True)
    sealed: Mapped[bytes]

    def opened(self, keyring: Keyring) -> ReportRow:
        """The row in clear words. Raises keys.BadSeal."""
        problems, cells = json.loads(keyring.open(self.sealed, report_binding(self.import_id, self.number)))
        return ReportRow(self.line, self.verdict, tuple(Problem(**one) for one in problems), tuple(cells))


def add_to_report(session: Session, keyring: Keyring, row: Import, found: Sequence[tuple[int, ReportRow]]) -> None:
    """Add rows to an import's report, each with its place in the file."""
    if not found:
        return
    sealed = keyring.seal_all([(_said(one), report_binding(row.id, number)) for number, one in found])
    rows = [
        {
            "import_id": row.id,
            "number": number,
            "line": one.line,
            "verdict": one.verdict,
            "width": len(one.cells),
            "address_key": _address_key(keyring, row, one) if one.verdict != "suppressed" else None,
            "sealed": value,
        }
        for (number, one), value in zip(found, sealed, strict=True)
    ]
    session.execute(insert(ReportedRow), rows)


def report(session: Session, keyring: Keyring, import_id: int) -> Iterator[ReportRow]:
    """The rows of an import's report, in the order of the file, read some at a time. Raises keys.BadSeal."""
    after: int | None = 0
    while after is not None:
        some, after = report_page(session, keyring, import_id, after, READ_AT_ONCE)
        yield from some


def report_page(
    session: Session, keyring: Keyring, import_id: int, after: int, most: int
) -> tuple[list[ReportRow], int | None]:
    """The next rows of a report after the one with a number, and after which there are more. Raises keys.BadSeal."""
    asked = select(ReportedRow).where(ReportedRow.import_id == import_id, ReportedRow.number > after)
    rows = session.scalars(asked.order_by(ReportedRow.number).limit(most + 1)).all()
    return [row.opened(keyring) for row in rows[:most]], rows[most - 1].number if 0 < most < len(rows) else None


def report_length(session: Session, import_id: int) -> int:
    """How many rows a report has."""
    return session.scalars(select(func.count()).where(ReportedRow.import_id == import_id)).one()


def forget_erased(session: Session, most: int) -> int:
    """Take the rows of people who went in and were erased since out of the reports, `most` at once; how many they were.
    Who was refused because they are erased stays: else nobody would know why they are missing."""
    erased = select(Suppression.address_key).where(Suppression.reason == SuppressedFor.ERASED)
    key = ReportedRow.import_id, ReportedRow.number
    some = select(*key).where(ReportedRow.address_key.in_(erased)).limit(most)
    gone = delete(ReportedRow).where(tuple_(*key).in_(some)).returning(ReportedRow.number)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def report_csv(session: Session, keyring: Keyring, row: Import, words: NullTranslations | None = None) -> Iterator[str]:
    """The report as a CSV file, line by line: the file's own columns, so that it can be mended and uploaded again, and
    the why.

    Cells that a spreadsheet would run as a formula are guarded; an import takes the guard off again.
    """
    say = (words or NullTranslations()).gettext
    header = row.header(keyring)
    widest = select(func.max(ReportedRow.width)).where(ReportedRow.import_id == row.id)
    width = max(len(header), session.scalar(widest) or 0)

    def line(cells: Sequence[str], *why: str) -> str:
        out = StringIO()
        whole = [*cells, *[""] * (width - len(cells)), *why]
        csv.writer(out, delimiter=row.delimiter).writerow([guard(cell) for cell in whole])
        return out.getvalue()

    # The mark lets every spreadsheet read it as UTF-8.
    yield "\ufeff" + line(header, say(N_("Line")), say(N_("Verdict")), say(N_("What to mend")))
    for found in report(session, keyring, row.id):
        why = " ".join(problem.text(words) for problem in found.problems)
        yield line(found.cells, str(found.line), say(VERDICTS.get(found.verdict, found.verdict)), why)


def report_binding(import_id: int, number: int) -> bytes:
    """What a sealed row of an import's report is bound to."""
    return f"import-report:{import_id}:{number}".encode()


def _address_key(keyring: Keyring, row: Import, found: ReportRow) -> bytes | None:
    """By what the address of a reported row is known; nothing where it is none."""
    at = row.columns.get("email", len(found.cells))
    try:
        return keyring.address_key(normalise(unguard(found.cells[at]))) if at < len(found.cells) else None
    except BadAddress:
        return None


def _said(row: ReportRow) -> str:
    return json.dumps([[asdict(problem) for problem in row.problems], row.cells], ensure_ascii=False)
