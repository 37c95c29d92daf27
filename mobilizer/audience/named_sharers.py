"""Audience: named sharers. Members who agreed that the organisers see their name beside what came of their link."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, clock


class NamedSharer(Base):
    """A member's consent, with the exact wording and its language. Taken back, it is gone."""

    __tablename__ = "named_sharers"

    member_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    wording: Mapped[str]
    wording_language: Mapped[str]
    agreed_at: Mapped[datetime] = mapped_column(default=clock())


def agree(session: Session, member_id: int, wording: str, language: str) -> None:
    """Keep a member's consent; one that was given before stays as it was."""
    if not is_named(session, member_id):
        session.add(NamedSharer(member_id=member_id, wording=wording, wording_language=language))
        session.flush()


def take_back(session: Session, member_id: int) -> None:
    """Forget a member's consent, at once."""
    session.execute(delete(NamedSharer).where(NamedSharer.member_id == member_id))


def is_named(session: Session, member_id: int) -> bool:
    """Whether a member agreed."""
    return session.get(NamedSharer, member_id) is not None
