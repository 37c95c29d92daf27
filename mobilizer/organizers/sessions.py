"""Organizers: signed-in browsers. The server keeps each session, so that it can be ended from here."""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from mobilizer.db import clock
from mobilizer.organizers.users import User, UserSession


def begin_session(session: Session, user_id: int, hours: int) -> str:
    """Sign a browser in for some hours. Returns the token for its cookie; only a hash of it is kept."""
    token = secrets.token_urlsafe(32)
    session.execute(delete(UserSession).where(UserSession.expires_at <= clock()))
    session.add(UserSession(token_hash=_hash(token), user_id=user_id, expires_at=clock(hours * 3600)))
    return token


def session_user(session: Session, token: str) -> User | None:
    """Whose browser this is: the user of a token whose session has not ended and who may still sign in."""
    found = (
        select(User)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.token_hash == _hash(token), UserSession.expires_at > clock(), User.disabled_at.is_(None))
    )
    return session.scalar(found)


def end_session(session: Session, token: str) -> None:
    """Sign one browser out."""
    session.execute(delete(UserSession).where(UserSession.token_hash == _hash(token)))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
