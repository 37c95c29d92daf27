"""Blasts: draws by lot that a launch has made. Made once, and kept: the rest of a draw is the rest of those people.

To draw again for each piece of an audience would take long, put others in the place of those who leave meanwhile, and
let somebody be among the drawn of one blast and among the rest of a later one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Select,
    delete,
    exists,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from mobilizer.audience.members import Member
from mobilizer.db import Base, BigId, Id, clock


class Draw(Base):
    """A draw that was made. `name` says what was drawn, and of whom: who asks for the same is given the same people."""

    __tablename__ = "draws"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    drawn_at: Mapped[datetime] = mapped_column(default=clock())


class DrawnMember(Base):
    """A member who was drawn.

    No foreign key leads to the member: it would be asked for millions. Who is gone fits no rule.
    """

    __tablename__ = "drawn_members"

    draw_id: Mapped[int] = mapped_column(BigId, ForeignKey("draws.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, index=True)


def keep(session: Session, draws: Mapping[str, Select[int]]) -> None:
    """Make those of some draws that were not made yet, one after the other: (name, numbers of members).

    Whoever makes the same one meanwhile is waited for, and theirs holds.
    """
    if not draws:
        return
    made = set(session.scalars(select(Draw.name).where(Draw.name.in_(draws))))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    for name, people in draws.items():
        if name in made:
            continue
        number = session.scalar(dialect.insert(Draw).values(name=name).on_conflict_do_nothing().returning(Draw.id))
        if number is not None:
            found = people.subquery()
            rows = select(literal(number, BigId), found.c.id)
            session.execute(insert(DrawnMember).from_select(["draw_id", "member_id"], rows))


def is_drawn(name: str, people: Select[int]) -> ColumnElement[bool]:
    """The condition on Member: among those who were drawn when a draw was made; while it was not, among `people`."""
    kept = select(DrawnMember.member_id).join(Draw).where(Draw.name == name)
    fresh = people.where(~exists().where(Draw.name == name)).subquery()
    return Member.id.in_(union_all(kept, select(fresh.c.id)))


def drawn_on(session: Session, member_id: int) -> Sequence[datetime]:
    """When a member was drawn by lot, the latest first."""
    mine = select(Draw.drawn_at).join(DrawnMember).where(DrawnMember.member_id == member_id)
    return session.scalars(mine.order_by(Draw.drawn_at.desc())).all()


def hand_on(session: Session, gone: int, stays: int) -> None:
    """Who stays of two is drawn where either was."""
    other = aliased(DrawnMember)
    both = exists().where(other.draw_id == DrawnMember.draw_id, other.member_id == stays)
    theirs = update(DrawnMember).where(DrawnMember.member_id == gone, ~both).values(member_id=stays)
    session.execute(theirs.execution_options(synchronize_session=False))
    forget(session, gone)


def forget(session: Session, member_id: int) -> None:
    """Nobody keeps that this member was drawn."""
    gone = delete(DrawnMember).where(DrawnMember.member_id == member_id)
    session.execute(gone.execution_options(synchronize_session=False))
