"""Audience: what organizers note about a member. Sealed like the identity, and gone with the member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, Id, clock
from mobilizer.keys import Keyring
from mobilizer.problems import N_, Problem

MAX_NOTE = 5000


class MemberNote(Base):
    """One note about a member: who wrote it, and when. Its words are sealed for this member."""

    __tablename__ = "member_notes"

    id: Mapped[Id]
    member_id: Mapped[int] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(default=clock())
    sealed: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it is read. `author_id` is None where who wrote it is gone."""

    id: int
    at: datetime
    author_id: int | None
    text: str


def note_problems(text: str) -> list[Problem]:
    """What is wrong with the words of a note."""
    if not text.strip():
        return [Problem("note.empty", N_("Write the note first."), where="note")]
    if len(text) > MAX_NOTE:
        message = N_("The note is too long (letters: at most %(most)d).")
        return [Problem("note.long", message, {"most": MAX_NOTE}, where="note")]
    return []


def add_note(session: Session, keyring: Keyring, member_id: int, author_id: int | None, text: str) -> int:
    """Keep a note about a member; returns its number."""
    words = text.replace("\0", "").replace("\r\n", "\n").strip()
    row = MemberNote(member_id=member_id, author_id=author_id, sealed=keyring.seal(words, note_binding(member_id)))
    session.add(row)
    session.flush()
    return row.id


def notes_of(session: Session, keyring: Keyring, member_id: int) -> list[Note]:
    """The notes about a member, newest first. Raises keys.BadSeal."""
    rows = session.scalars(select(MemberNote).where(MemberNote.member_id == member_id).order_by(MemberNote.id.desc()))
    return [Note(row.id, row.at, row.author_id, keyring.open(row.sealed, note_binding(member_id))) for row in rows]


def erase_note(session: Session, member_id: int, note_id: int) -> bool:
    """Erase a note about a member, for good; whether it was there."""
    one = delete(MemberNote).where(MemberNote.id == note_id, MemberNote.member_id == member_id)
    return session.scalar(one.returning(MemberNote.id)) is not None


def note_binding(member_id: int) -> bytes:
    """What the words of a note are bound to."""
    return f"member-note:{member_id}".encode()
