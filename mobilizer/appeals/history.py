"""Appeals: the history. Every version of every field of every translation: who saved it, when, and its words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Index, Select, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.db import Base, BigId, Id, clock

FOLD_SECONDS = 600.0
SAVED, AUTOSAVED, RESTORED, IMPORTED = "saved", "autosaved", "restored", "imported"


@dataclass(frozen=True, slots=True)
class Edit:
    """Whose hand changes words, a user's number or nobody's, and how: one of the four above."""

    by: int | None = None
    how: str = SAVED


class Version(Base):
    """The words of one field of one translation, as somebody left them. It outlives the translation, not the appeal."""

    __tablename__ = "versions"
    __table_args__ = (Index("ix_versions_field", "appeal_id", "language", "field", "id"),)

    id: Mapped[Id]
    appeal_id: Mapped[int] = mapped_column(BigId, ForeignKey("appeals.id", ondelete="CASCADE"))
    language: Mapped[str]
    field: Mapped[str]
    words: Mapped[str]
    content_hash: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    how: Mapped[str] = mapped_column(default=SAVED)
    began_at: Mapped[datetime] = mapped_column(default=clock())
    changed_at: Mapped[datetime] = mapped_column(default=clock())


def hash_of(*words: str) -> str:
    """A short text that is the same for the same words only."""
    return hashlib.blake2b("\0".join(words).encode(), digest_size=8).hexdigest()


def remember(session: Session, translation: Translation, field: str, words: str, edit: Edit, *, keep: bool) -> None:
    """Keep what a field is about to become. With `keep`, what it was until now stays a version of its own.

    What one person autosaves within FOLD_SECONDS is one version; a save by hand ends it.
    """
    last = session.scalar(_of_field(translation, field).order_by(Version.id.desc()).limit(1))
    before = getattr(translation, field)
    if last is None and before:  # from before there was a history
        session.add(_version(translation, field, before, Edit(), translation.changed_at))
    if last is not None and not keep and _folds(session, last, edit):
        last.words, last.content_hash, last.how, last.changed_at = words, hash_of(words), edit.how, clock()
    else:
        session.add(_version(translation, field, words, edit))
    session.flush()


def versions(session: Session, translation: Translation, field: str = "", most: int = 200) -> Sequence[Version]:
    """The versions of a translation, or of one of its fields, newest first."""
    return session.scalars(_of_field(translation, field).order_by(Version.id.desc()).limit(most)).all()


def version(session: Session, translation: Translation, number: int) -> Version | None:
    """One version of this translation."""
    return session.scalar(_of_field(translation).where(Version.id == number))


def authors(session: Session, appeal: Appeal) -> dict[str, set[int]]:
    """Who wrote the words that each language has now: users' numbers by tag."""
    wrote = select(Version.language, Version.field, Version.by_id).where(Version.appeal_id == appeal.id)
    now: dict[tuple[str, str], int | None] = {}
    for tag, field, by in session.execute(wrote.order_by(Version.id)):
        now[tag, field] = by
    return {tag: {by for (other, _), by in now.items() if other == tag and by is not None} for tag, _ in now}


def lately(session: Session, translation: Translation, others_than: int) -> int | None:
    """Who else changed this translation in the last minutes, and may be writing still."""
    written = _of_field(translation).where(Version.by_id != others_than, Version.changed_at > clock(-FOLD_SECONDS))
    found = session.scalar(written.order_by(Version.changed_at.desc()).limit(1))
    return found.by_id if found else None


def _of_field(translation: Translation, field: str = "") -> Select[Version]:
    found = select(Version).where(Version.appeal_id == translation.appeal_id, Version.language == translation.language)
    return found.where(Version.field == field) if field else found


def _folds(session: Session, last: Version, edit: Edit) -> bool:
    """Whether a save goes on with the last version: of the same person, a moment ago, and saved by itself."""
    if last.how != AUTOSAVED or last.by_id != edit.by or edit.how not in (AUTOSAVED, SAVED):
        return False
    fresh = select(Version.id).where(Version.id == last.id, Version.changed_at > clock(-FOLD_SECONDS))
    return session.scalar(fresh) is not None


def _version(translation: Translation, field: str, words: str, edit: Edit, since: datetime | None = None) -> Version:
    made = Version(
        appeal_id=translation.appeal_id,
        language=translation.language,
        field=field,
        words=words,
        content_hash=hash_of(words),
        by_id=edit.by,
        how=edit.how,
    )
    if since is not None:
        made.began_at = made.changed_at = since
    return made
