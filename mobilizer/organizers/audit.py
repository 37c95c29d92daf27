"""Organizers: the audit log, who did what; it is only ever added to, each entry vouches for the one before, and it
holds no address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, event, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, Id, clock
from mobilizer.organizers.chain import EMPTY, digest

_WAITING = "audit"
_AT_ONCE = 1000


class AuditEntry(Base):
    """One act of a user: `action` is a verb ('blast.launch'), `subject` what it was done to ('blast:3').

    Triggers of the database refuse to change or delete one. `hash` is chain.digest of it and of the entry before.
    """

    __tablename__ = "audit"

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id"))
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    hash: Mapped[bytes]


class AuditHead(Base):
    """The one row that says which entry is the last. Who adds to the log locks it, so that the chain never forks."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[int] = mapped_column(BigId)
    hash: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of verifying the log: its last number and hash, and the first number where it is broken, if it is."""

    last: int
    hash: bytes
    broken_at: int | None = None


def record(session: Session, user_id: int | None, action: str, subject: str, **detail: object) -> None:
    """Add an entry as the transaction commits. `detail` must hold no address and no name.

    Not before: whoever holds the head of the chain makes everybody else wait.
    """
    entry = AuditEntry(user_id=user_id, action=action, subject=subject, detail=detail)
    session.info.setdefault(_WAITING, []).append(entry)


def verify(session: Session) -> Verdict:
    """Read the whole log and follow its chain to the head."""
    number, last = 0, EMPTY
    while some := _after(session, number):
        for entry in some:
            number = entry.id
            said = digest(last, number, entry.at, entry.user_id, entry.action, entry.subject, entry.detail)
            if said != entry.hash:
                return Verdict(number, last, broken_at=number)
            last = entry.hash
    head = session.get(AuditHead, 1)
    if head is None or (head.entry_id, head.hash) != (number, last):
        return Verdict(number, last, broken_at=number + 1)
    return Verdict(number, last)


def _after(session: Session, number: int) -> Sequence[AuditEntry]:
    return session.scalars(
        select(AuditEntry).where(AuditEntry.id > number).order_by(AuditEntry.id).limit(_AT_ONCE)
    ).all()


@event.listens_for(Session, "before_commit")
def _chain(session: Session) -> None:
    waiting: list[AuditEntry] = session.info.pop(_WAITING, [])
    if not waiting:
        return
    head = select(AuditHead.entry_id, AuditHead.hash, clock()).where(AuditHead.id == 1).with_for_update()
    number, last, now = session.execute(head).one()
    for entry in waiting:
        number += 1
        entry.id, entry.at = number, now
        last = entry.hash = digest(last, number, now, entry.user_id, entry.action, entry.subject, entry.detail)
    session.add_all(waiting)
    session.execute(update(AuditHead).values(entry_id=number, hash=last).where(AuditHead.id == 1))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop(_WAITING, None)
