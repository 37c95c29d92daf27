"""Audience: joining and leaving. Every change of a member's standing on a list goes through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.db import clock


@dataclass(frozen=True, slots=True)
class Membership:
    """A member's standing on one list, as they themselves may see it."""

    list_id: int
    slug: str
    name: str
    description: str
    standing: Standing
    joined_at: datetime
    changed_at: datetime

    @property
    def confirmed(self) -> bool:
        """Whether this list's mail reaches the member."""
        return self.standing is Standing.CONFIRMED


def subscribe(
    session: Session,
    member_id: int,
    list_id: int,
    *,
    how: str,
    wording: str = "",
    wording_language: str = "",
    standing: Standing = Standing.CONFIRMED,
) -> None:
    """Put a member on a list by their own act: `how` they came and the exact `wording` they agreed to, in
    which language.

    A confirmed member stays confirmed, with the first consent, whatever is asked again; one who had left
    comes back with a new date and the new consent.
    """
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert
    fresh = {"standing": standing, "joined_at": clock(), "changed_at": clock(), "how": how, "wording": wording}
    fresh["wording_language"] = wording_language
    session.execute(
        insert(Subscription)
        .values(member_id=member_id, list_id=list_id, **fresh)
        .on_conflict_do_update(
            index_elements=[Subscription.list_id, Subscription.member_id],
            set_=fresh,
            where=Subscription.standing != Standing.CONFIRMED,
        )
    )


def leave_all(session: Session, member_id: int) -> list[int]:
    """Take a member off every list; returns the lists they left just now, so the second time none.

    All of them carry the same `changed_at`: `left_together` finds them again for an undo.
    """
    return _leave(session, member_id, None)


def leave(session: Session, member_id: int, list_ids: Sequence[int]) -> list[int]:
    """Take a member off some lists; returns those they left just now."""
    return _leave(session, member_id, list_ids)


def leave_list(session: Session, list_id: int, member_ids: Sequence[int]) -> None:
    """Take many members off one list."""
    if member_ids:
        on = Subscription.list_id == list_id, Subscription.standing != Standing.UNSUBSCRIBED
        gone = update(Subscription).where(*on, Subscription.member_id.in_(member_ids))
        session.execute(gone.values(standing=Standing.UNSUBSCRIBED, changed_at=_moment(session)))


def rejoin(session: Session, member_id: int, list_ids: Sequence[int]) -> list[int]:
    """Bring a member back to lists they had left, as they were; returns those that changed.

    A list they never were on is not joined: that takes `subscribe` and a wording.
    """
    statement = (
        update(Subscription)
        .where(Subscription.member_id == member_id, Subscription.list_id.in_(list_ids))
        .where(Subscription.standing == Standing.UNSUBSCRIBED)
        .values(standing=Standing.CONFIRMED, changed_at=_moment(session))
        .returning(Subscription.list_id)
    )
    return sorted(session.scalars(statement))


def left_together(session: Session, member_id: int, within_days: int) -> list[int]:
    """The lists that a member's latest act of leaving took them off, unless it is older than `within_days`."""
    rows = session.execute(
        select(Subscription.list_id, Subscription.changed_at)
        .where(Subscription.member_id == member_id, Subscription.standing == Standing.UNSUBSCRIBED)
        .where(Subscription.changed_at >= clock(-within_days * 86400))
    ).all()
    latest = max((row.changed_at for row in rows), default=None)
    return sorted(row.list_id for row in rows if row.changed_at == latest)


def on_discreet_list(session: Session, member_id: int) -> bool:
    """Whether a member is or was on a list that is discreet: then no letter to them says whose it is."""
    there = select(Subscription.list_id).join(MemberList, MemberList.id == Subscription.list_id)
    there = there.where(Subscription.member_id == member_id, MemberList.discreet)
    return session.scalar(there.limit(1)) is not None


def lists_of(session: Session, member_id: int) -> list[Membership]:
    """Every list that a member is or was on, the confirmed ones first, then by name."""
    rows = session.execute(
        select(Subscription, MemberList)
        .join(MemberList, MemberList.id == Subscription.list_id)
        .where(Subscription.member_id == member_id)
        .order_by(case((Subscription.standing == Standing.CONFIRMED, 0), else_=1), MemberList.name, MemberList.id)
    )
    return [
        Membership(at.id, at.slug, at.name, at.description, Standing(row.standing), row.joined_at, row.changed_at)
        for row, at in rows
    ]


def _leave(session: Session, member_id: int, list_ids: Sequence[int] | None) -> list[int]:
    # Nobody puts them on another list meanwhile (see joining.join): who leaves all has left all.
    session.execute(select(Member.id).where(Member.id == member_id).with_for_update(key_share=True))
    statement = (
        update(Subscription)
        .where(Subscription.member_id == member_id, Subscription.standing != Standing.UNSUBSCRIBED)
        .values(standing=Standing.UNSUBSCRIBED, changed_at=_moment(session))
        .returning(Subscription.list_id)
    )
    if list_ids is not None:
        statement = statement.where(Subscription.list_id.in_(list_ids))
    return sorted(session.scalars(statement))


def _moment(session: Session) -> datetime:
    # PostgreSQL's clock_timestamp() moves on between the rows of one statement; one act is one moment.
    moment: datetime = session.scalars(select(clock())).one()
    return moment
