"""Notices: what happened to a blast, and the mail about it to each organizer who wants one."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mobilizer.blasts.blasts import Blast
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.organizers.users import User


class Kind(StrEnum):
    """What can have happened to a blast that organizers are told of."""

    HELD = "held"  # the software stopped it
    FINISHED = "finished"  # every delivery is final
    UNCERTAIN = "uncertain"  # mails whose answer was lost: leave or resend?
    LATE = "late"  # its schedule came too late: now or another time?
    STUCK = "stuck"  # it was launched and its audience is still not frozen


class MailState(StrEnum):
    """Where the mail to one organizer stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # `why` says why
    DROPPED = "dropped"  # a newer notice says the same, or its reader is here no more


class Notice(Base):
    """One thing that happened to a blast. `occurrence` is the moment that tells it from the blast's others of its kind,
    so that it is noted once however often it is looked at. `reason` is a problem, as problems.write_problem writes it.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("blast_id", "kind", "occurrence"),
        CheckConstraint("kind IN ('held', 'finished', 'uncertain', 'late', 'stuck')", name="kind"),
    )

    id: Mapped[Id]
    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"))
    kind: Mapped[str]
    occurrence: Mapped[datetime]
    reason: Mapped[str] = mapped_column(default="")
    noted_at: Mapped[datetime] = mapped_column(default=clock())

    blast: Mapped[Blast] = relationship()
    mails: Mapped[list[NoticeMail]] = relationship(back_populates="notice")


class NoticeMail(Base):
    """The mail about a notice to one organizer. `sent_at` is set before the content leaves, and taken back where it
    definitely did not: between the two it may have arrived."""

    __tablename__ = "notice_mails"
    __table_args__ = (
        UniqueConstraint("notice_id", "user_id"),
        CheckConstraint("state IN ('waiting', 'sent', 'failed', 'dropped')", name="state"),
        Index("ix_notice_mails_due", "state", "next_at"),
    )

    id: Mapped[Id]
    notice_id: Mapped[int] = mapped_column(BigId, ForeignKey("notices.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default=MailState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=clock())
    sent_at: Mapped[datetime | None]
    why: Mapped[str] = mapped_column(default="", doc="Why the last try failed: 'relay', 'refused', 'unanswered' ...")

    notice: Mapped[Notice] = relationship(back_populates="mails")
    user: Mapped[User] = relationship()
