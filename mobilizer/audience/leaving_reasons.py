"""Audience: why members left. Asked after they have, never required; organizers get sums, and words without a name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, clock
from mobilizer.keys import Keyring

MOST_WORDS = 500  # characters


class Why(StrEnum):
    """What may be ticked."""

    TOO_MANY = "too_many"
    NOT_MINE = "not_mine"
    NEVER_ASKED = "never_asked"
    LANGUAGE = "language"
    SAFETY = "safety"
    OTHER = "other"


class LeavingReason(Base):
    """What one member gave as their reason, the last time: a Why or nothing, and words of their own, sealed."""

    __tablename__ = "leaving_reasons"

    member_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    choice: Mapped[str]
    sealed: Mapped[bytes | None]
    language: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock(), index=True)


def words_binding(member_id: int) -> bytes:
    """What the seal of a member's words is bound to."""
    return b"leaving_reason:%d" % member_id


def tell(session: Session, keyring: Keyring, member_id: int, choice: str, words: str, language: str) -> bool:
    """Keep a member's reason, instead of one they gave before; False if there is none in it."""
    known, said = choice if choice in set(Why) else "", words.strip()[:MOST_WORDS]
    if not (known or said):
        return False
    sealed = keyring.seal(said, words_binding(member_id)) if said else None
    row = LeavingReason(member_id=member_id, choice=known, sealed=sealed, language=language, at=clock())
    session.merge(row)
    session.flush()
    return True


def given(session: Session, keyring: Keyring, member_id: int) -> tuple[str, str] | None:
    """(choice, words) of one member, for their own record. Raises keys.BadSeal."""
    row = session.get(LeavingReason, member_id)
    if row is None:
        return None
    return row.choice, keyring.open(row.sealed, words_binding(member_id)) if row.sealed else ""


def has_told(session: Session, member_id: int) -> bool:
    """Whether a member has given a reason."""
    return session.get(LeavingReason, member_id) is not None


def take_back(session: Session, member_id: int) -> None:
    """Forget the reason of a member who came back."""
    session.execute(delete(LeavingReason).where(LeavingReason.member_id == member_id))


def hand_on(session: Session, keyring: Keyring, gone: int, stays: int) -> None:
    """Give the reason of a record that is merged to the member who stays, if they gave none. Raises keys.BadSeal."""
    theirs, mine = session.get(LeavingReason, gone), session.get(LeavingReason, stays)
    if theirs is not None and mine is None:
        choice, words = given(session, keyring, gone) or ("", "")
        if tell(session, keyring, stays, choice, words, theirs.language):
            session.get_one(LeavingReason, stays).at = theirs.at  # it is forgotten when it would have been
            session.flush()


def sums(session: Session) -> dict[str, int]:
    """How many people gave each reason, the commonest first; '' is none of the offered ones."""
    people = func.count()
    rows = session.execute(select(LeavingReason.choice, people).group_by(LeavingReason.choice).order_by(people.desc()))
    return dict(rows.all())


def own_words(session: Session, keyring: Keyring, limit: int) -> Sequence[str]:
    """What people wrote of their own, by the words, which say nothing of who and when. Raises keys.BadSeal."""
    rows = session.execute(
        select(LeavingReason.member_id, LeavingReason.sealed)
        .where(LeavingReason.sealed.is_not(None))
        .order_by(LeavingReason.at.desc())
        .limit(limit)
    )
    return sorted(keyring.open(sealed, words_binding(member)) for member, sealed in rows if sealed)


def forget_reasons(session: Session, seconds: float, limit: int) -> int:
    """Delete reasons that are older than `seconds`, at most `limit`; how many."""
    old = select(LeavingReason.member_id).where(LeavingReason.at < clock(-seconds)).limit(limit)
    gone = delete(LeavingReason).where(LeavingReason.member_id.in_(old)).returning(LeavingReason.member_id)
    return len(session.scalars(gone).all())
