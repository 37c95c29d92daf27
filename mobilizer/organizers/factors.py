"""Organizers: second factors. The codes of an app (TOTP, RFC 6238), recovery codes, and which roles need one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime

import pyotp
import segno
from sqlalchemy import ForeignKey, delete, func, insert, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.codes import share_codes
from mobilizer.db import Base, BigId
from mobilizer.keys import Keyring
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User, end_sessions

STEP_SECONDS = 30
SLACK_STEPS = 1  # how far the clock of a phone may be off, either way
RECOVERY_CODES = 10
_SECRET = re.compile("[A-Z2-7]{32}")
_HALF = 5  # letters of a recovery code, of which a blank stands in the middle


class RecoveryCode(Base):
    """A code that stands in for the app once; it is deleted as it is used. Only a keyed hash of it is kept."""

    __tablename__ = "recovery_codes"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), index=True)


class FactorRule(Base):
    """A role whose people must have a second factor."""

    __tablename__ = "factor_rules"

    role: Mapped[str] = mapped_column(primary_key=True)


def secret_binding(user_id: int) -> bytes:
    """What the sealed secret of a user is bound to."""
    return b"totp %d" % user_id


def new_secret() -> str:
    """A fresh secret of 160 bits in base 32 (RFC 4226, 4), as apps take it."""
    return str(pyotp.random_base32())


def address_of(secret: str, account: str, issuer: str) -> str:
    """The `otpauth:` address that an app reads from a picture."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer))


def picture(address: str) -> str:
    """An address as a QR code (ISO/IEC 18004): SVG without a style of its own, dark on light in every theme."""
    return str(segno.make(address, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True))


def begin_factor(session: Session, keyring: Keyring, user: User, secret: str, code: str, now: datetime) -> list[str]:
    """Give a user a second factor, if `code` shows that their app has the secret; their sessions end.

    Returns their recovery codes, to be shown once; none: the code is not the app's.
    """
    step = _step(secret, "".join(code.split()), now) if _SECRET.fullmatch(secret) else None
    if step is None:
        return []
    user.totp, user.totp_step = keyring.seal(secret, bound_to=secret_binding(user.id)), step
    end_sessions(session, user.id)
    return renew_codes(session, keyring, user)


def end_factor(session: Session, user: User) -> None:
    """Take a user's second factor away, with its recovery codes; their sessions end."""
    user.totp = user.totp_step = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    end_sessions(session, user.id)


def renew_codes(session: Session, keyring: Keyring, user: User) -> list[str]:
    """Fresh recovery codes in place of the old ones; shown once."""
    codes = [share_codes(1)[0] for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    session.execute(
        insert(RecoveryCode), [{"hash": _hash(keyring, user.id, code), "user_id": user.id} for code in codes]
    )
    return [f"{code[:_HALF]} {code[_HALF:]}" for code in codes]


def codes_left(session: Session, user_id: int) -> int:
    """How many recovery codes a user still has."""
    return session.scalar(select(func.count()).where(RecoveryCode.user_id == user_id)) or 0


def is_factor(session: Session, keyring: Keyring, user: User, code: str, now: datetime) -> bool:
    """Whether a user shows their second factor: the code of their app, or a recovery code. Each serves once, however
    many ask at the same time. Raises keys.BadSeal."""
    code = "".join(code.split()).lower()
    if user.totp is None or not code:
        return False
    step = _step(keyring.open(user.totp, bound_to=secret_binding(user.id)), code, now)
    if step is None:
        spent = delete(RecoveryCode).where(
            RecoveryCode.user_id == user.id, RecoveryCode.hash == _hash(keyring, user.id, code)
        )
        return bool(session.scalars(spent.returning(RecoveryCode.user_id)).all())
    newer = or_(User.totp_step.is_(None), User.totp_step < step)
    taken = update(User).where(User.id == user.id, newer).values(totp_step=step)
    return bool(session.scalars(taken.returning(User.id)).all())


def roles_that_need_one(session: Session) -> frozenset[str]:
    """The roles whose people must have a second factor."""
    return frozenset(session.scalars(select(FactorRule.role)))


def need_one(session: Session, roles: Iterable[Role]) -> None:
    """Let exactly these roles need a second factor. Who lacks it comes no further than to the page that makes one."""
    session.execute(delete(FactorRule))
    session.add_all(FactorRule(role=role) for role in roles)


def _step(secret: str, code: str, now: datetime) -> int | None:
    """The step of time that a code of the app belongs to, if it is one of about now."""
    app, here = pyotp.TOTP(secret, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    near = range(here - SLACK_STEPS, here + SLACK_STEPS + 1)
    return next((step for step in near if pyotp.utils.strings_equal(app.generate_otp(step), code)), None)


def _hash(keyring: Keyring, user_id: int, code: str) -> bytes:
    plain = f"{user_id} {''.join(code.split())}".encode()
    return hashlib.blake2b(plain, key=keyring.cookie_secret, digest_size=32, person=b"recovery").digest()
