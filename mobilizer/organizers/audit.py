"""Organizers: the audit log, who did what; it is only ever added to and holds no address."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, Id, clock


class AuditEntry(Base):
    """One act of a user: `action` is a verb ('blast.launch'), `subject` what it was done to ('blast:3')."""

    __tablename__ = "audit"

    id: Mapped[Id]
    at: Mapped[datetime] = mapped_column(default=clock(), index=True)
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    action: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


def record(session: Session, user_id: int | None, action: str, subject: str, **detail: object) -> None:
    """Add an entry. `detail` must hold no address and no name."""
    session.add(AuditEntry(user_id=user_id, action=action, subject=subject, detail=detail))
