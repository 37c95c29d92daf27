"""Web: why a mail was rejected or skipped, in words. A reason that has none is shown as the ledger has it."""

from __future__ import annotations

from mobilizer.problems import N_
from mobilizer.web.words import _

REASONS = {
    "hard": N_("The mailbox does not exist"),
    "soft": N_("Refused again and again, then given up"),
    "full": N_("The mailbox is full"),
    "policy": N_("Refused by the other side's policy"),
    "rate": N_("Too many at once for the other side"),
    "suppressed": N_("Suppressed: must not be mailed"),
    "unsubscribed": N_("Left the list before it was sent"),
    "erased": N_("Erased on request"),
    "cancelled": N_("The blast was cancelled first"),
    "unsupported": N_("The address needs what the relay can't do"),
    "unrenderable": N_("The mail could not be made"),
    "worker_lost": N_("The worker was lost before the answer"),
    "": N_("No reason was written down"),
}


def reason_text(reason: str) -> str:
    """A reason of the ledger in the page's language."""
    known = REASONS.get(reason)
    return _(known) if known is not None else reason
