"""Organizers: passwords, kept as argon2id hashes (RFC 9106)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mobilizer.problems import N_, Problem

LEAST_LENGTH = 12
MOST_LENGTH = 200

_hasher = PasswordHasher()
# What an unknown user's password is checked against, so that the answer takes as long as for a known one.
_NOBODY = _hasher.hash("nobody's password")


def hash_password(password: str) -> str:
    """The argon2id hash to keep; its parameters are inside."""
    return str(_hasher.hash(password))


def is_password(kept: str | None, password: str) -> bool:
    """Whether `password` is the one behind a kept hash. None (no such user) takes as long and is False."""
    try:
        _hasher.verify(kept or _NOBODY, password[:MOST_LENGTH])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def problems_of(password: str) -> list[Problem]:
    """Why a password can't be taken; empty if it can. Length is all that is asked (NIST SP 800-63B)."""
    if len(password) < LEAST_LENGTH:
        text = N_("The password is too short: use at least %(least)s characters. A short sentence is a good password.")
        return [Problem("password.short", text, {"least": LEAST_LENGTH}, where="password")]
    if len(password) > MOST_LENGTH:
        text = N_("The password is too long: use at most %(most)s characters.")
        return [Problem("password.long", text, {"most": MOST_LENGTH}, where="password")]
    return []
