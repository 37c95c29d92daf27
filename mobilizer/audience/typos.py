"""Audience: addresses that are well written and yet likely typing errors: `gamil.com` for `gmail.com`.  (pure)"""

from __future__ import annotations

from functools import lru_cache

from mobilizer.languages import MEMORY

# Where most people's mailboxes are; none that differs from another country's by a letter.
_USUAL = (
    "gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "protonmail.com",
    "rediffmail.com", "btinternet.com", "t-online.de", "wanadoo.fr", "laposte.net",
)  # fmt: skip
# A slip away from a usual one, and meant as it is.
_REAL = frozenset({"mail.com", "email.com", "ymail.com", "hmail.com", "t-online.hu"})


@lru_cache(MEMORY)
def likely_meant(domain: str) -> str | None:
    """The usual domain that a domain is one slip of the finger away from: a letter too many, too few, another one, or
    two in the wrong order. None for usual domains, and for those that are not near one."""
    if domain in _USUAL or domain in _REAL:
        return None
    return next((usual for usual in _USUAL if _one_slip(domain, usual)), None)


def _one_slip(said: str, meant: str) -> bool:
    if abs(len(said) - len(meant)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(said, meant, strict=False)) if a != b), min(len(said), len(meant)))
    rest, wanted = said[at:], meant[at:]
    swapped = rest[:2] == wanted[1::-1] and len(rest) > 1 and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
