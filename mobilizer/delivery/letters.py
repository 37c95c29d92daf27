"""Delivery: letters. One plain mail to one person who asked for it, beside all blasts; what came of it, in a word."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import select

from mobilizer.db import clock
from mobilizer.delivery.loads import signer_of
from mobilizer.delivery.proof import post
from mobilizer.installation import Installation
from mobilizer.message.headers import Unaddressable, wire_address, wire_domain
from mobilizer.message.plain import PlainMail, plain
from mobilizer.settings import Settings
from mobilizer.transport.outcomes import Deferred, Trouble
from mobilizer.transport.relays import RelaysError

UNSET = "Unset"  # a discreet letter, and nothing says yet from where
# What came of a try, where the mail definitely did not go and may go later.
LATER = frozenset(one.__name__ for one in (Deferred, Trouble, RelaysError)) | {UNSET}

# Waits after the 1st, 2nd ... try; then hour by hour: somebody waits for it, and the relay may be out for long.
WAITS_SECONDS = (60.0, 300.0, 900.0, 1800.0)
HOUR_SECONDS = 3600.0


def wait_seconds(tries: int) -> float:
    """How long a letter that has been tried so often waits for its next try."""
    return WAITS_SECONDS[tries - 1] if tries <= len(WAITS_SECONDS) else HOUR_SECONDS


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who a letter is from, and where its links lead: no part of a discreet one says whose it is. Without an address
    it does not go (UNSET)."""

    name: str
    address: str
    base_url: str
    domain: str

    def message_id(self, kind: str) -> str:
        """A Message-ID that tells nothing: servers log it, answers quote it."""
        return f"{kind}-{secrets.token_hex(16)}@{wire_domain(self.domain)}"


def letterhead(settings: Settings, *, discreet: bool) -> Letterhead:
    """The usual letterhead, or the discreet one: never the one in place of the other, whatever is not set."""
    if not discreet:
        name, base_url = settings.sender_name or settings.organisation, settings.base_url
        return Letterhead(name, settings.sender_address, base_url.rstrip("/"), settings.return_domain)
    address = settings.discreet_sender_address if settings.has_discreet_site else ""
    base_url, domain = settings.discreet_base_url.rstrip("/"), settings.discreet_return_domain
    return Letterhead(settings.discreet_name, address, base_url, domain)


def hand_over(installation: Installation, mail: PlainMail) -> str:
    """Hand a letter to the relay; what came of it, in a word that names nobody: one of LATER, or it is done with."""
    settings = installation.settings
    if not mail.sender_address:
        return UNSET
    with installation.database.read() as session:
        now = session.scalars(select(clock())).one()
    try:
        sender, recipient = wire_address(mail.sender_address), wire_address(mail.address)
        answer = post(settings, sender, recipient, plain(mail, now, signer_of(settings, mail.sender_address)))
    except (Trouble, RelaysError, Unaddressable) as error:
        return type(error).__name__
    return type(answer).__name__
