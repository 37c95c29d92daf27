"""Web: why a mail was rejected, skipped or waits, in words. A reason that has none is shown as the ledger has it."""

from __future__ import annotations

from mobilizer.problems import N_
from mobilizer.transport.losses import LOSSES
from mobilizer.web.words import _

REASONS: dict[str, str] = {
    "hard": N_("The mailbox does not exist"),
    "soft": N_("Rejected without a clear reason, or put off until it was given up"),
    "full": N_("The mailbox is full"),
    "policy": N_("Rejected by the other side's policy"),
    "rate": N_("Too many at once for the other side"),
    "suppressed": N_("Suppressed: must not be mailed"),
    "unsubscribed": N_("Left the list before it was sent"),
    "erased": N_("Erased on request"),
    "paused": N_("The member has paused their mails"),
    "monthly": N_("The member wants one mail a month, and had it"),
    "cancelled": N_("The blast was cancelled first"),
    "unsupported": N_("The address needs what the relay can't do"),
    "unrenderable": N_("The mail could not be made"),
    "worker_lost": N_("The worker was lost before the answer"),
    "resent": N_("Sent again by a person's decision"),
    "retried": N_("Tried again by a person's decision"),
    "": N_("No reason was written down"),
    **{loss.value: words for loss, words in LOSSES.items()},
}
# What a verdict means where the code of the reply is known: a lasting no (5xx), or one "not now" too many.
SOFT_NO = N_("Rejected without a clear reason")
GIVEN_UP = N_("“Not now” again and again, then given up")
# The same verdicts where they are not the last word.
WAITING = {
    "soft": N_("“Not now”: greylisting or a fault that passes"),
    "": N_("“Not now”, without a reason"),
}
# Mailbox providers are called by their own names; one that is not here is shown as its code, with a capital.
PROVIDERS = {
    "icloud": "iCloud", "gmx": "GMX", "t-online": "T-Online", "mailru": "Mail.ru", "qq": "QQ", "netease": "NetEase",
    "sfr": "SFR", "laposte": "La Poste", "uol": "UOL", "sapo": "SAPO", "wp": "WP", "kpn": "KPN", "bt": "BT",
    "att": "AT&T", "telecomitalia": "Telecom Italia", "telefonica": "Telefónica", "bigpond": "BigPond",
}  # fmt: skip


def reason_text(reason: str, code: int | None = None) -> str:
    """A reason of the ledger in the page's language; `code` is that of the relay's reply, where it is known."""
    known = REASONS.get(reason)
    if reason == "soft" and code:
        known = SOFT_NO if code >= 500 else GIVEN_UP
    return _(known) if known is not None else reason


def waiting_text(reason: str) -> str:
    """Why a mail waits for its next try."""
    known = WAITING.get(reason)
    return _(known) if known is not None else reason_text(reason)


def provider_name(code: str) -> str:
    """A mailbox provider's name; the others together where there is no code."""
    return PROVIDERS.get(code, code.capitalize()) if code else _("Other mailboxes")
