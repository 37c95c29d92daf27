"""Blasts: tickets. The tokens of one mail; apart from renditions, for who only sends need not load what compiles."""

from __future__ import annotations

from mobilizer.keys import Keyring, Ticket
from mobilizer.message.content import Tokens


def tokens_for(keyring: Keyring, ticket: Ticket) -> Tokens:
    """One token for each purpose a mail has: keys.MAILED has them in the same order."""
    return Tokens(*keyring.mail_tokens(ticket))
