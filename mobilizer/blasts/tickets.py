"""Blasts: tickets. The tokens of one mail; apart from renditions, for who only sends need not load what compiles."""

from __future__ import annotations

from mobilizer.keys import Keyring, Purpose, Ticket
from mobilizer.message.content import Tokens

NOBODY = 0


def tokens_for(keyring: Keyring, ticket: Ticket) -> Tokens:
    """One token for each purpose a mail has: keys.MAILED has them in the same order."""
    return Tokens(*keyring.mail_tokens(ticket))


def tokens_in_sums(keyring: Keyring, blast_id: int) -> dict[str, str]:
    """The tokens of a mail that name its blast alone, by their names in Tokens: where it is counted in sums."""
    token = keyring.token(Purpose.SUMS, Ticket(NOBODY, blast_id))
    return {"open": token, "click": token}
