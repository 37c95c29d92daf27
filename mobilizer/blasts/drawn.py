"""Blasts: who was drawn by lot. Drawn once, and kept until each has a delivery.

To draw again for each piece of an audience would take long, and put others in the place of those who leave meanwhile.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, ForeignKey, delete, insert, literal, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.audience import audience
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import EVERYBODY, Blast
from mobilizer.blasts.narrowing import Chosen
from mobilizer.db import Base, BigId


class DrawnMember(Base):
    """A member whom a blast that draws goes to, and who has no delivery yet.

    No foreign key leads to the member: it would be asked for millions. Who is gone gets no delivery.
    """

    __tablename__ = "drawn_members"

    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)


def draw(session: Session, blast: Blast, chosen: Chosen) -> None:
    """Write down whom a blast goes to as things are now: one statement, so that every draw is of one moment."""
    included = [target.list_id for target in blast.targets if target.included]
    excluded = [target.list_id for target in blast.targets if not target.included]
    people = audience(included, excluded, only=chosen.where).subquery()
    rows = select(literal(blast.id, BigId), people.c.member_id)
    session.execute(insert(DrawnMember).from_select(["blast_id", "member_id"], rows))


def drawn(blast_id: int, after: int, up_to: int) -> ColumnElement[bool]:
    """The condition on Member: drawn for a blast, of those numbered above `after` and no higher than `up_to`."""
    return Member.id.in_(select(DrawnMember.member_id).where(*_between(blast_id, after, up_to)))


def forget(session: Session, blast_id: int, after: int = 0, up_to: int = EVERYBODY) -> None:
    """These have their deliveries, or will have none."""
    session.execute(
        delete(DrawnMember).where(*_between(blast_id, after, up_to)).execution_options(synchronize_session=False)
    )


def _between(blast_id: int, after: int, up_to: int) -> tuple[ColumnElement[bool], ...]:
    number = DrawnMember.member_id
    return DrawnMember.blast_id == blast_id, number > after, number <= up_to
