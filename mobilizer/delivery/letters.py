"""Delivery: letters. One plain mail to one person who asked for it, beside all blasts; what came of it, in a word."""

from __future__ import annotations

import secrets

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

# What came of a try, where the mail definitely did not go and may go later.
LATER = frozenset(one.__name__ for one in (Deferred, Trouble, RelaysError))

# Waits after the 1st, 2nd ... try; then hour by hour: somebody waits for it, and the relay may be out for long.
WAITS_SECONDS = (60.0, 300.0, 900.0, 1800.0)
HOUR_SECONDS = 3600.0


def wait_seconds(tries: int) -> float:
    """How long a letter that has been tried so often waits for its next try."""
    return WAITS_SECONDS[tries - 1] if tries <= len(WAITS_SECONDS) else HOUR_SECONDS


def message_id(settings: Settings, kind: str) -> str:
    """A Message-ID that tells nothing: servers log it, answers quote it."""
    return f"{kind}-{secrets.token_hex(16)}@{wire_domain(settings.return_domain)}"


def hand_over(installation: Installation, mail: PlainMail) -> str:
    """Hand a letter to the relay; what came of it, in a word that names nobody: one of LATER, or it is done with."""
    settings = installation.settings
    with installation.database.read() as session:
        now = session.scalars(select(clock())).one()
    try:
        sender, recipient = wire_address(settings.sender_address), wire_address(mail.address)
        answer = post(settings, sender, recipient, plain(mail, now, signer_of(settings)))
    except (Trouble, RelaysError, Unaddressable) as error:
        return type(error).__name__
    return type(answer).__name__
