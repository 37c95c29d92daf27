"""Audience: thousands of rows read together, column by column; an odd one is left to `Reader`.  (pure)

A row costs a call where all are read in turn; a column is one call, whatever its length.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import repeat

from mobilizer.audience.addresses import usual_among
from mobilizer.audience.candidates import MAX_KNOWN, MAX_NAME, NAMES, Candidate, Reader, Refusal, Told
from mobilizer.audience.choices import Choices
from mobilizer.audience.rows import Row
from mobilizer.audience.typos import likely_meant
from mobilizer.languages import MEMORY

Column = Sequence[str]


class FlockReader:
    """Reads rows by a person's choices, each as `Reader.read` does."""

    def __init__(self, choices: Choices) -> None:
        self._reader = Reader(choices)
        self._width = choices.width
        self._email = choices.columns["email"]
        self._names = [choices.columns[name] for name in NAMES if name in choices.columns]
        self._few = [choices.columns[name] for name in self._reader.few]
        self._own = list(choices.attributes.values())
        self._own_of = lru_cache(MEMORY)(self._reader.own)

    def read(self, rows: Sequence[Row]) -> list[Candidate | Refusal]:
        """What the rows say, in their order."""
        whole = [not fault and len(cells) == self._width for _, cells, fault in rows]
        if all(whole):
            found = self._by_column(rows)
        else:
            good = iter(self._by_column([row for row, is_whole in zip(rows, whole, strict=True) if is_whole]))
            found = [next(good) if is_whole else None for is_whole in whole]
        read = self._reader.read
        return [one or read(row) for one, row in zip(found, rows, strict=True)]

    def _by_column(self, rows: Sequence[Row]) -> list[Candidate | None]:
        """The people of rows that have all their cells; None for a row that is not plain in every respect."""
        table = list(zip(*[row.cells for row in rows], strict=True))
        used = {self._email, *self._names, *self._few, *self._own}
        if not rows or any(_odd(table[at], short=at in self._few or at in self._own) for at in used):
            return [None] * len(rows)
        emails = [cell.strip().lower() for cell in table[self._email]]
        told = map(self._reader.told, _tuples(table, self._few, len(rows)))
        own = map(self._own_of, _tuples(table, self._own, len(rows)))
        columns = zip(rows, emails, _usual(emails), self._named(table, len(rows)), told, own, strict=True)
        return [
            _candidate(row.line, email, name, says, attributes)
            if usual and name is not None and says.plain and attributes is not None
            else None
            for row, email, usual, name, says, attributes in columns
        ]

    def _named(self, table: Sequence[Column], rows: int) -> Sequence[str | None]:
        parts = [[_plain(cell) for cell in table[at]] for at in self._names]
        if len(parts) == 1:
            return parts[0]
        return [_joined(each) for each in zip(*parts, strict=True)] if parts else [""] * rows


def _candidate(line: int, email: str, name: str, told: Told, attributes: dict[str, str]) -> Candidate:
    return Candidate(
        line,
        email,
        name,
        told.language,
        told.second_language,
        told.country,
        told.time_zone,
        attributes,
        (),
        told.says_language,
        told.tags,
        told.consent,
    )


def _odd(column: Column, *, short: bool) -> bool:
    """Whether a column has letters that could not be read, or cells too long to be remembered."""
    return "\ufffd" in "".join(column) or (short and max(map(len, column)) > MAX_KNOWN)


def _tuples(table: Sequence[Column], places: Sequence[int], rows: int) -> Sequence[tuple[str, ...]]:
    if not places:
        return list(repeat((), rows))
    return list(zip(*[table[at] for at in places], strict=True))


def _usual(emails: Sequence[str]) -> list[bool]:
    """Which are addresses in their normal form, at domains that are no likely typing errors."""
    domains = {email.partition("@")[2] for email in emails}
    return usual_among(emails, {domain for domain in domains if not likely_meant(domain)})


def _plain(cell: str) -> str | None:
    """A name, or a part of one, that stays as it is; None for others."""
    if not cell.isprintable() or cell[:1] == "'" or len(cell) > MAX_NAME:
        return None
    return cell.strip()


def _joined(parts: Sequence[str | None]) -> str | None:
    said = [part for part in parts if part]
    name = " ".join(said)
    return None if None in parts or len(name) > MAX_NAME else name
