"""Organizers: the first run. While nobody can sign in, whoever knows the code of the machine becomes the first."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mobilizer.keys import Keyring
from mobilizer.organizers.audit import AuditHead
from mobilizer.organizers.users import User

_GROUP, _GROUPS = 4, 3


def code_of(keyring: Keyring) -> str:
    """The code that only who runs the installation can know: it follows from its keys (48 bits), and is good for
    nothing once somebody is here."""
    drawn = hashlib.blake2b(digest_size=6, key=keyring.cookie_secret, person=b"first run").hexdigest()
    return "-".join(drawn[at * _GROUP :][:_GROUP] for at in range(_GROUPS))


def is_code(keyring: Keyring, typed: str) -> bool:
    """Whether somebody knows the code; blanks, hyphens and capitals don't matter."""
    plain = typed.lower().replace("-", "").replace(" ", "")
    return hmac.compare_digest(plain.encode(), code_of(keyring).replace("-", "").encode())


def nobody_yet(session: Session) -> bool:
    """Whether there has never been a user."""
    return not session.scalar(select(exists().where(User.id.is_not(None))))


def still_nobody(session: Session) -> bool:
    """The same, and it stays so until this transaction ends: of two who come at once, one comes too late."""
    session.execute(select(AuditHead.id).with_for_update())
    return nobody_yet(session)
