"""Audience: who can be mailed, and who cannot: kept ahead, so that whoever counts millions looks each of them up in one
small table instead of among all lists. See docs/adr/0016."""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.db import Base, BigId, numbers, one_of


class Unmailable(Base):
    """A member who could not be mailed when their stretch was counted (audience/headcounts.py).

    No foreign key: what one who is gone leaves here goes with the next count, and nobody asks for it.
    """

    __tablename__ = "unmailable"

    member_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)


def mailable() -> ColumnElement[bool]:
    """Confirmed on a list, and not suppressed: as it is now."""
    confirmed = exists().where(Subscription.member_id == Member.id, Subscription.standing == Standing.CONFIRMED)
    suppressed = exists().where(Suppression.address_key == Member.address_key)
    return confirmed.correlate(Member) & ~suppressed.correlate(Member)


def mailable_as_counted() -> ColumnElement[bool]:
    """The same as it was counted ahead: of members whose stretch is counted, and of no others."""
    return ~exists().where(Unmailable.member_id == Member.id).correlate(Member)


def note_unmailable(session: Session, first: int, last: int) -> None:
    """Write down who of the members numbered from `first`, up to and without `last`, can't be mailed. Most stay as they
    were: only what has changed is written."""
    confirmed = select(Subscription.member_id).where(
        Subscription.member_id >= first, Subscription.member_id < last, Subscription.standing == Standing.CONFIRMED
    )
    cannot = (
        select(Member.id)
        .outerjoin(Suppression, Suppression.address_key == Member.address_key)
        .where(Member.id >= first, Member.id < last)
        .where(Suppression.address_key.is_not(None) | Member.id.not_in(confirmed))
    )
    noted = select(Unmailable.member_id).where(Unmailable.member_id >= first, Unmailable.member_id < last)
    now, before = set(session.scalars(cannot)), set(session.scalars(noted))
    if fresh := sorted(now - before):
        session.execute(insert(Unmailable), [{"member_id": number} for number in fresh])
    if gone := before - now:
        leaving = delete(Unmailable).where(one_of(Unmailable.member_id, "gone"))
        session.connection().execute(leaving, {"gone": numbers(session.connection(), gone)})
