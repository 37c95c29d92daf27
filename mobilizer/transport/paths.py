"""Transport: addresses as they stand in MAIL FROM and RCPT TO."""

from __future__ import annotations

import re

import idna

LONGEST = 900  # so that a command stays one line for every server; RFC 5321 asks for 256

_PLAIN = re.compile(r"[!-;=?-~]+@[!-;=?A-~]+")  # most addresses; no sign here is forbidden
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f<>\u2028\u2029\ud800-\udfff]")


class NotSendable(ValueError):
    """The address has no form in which it can travel; the text says why."""


def path(address: str) -> str:
    """The address with its domain as A-labels (RFC 5891); '' stays '', the null return path.

    Raises ValueError where it could end the command or the path (line breaks, blanks, angle brackets),
    NotSendable where its domain has no ASCII form.
    """
    if not address or (len(address) <= LONGEST and _PLAIN.fullmatch(address)):
        return address
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > LONGEST or _FORBIDDEN.search(address):
        raise ValueError("Not an address that can be sent to: a part is missing, too long or has a forbidden sign.")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except (idna.IDNAError, UnicodeError):
        raise NotSendable("the domain has no ASCII form") from None
