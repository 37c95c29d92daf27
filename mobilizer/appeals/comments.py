"""Appeals: comments on a field of a translation, from who writes it and who reads it, until they are resolved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import BY_NAME
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.problems import N_, Problem

MOST_LETTERS = 2000


class Comment(Base):
    """What somebody says about a field in one language."""

    __tablename__ = "comments"
    __table_args__ = (Index("ix_comments_language", "appeal_id", "language", "id"),)

    id: Mapped[Id]
    appeal_id: Mapped[int] = mapped_column(BigId, ForeignKey("appeals.id", ondelete="CASCADE"))
    language: Mapped[str]
    field: Mapped[str]
    words: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock())
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))


def comment(session: Session, translation: Translation, field: str, words: str, by: int) -> list[Problem]:
    """Say something about a field, or say why it can't be said."""
    words = words.replace("\r\n", "\n").strip()
    if field not in BY_NAME or not words or len(words) > MOST_LETTERS:
        message = N_("A comment needs a field and some words (letters at most: %(most)d).")
        return [Problem("comment.unfit", message, {"most": MOST_LETTERS})]
    appeal, language = translation.appeal_id, translation.language
    session.add(Comment(appeal_id=appeal, language=language, field=field, words=words, by_id=by))
    return []


def comments(session: Session, translation: Translation) -> Sequence[Comment]:
    """The comments on a translation, oldest first."""
    asked = Comment.appeal_id == translation.appeal_id, Comment.language == translation.language
    return session.scalars(select(Comment).where(*asked).order_by(Comment.id)).all()


def open_comments(session: Session, appeal: Appeal) -> dict[str, int]:
    """How many comments wait in each language."""
    waiting = select(Comment.language).where(Comment.appeal_id == appeal.id, Comment.resolved_at.is_(None))
    found: dict[str, int] = {}
    for tag in session.scalars(waiting):
        found[tag] = found.get(tag, 0) + 1
    return found


def resolve(session: Session, translation: Translation, number: int, by: int) -> bool:
    """Mark a comment of this translation as resolved; False if there is none that waits."""
    found = next((one for one in comments(session, translation) if one.id == number), None)
    if found is None or found.resolved_at is not None:
        return False
    found.resolved_at, found.resolved_by_id = clock(), by
    session.flush()
    return True
