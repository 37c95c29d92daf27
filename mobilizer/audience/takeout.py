"""Audience: taking members out, as a file that comes in again unchanged. Written as it is read, a chunk at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from mobilizer.audience.fields import definitions
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.audience.tagging import tags_of
from mobilizer.db import Database
from mobilizer.guarding import guard
from mobilizer.keys import Keyring
from mobilizer.problems import N_, Problem

CHUNK = 1000
LEAST_REASON, MOST_REASON = 10, 300
# By these names an import knows them again (see exports.EXPORTS).
HEADER = (
    "email",
    "name",
    "language",
    "second language",
    "country",
    "time zone",
    "subscribed",
    "tags",
    "joined",
    "consent",
    "wording",
    "wording language",
)
SUBSCRIBED = "subscribed"  # whoever is taken out is


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is taken out: confirmed members who may be mailed. Of a list, else of any; of a language; who fit."""

    list_id: int | None = None
    language: str = ""
    fits: ColumnElement[bool] | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a member must fit."""
        found = [
            exists().where(Subscription.member_id == Member.id, *self.on()),
            ~exists().where(Suppression.address_key == Member.address_key),
        ]
        found += [Member.language == self.language] if self.language else []
        return found if self.fits is None else [*found, self.fits]

    def on(self) -> list[ColumnElement[bool]]:
        """What the subscription must fit for which they are taken out."""
        confirmed = Subscription.standing == Standing.CONFIRMED
        return [confirmed] if self.list_id is None else [confirmed, Subscription.list_id == self.list_id]


def reason_problems(reason: str) -> list[Problem]:
    """What is wrong with the reason for taking members out: it is kept in the audit log, in the clear."""
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        message = N_("Say in a sentence what the file is for (%(least)d to %(most)d letters).")
        return [Problem("export.reason", message, {"least": LEAST_REASON, "most": MOST_REASON}, where="reason")]
    if "@" in reason:
        message = N_("Write no address here: the reason is kept as it is.")
        return [Problem("export.reason_address", message, where="reason")]
    return []


def count_wanted(session: Session, wanted: Wanted) -> int:
    """How many members would be taken out now."""
    return session.scalars(select(func.count()).select_from(Member).where(*wanted.conditions())).one()


def take_out(database: Database, keyring: Keyring, wanted: Wanted) -> Iterator[tuple[int, str]]:
    """(rows, text) of a CSV file in UTF-8, a chunk of members at a time: memory stays the same however many there are.

    Cells that a spreadsheet would run as a formula are guarded; an import takes the guard off again. Who joins or
    leaves meanwhile may be in it or not; nobody is in it twice. Raises keys.BadSeal.
    """
    with database.read() as session:
        names = _attributes(session, wanted)
    # The mark lets every spreadsheet read it as UTF-8.
    yield 0, "\ufeff" + _lines([[*HEADER, *names]])
    after = 0
    while True:
        with database.read() as session:
            asked = select(Member).where(Member.id > after, *wanted.conditions()).order_by(Member.id).limit(CHUNK)
            members = session.scalars(asked).all()
            beside = _beside(session, wanted, [member.id for member in members])
            rows = [(m.id, _cells(m, keyring, beside[m.id], names)) for m in members]
        if not rows:
            return
        after = rows[-1][0]
        yield len(rows), _lines([cells for _, cells in rows])


def _attributes(session: Session, wanted: Wanted) -> list[str]:
    """The fields that the organisation has defined, and whatever else somebody's attributes are called."""
    found = set(definitions(session))
    asked = select(Member.attributes).where(*wanted.conditions()).execution_options(yield_per=CHUNK)
    for values in session.scalars(asked):
        found |= values.keys()
    return sorted(found)


def _beside(session: Session, wanted: Wanted, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Tags of members, the day they joined (ISO 8601), how, and to which words they agreed in which language, by
    number: for the list that is asked, else the first that they came to of those they are on."""
    tags = tags_of(session, numbers)
    found = session.execute(
        select(
            Subscription.member_id,
            Subscription.joined_at,
            Subscription.how,
            Subscription.wording,
            Subscription.wording_language,
        )
        .where(Subscription.member_id.in_(numbers), *wanted.on())
        .order_by(Subscription.joined_at.desc(), Subscription.list_id.desc())  # the last one said is the first
    )
    told = {number: (f"{joined:%Y-%m-%d}", *consent) for number, joined, *consent in found}
    blank = ("", "", "", "")
    return {number: (", ".join(tags.get(number, {}).values()), *told.get(number, blank)) for number in numbers}


def _cells(member: Member, keyring: Keyring, beside: Sequence[str], names: Sequence[str]) -> list[str]:
    identity = member.identity(keyring)
    known = (member.language, member.second_language, member.country, member.time_zone)
    said = [identity.email, identity.name, *(value or "" for value in known), SUBSCRIBED, *beside]
    return [*said, *(str(member.attributes.get(name, "")) for name in names)]


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = StringIO()
    csv.writer(out).writerows([guard(cell) for cell in cells] for cells in rows)
    return out.getvalue()
