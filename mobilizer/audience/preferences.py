"""Audience: what a member chose beside languages and lists. Fewer mails, none for a while, their sharing not counted.

Only who chose something has a row: whoever asks it of millions looks each of them up in a small table.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, ForeignKey, SQLColumnExpression, false, null, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.members import Member
from mobilizer.db import Base, BigId, clock

PAUSE_DAYS = 92  # three months, and never less


class Fewer(StrEnum):
    """What makes a member's mails fewer; the ledger gives it as a reason."""

    PAUSED = "paused"
    MONTHLY = "monthly"


class Preferences(Base):
    """One member's. `monthly` is at most one mail in thirty days; `uncounted`, that nothing is counted for them of what
    comes of their share link."""

    __tablename__ = "preferences"

    member_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    monthly: Mapped[bool] = mapped_column(default=False, server_default=false())
    paused_until: Mapped[datetime | None]
    uncounted: Mapped[bool] = mapped_column(default=False, server_default=false())


def preferences_of(session: Session, member_id: int) -> Preferences:
    """What a member chose; a pause that is over is none. Of who chose nothing, and of nobody, as it is for everyone."""
    pause = select(Preferences.paused_until).where(Preferences.member_id == member_id, _pausing())
    chosen = session.get(Preferences, member_id) or Preferences(member_id=member_id, monthly=False, uncounted=False)
    return Preferences(
        member_id=member_id,
        monthly=chosen.monthly,
        paused_until=session.scalar(pause),
        uncounted=chosen.uncounted,
    )


def get_fewer(session: Session, member_id: int, fewer: Fewer | None) -> None:
    """Let a member have a mail a month at most, or every mail (None); either ends a pause. Or pause their mails: what
    they had before comes back by itself, and a pause under way stays as long as it is."""
    chosen = _row(session, member_id)
    if fewer is not Fewer.PAUSED:
        chosen.monthly, chosen.paused_until = fewer is Fewer.MONTHLY, None
    elif preferences_of(session, member_id).paused_until is None:
        chosen.paused_until = session.scalars(select(clock(PAUSE_DAYS * 86_400))).one()
    session.flush()


def count_sharing(session: Session, member_id: int, *, counted: bool) -> None:
    """Whether what comes of a member's share link is counted for them."""
    _row(session, member_id).uncounted = not counted
    session.flush()


def unite(session: Session, gone: int, stays: int) -> None:
    """Let the member who stays have what either of two records chose: the fewer mails, and nothing counted."""
    theirs = session.get(Preferences, gone)
    if theirs is None:
        return
    mine = _row(session, stays)
    mine.monthly, mine.uncounted = mine.monthly or theirs.monthly, mine.uncounted or theirs.uncounted
    mine.paused_until = max(filter(None, (mine.paused_until, theirs.paused_until)), default=None)
    session.flush()


def paused(member: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether the member of a number has paused their mails."""
    return (
        select(Preferences.member_id)
        .where(Preferences.member_id == member, _pausing())
        .correlate_except(Preferences)
        .exists()
    )


def chose(fewer: Fewer) -> ColumnElement[bool]:
    """Whether a Member chose this: who is paused now, who gets a mail a month at most."""
    if fewer is Fewer.PAUSED:
        return paused(Member.id)
    return select(Preferences.member_id).where(Preferences.member_id == Member.id, Preferences.monthly).exists()


def uncounted(member: SQLColumnExpression[int] | SQLColumnExpression[int | None]) -> ColumnElement[bool]:
    """Whether the member of a number wants nothing counted for them of what comes of their share link."""
    return (
        select(Preferences.member_id)
        .where(Preferences.member_id == member, Preferences.uncounted)
        .correlate_except(Preferences)
        .exists()
    )


def _pausing() -> ColumnElement[bool]:
    return (Preferences.paused_until != null()) & (Preferences.paused_until > clock())


def _row(session: Session, member_id: int) -> Preferences:
    """The row to write to; whoever changes a member's preferences has locked the member."""
    chosen = session.get(Preferences, member_id, with_for_update=True)
    if chosen is None:
        chosen = Preferences(member_id=member_id)
        session.add(chosen)
        session.flush()
    return chosen
