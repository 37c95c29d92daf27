"""Audience: headcounts. How many members there are, by list, standing and language, at once whatever their number.

Members are counted by stretches of their numbers. Full stretches are counted by the reconciler now and then (`recount`)
and kept; those above them, the newest members, are counted when somebody asks. See docs/adr/0016.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Row,
    Select,
    SQLColumnExpression,
    String,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, aliased, mapped_column

from mobilizer.audience.lists import Subscription
from mobilizer.audience.mailable import note_unmailable
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.db import Base, BigId, clock

WIDTH = 2**14  # members counted together
WHOLE = -1  # stands for all stretches that are kept
NO_LIST = 0
ANYHOW = ""  # of any standing, or of none
SUPPRESSED = "suppressed"
GOOD_SECONDS = 300.0  # a count is good for so long
BUDGET_SECONDS = 0.25

Line = Row[int, str, str, int]
Lines = Select[int, str, str, int]


class CountedStretch(Base):
    """A stretch of member numbers whose headcounts are kept, and as of when. WHOLE is there from the beginning."""

    __tablename__ = "counted_stretches"

    stretch: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    counted_at: Mapped[datetime] = mapped_column(default=clock())


class Headcount(Base):
    """So many members of a stretch: on a list with a standing, on any list (NO_LIST) with it, suppressed, or all.

    No foreign key: what a list that is gone leaves here goes with the next count, and nobody asks for it.
    """

    __tablename__ = "headcounts"

    stretch: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    list_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    standing: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    people: Mapped[int]


@dataclass(frozen=True, slots=True)
class Kept:
    """(list, standing, language, people) of the members numbered below `up_to`."""

    lines: Sequence[tuple[int, str, str, int]]
    up_to: int


def kept(session: Session, *which: ColumnElement[bool]) -> Kept:
    """The kept headcounts, or `which` of them: conditions on Headcount."""
    last = select(func.max(CountedStretch.stretch)).scalar_subquery()
    # One statement, so that the counts and how far they go are of one moment.
    rows = session.execute(
        select(last, Headcount.list_id, Headcount.standing, Headcount.language, Headcount.people)
        .select_from(CountedStretch)
        .outerjoin(Headcount, and_(Headcount.stretch == CountedStretch.stretch, *which))
        .where(CountedStretch.stretch == WHOLE)
    ).all()
    up_to = (rows[0][0] + 1) * WIDTH if rows else 0
    return Kept([(row[1], row[2], row[3], row[4]) for row in rows if row[1] is not None], up_to)


def counted_up_to(session: Session) -> int:
    """The lowest number that no kept count takes in."""
    return (session.scalars(select(func.max(CountedStretch.stretch))).one() + 1) * WIDTH


def as_of(session: Session) -> datetime | None:
    """Since when the oldest of what is kept may be out of date; None where nothing is kept, and all is as it is now."""
    return session.scalar(select(func.min(CountedStretch.counted_at)).where(CountedStretch.stretch != WHOLE))


def of_everyone(first: int, last: int | None = None) -> Lines:
    """Headcounts of all members numbered from `first`, up to and without `last`."""
    return _lines(literal(NO_LIST, BigId), literal(ANYHOW, String), _among(Member.id, first, last))


def of_lists(first: int, last: int | None = None) -> Lines:
    """Headcounts of these members by list and standing."""
    on = [Subscription.member_id == Member.id, *_among(Subscription.member_id, first, last)]
    among = _among(Member.id, first, last)
    return _lines(Subscription.list_id, Subscription.standing, among).join(Subscription, and_(*on))


def recount(session: Session) -> None:
    """Count stretches that have filled up, then those whose count is old: as many as there is time for."""
    mine = select(CountedStretch).where(CountedStretch.stretch == WHOLE).with_for_update(skip_locked=True)
    if session.scalar(mine) is None:
        return  # somebody else is at it
    until = time.monotonic() + BUDGET_SECONDS
    counted = 0
    for stretch in _due(session):
        _count(session, stretch)
        counted += 1
        if time.monotonic() > until:
            break
    if counted:
        _add_up(session)


def doubt(session: Session) -> None:
    """Have all counted anew at once: many members have changed."""
    long_ago = clock(-GOOD_SECONDS)
    session.execute(
        update(CountedStretch)
        .where(CountedStretch.stretch != WHOLE, CountedStretch.counted_at > long_ago)
        .values(counted_at=long_ago)
    )


def _lines(
    list_id: SQLColumnExpression[int],
    standing: SQLColumnExpression[str],
    among: Sequence[ColumnElement[bool]],
) -> Lines:
    by = [one for one in (list_id, standing) if isinstance(one, InstrumentedAttribute)]
    return select(list_id, standing, Member.language, func.count()).where(*among).group_by(*by, Member.language)


def _among(number: SQLColumnExpression[int], first: int, last: int | None) -> list[ColumnElement[bool]]:
    # Said of each table: no planner draws the conclusion from one to the other.
    return [number >= first] if last is None else [number >= first, number < last]


def _questions(first: int, last: int) -> Iterator[Lines]:
    """All that is kept of a stretch. Its members and where they are on are read once for all of it."""
    people = (
        select(Member.id, Member.language, Suppression.address_key.is_not(None).label("bad"))
        .outerjoin(Suppression, Suppression.address_key == Member.address_key)
        .where(*_among(Member.id, first, last))
        .cte("people")
    )
    on = (
        select(Subscription.list_id, Subscription.standing, people.c.language, people.c.bad, people.c.id)
        .join(people, people.c.id == Subscription.member_id)
        .where(*_among(Subscription.member_id, first, last))
        .cte("on_lists")
    )
    anywhere = select(on.c.standing, on.c.language, on.c.id).distinct().subquery()  # once, on however many lists
    none, anyhow, bad = literal(NO_LIST, BigId), literal(ANYHOW, String), literal(SUPPRESSED, String)
    yield _told(people, none, anyhow)
    yield _told(on, on.c.list_id, on.c.standing)
    yield _told(anywhere, none, anywhere.c.standing)
    yield _told(people, none, bad).where(people.c.bad)
    yield _told(on, on.c.list_id, bad).where(on.c.bad)


def _told(of: FromClause, list_id: ColumnElement[int], standing: ColumnElement[str]) -> Lines:
    by = [one for one in (list_id, standing) if isinstance(one, Column)]
    return select(list_id, standing, of.c.language, func.count()).select_from(of).group_by(*by, of.c.language)


def _due(session: Session) -> Iterator[int]:
    last = session.scalars(select(func.max(CountedStretch.stretch))).one()
    newest = session.scalar(select(func.max(Member.id))) or 0
    yield from range(last + 1, newest // WIDTH)
    old = select(CountedStretch.stretch).where(
        CountedStretch.stretch != WHOLE, CountedStretch.counted_at <= clock(-GOOD_SECONDS)
    )
    yield from session.scalars(old.order_by(CountedStretch.counted_at)).all()


def _count(session: Session, stretch: int) -> None:
    first, last = stretch * WIDTH, (stretch + 1) * WIDTH
    session.execute(delete(Headcount).where(Headcount.stretch == stretch))
    rows = union_all(*(each.add_columns(literal(stretch, BigId)) for each in _questions(first, last)))
    session.execute(insert(Headcount).from_select(["list_id", "standing", "language", "people", "stretch"], rows))
    note_unmailable(session, first, last)
    session.execute(
        _upsert(session)(CountedStretch)
        .values(stretch=stretch, counted_at=clock())
        .on_conflict_do_update(index_elements=[CountedStretch.stretch], set_={"counted_at": clock()})
    )


def _add_up(session: Session) -> None:
    """The sums of all stretches, so that who asks reads hundreds of rows and not hundreds of thousands."""
    by = (Headcount.list_id, Headcount.standing, Headcount.language)
    parts = select(literal(WHOLE, BigId), *by, func.sum(Headcount.people)).where(Headcount.stretch != WHOLE)
    upsert = _upsert(session)(Headcount).from_select([Headcount.stretch, *by, Headcount.people], parts.group_by(*by))
    new = upsert.excluded.people
    # Most stay as they are: what is read all the time isn't written all the time.
    session.execute(
        upsert.on_conflict_do_update(
            index_elements=[Headcount.stretch, *by], set_={"people": new}, where=Headcount.people != new
        )
    )
    part = aliased(Headcount)
    same = [getattr(part, one.key) == one for one in by]
    gone = ~exists().where(part.stretch != WHOLE, *same).correlate(Headcount)
    session.execute(
        delete(Headcount).where(Headcount.stretch == WHOLE, gone).execution_options(synchronize_session=False)
    )


def _upsert(session: Session) -> Callable[..., Any]:
    # Both are spelled alike, and have no type in common.
    made: Callable[..., Any] = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
    return made
