"""Organizers: users and their server-side sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, Id, clock


class User(Base):
    """Someone who signs in. Address and name are sealed like a member's; `address_key` finds the row."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("role IN ('admin', 'organizer', 'translator', 'viewer')", name="role"),)

    id: Mapped[Id]
    address_key: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]
    password_hash: Mapped[str]
    role: Mapped[str]
    languages: Mapped[str] = mapped_column(default="", doc="What a translator may write, space-separated tags.")
    interface_language: Mapped[str] = mapped_column(default="en")
    totp: Mapped[bytes | None] = mapped_column(doc="The sealed secret of their second factor; None: they have none.")
    totp_step: Mapped[int | None] = mapped_column(BigId, doc="The step of the last code they used: none comes twice.")
    notices: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="Which notices they want, as far as they said.")
    created_at: Mapped[datetime] = mapped_column(default=clock())
    disabled_at: Mapped[datetime | None]


class UserSession(Base):
    """One signed-in browser. The cookie's token is kept only as a hash, so a leaked table signs nobody in.

    `half` says that the second factor is still to come. `proved_at` is when the person last showed who they are.
    `browser` is as much as helps to tell one's own apart ('Firefox, Linux'), and no more.
    """

    __tablename__ = "user_sessions"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=clock())
    proved_at: Mapped[datetime] = mapped_column(default=clock())
    expires_at: Mapped[datetime]
    half: Mapped[bool] = mapped_column(default=False)
    browser: Mapped[str] = mapped_column(default="")


def end_sessions(session: Session, user_id: int) -> None:
    """Sign a user out everywhere."""
    session.execute(delete(UserSession).where(UserSession.user_id == user_id))
