"""Organizers: signed-in browsers. The server keeps each session, so that it can be ended from here."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import Session

from mobilizer.db import clock
from mobilizer.organizers.factors import FactorRule
from mobilizer.organizers.users import User, UserSession

HALF_SECONDS = 600.0  # for the second factor, after the password
PROVED_SECONDS = 600.0  # for how long who has shown who they are need not show it again
_OWNED = (UserSession, UserSession.user_id == User.id)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose browser this is. `proved`: they showed who they are a moment ago; `owes_factor`: their role asks for a
    second factor, and they have none yet."""

    user: User
    proved: bool
    owes_factor: bool


@dataclass(frozen=True, slots=True)
class Browser:
    """One of the browsers somebody is signed in with; `mark` names it in a form."""

    mark: str
    name: str
    since: datetime
    here: bool


def begin_session(session: Session, user_id: int, hours: int, browser: str = "") -> str:
    """Sign a browser in for some hours. Returns the token for its cookie; only a hash of it is kept."""
    return _begin(session, UserSession(user_id=user_id, expires_at=clock(hours * 3600), browser=browser))


def begin_half(session: Session, user_id: int, browser: str = "") -> str:
    """A session that is good for one thing, to show the second factor within ten minutes. Returns its token."""
    return _begin(session, UserSession(user_id=user_id, expires_at=clock(HALF_SECONDS), browser=browser, half=True))


def signed_in(session: Session, token: str) -> SignedIn | None:
    """Whose browser this is, by a token whose session has not ended, if they may still sign in."""
    asked = exists().where(FactorRule.role == User.role)
    further = UserSession.proved_at > clock(-PROVED_SECONDS), asked & User.totp.is_(None)
    found = session.execute(select(User, *further).join(*_OWNED).where(*_open(token, half=False))).one_or_none()
    return SignedIn(*found) if found else None


def half_user(session: Session, token: str) -> User | None:
    """Who still has to show their second factor, by the token of a half session."""
    return session.scalar(select(User).join(*_OWNED).where(*_open(token, half=True)))


def prove(session: Session, token: str) -> None:
    """Whoever sits here has just shown again who they are."""
    session.execute(update(UserSession).where(UserSession.token_hash == _hash(token)).values(proved_at=clock()))


def end_session(session: Session, token: str) -> None:
    """Sign one browser out."""
    session.execute(delete(UserSession).where(UserSession.token_hash == _hash(token)))


def end_others(session: Session, user_id: int, token: str, mark: str = "") -> int:
    """Sign a user out of every browser but the one of `token`, or only of the one that `mark` names; how many."""
    others = delete(UserSession).where(UserSession.user_id == user_id, UserSession.token_hash != _hash(token))
    if mark:
        others = others.where(UserSession.token_hash == _marked(mark))
    return len(session.scalars(others.returning(UserSession.user_id)).all())


def browsers(session: Session, user_id: int, token: str) -> list[Browser]:
    """Where a user is signed in now, the latest first."""
    mine = select(UserSession).where(
        UserSession.user_id == user_id, UserSession.expires_at > clock(), UserSession.half.is_(False)
    )
    return [
        Browser(row.token_hash.hex(), row.browser, row.created_at, row.token_hash == _hash(token))
        for row in session.scalars(mine.order_by(UserSession.created_at.desc()))
    ]


def _begin(session: Session, row: UserSession) -> str:
    token = secrets.token_urlsafe(32)
    row.token_hash = _hash(token)
    session.execute(delete(UserSession).where(UserSession.expires_at <= clock()))
    session.add(row)
    return token


def _open(token: str, half: bool) -> tuple[ColumnElement[bool], ...]:
    return (
        UserSession.token_hash == _hash(token),
        UserSession.expires_at > clock(),
        UserSession.half.is_(half),
        User.disabled_at.is_(None),
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _marked(mark: str) -> bytes:
    try:
        return bytes.fromhex(mark)
    except ValueError:
        return b""
