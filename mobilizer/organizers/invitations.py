"""Organizers: invitations. A link that lets one person in, once, within three days, with the role that it carries."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, and_, delete, exists, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, Id, clock
from mobilizer.keys import Keyring
from mobilizer.organizers.accounts import address_key, address_problems, create_user, seal_person
from mobilizer.organizers.passwords import problems_of
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from mobilizer.problems import Problem

GOOD_HOURS = 72


class Invitation(Base):
    """Someone who may become a user. Address and name are sealed as a user's; the link's token is kept as a hash."""

    __tablename__ = "invitations"

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    address_key: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]
    role: Mapped[str]
    languages: Mapped[str] = mapped_column(default="")
    interface_language: Mapped[str]
    invited_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock())
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation in clear words."""

    id: int
    email: str
    name: str
    role: str
    languages: tuple[str, ...]
    interface_language: str
    expires_at: datetime


def invite(
    session: Session,
    keyring: Keyring,
    *,
    email: str,
    name: str,
    role: Role,
    languages: Sequence[str],
    interface_language: str,
    by: int | None,
) -> tuple[Invited, str] | list[Problem]:
    """Invite someone, in place of an earlier invitation of theirs. Returns it and the token of its link, which nobody
    can tell afterwards; or why not."""
    email = email.strip().lower()
    problems = address_problems(session, keyring, email)
    if problems:
        return problems
    key, token = address_key(keyring, email), secrets.token_urlsafe(32)
    session.execute(delete(Invitation).where(Invitation.address_key == key))
    row = Invitation(
        token_hash=_hash(token),
        address_key=key,
        sealed=seal_person(keyring, key, email, name),
        role=role,
        languages=" ".join(languages),
        interface_language=interface_language,
        invited_by_id=by,
        expires_at=clock(GOOD_HOURS * 3600),
    )
    session.add(row)
    session.flush()
    return _told(keyring, row), token


def invited(session: Session, keyring: Keyring, token: str) -> Invited | None:
    """Whom a token invites, while it is good."""
    row = session.scalar(select(Invitation).where(Invitation.token_hash == _hash(token), _is_good()))
    return _told(keyring, row) if row else None


def invitations(session: Session, keyring: Keyring) -> list[Invited]:
    """Everyone who is invited and has not come yet, the newest first."""
    return [
        _told(keyring, row)
        for row in session.scalars(select(Invitation).where(_is_good()).order_by(Invitation.id.desc()))
    ]


def accept(session: Session, keyring: Keyring, token: str, name: str, password: str) -> User | list[Problem] | None:
    """Make a user of whom a token invites, or say why not; None: the token is not good.

    Of two who come with it at once, one finds it taken.
    """
    if problems := problems_of(password):
        return problems
    taken = delete(Invitation).where(Invitation.token_hash == _hash(token), _is_good()).returning(Invitation)
    row = session.scalars(taken).one_or_none()
    if row is None:
        return None
    person = _told(keyring, row)
    return create_user(
        session,
        keyring,
        email=person.email,
        name=name,
        role=Role(person.role),
        password=password,
        languages=person.languages,
        interface_language=person.interface_language,
    )


def revoke(session: Session, number: int) -> bool:
    """Take an invitation back; whether there was one."""
    gone = delete(Invitation).where(Invitation.id == number).returning(Invitation.id)
    return session.scalar(gone) is not None


def forget_late(session: Session) -> int:
    """Forget the invitations that are good no more; how many."""
    late = delete(Invitation).where(~_is_good()).returning(Invitation.id)
    return len(session.scalars(late).all())


def _is_good() -> ColumnElement[bool]:
    """In time, and from who may invite still: somebody whose right was taken must not let themselves in again."""
    may = exists().where(User.id == Invitation.invited_by_id, User.role == Role.ADMIN, User.disabled_at.is_(None))
    return and_(Invitation.expires_at > clock(), or_(Invitation.invited_by_id.is_(None), may))


def _told(keyring: Keyring, row: Invitation) -> Invited:
    email, _, name = keyring.open(row.sealed, bound_to=row.address_key).partition("\0")
    tags = tuple(row.languages.split())
    return Invited(row.id, email, name, row.role, tags, row.interface_language, row.expires_at)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
