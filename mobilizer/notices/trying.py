"""Notices: a mail to try a relay with. It goes at once, to who tries."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from mobilizer.catalogs import phrases
from mobilizer.delivery.loads import signer_of
from mobilizer.delivery.proof import post
from mobilizer.message.headers import Unaddressable, wire_address, wire_domain
from mobilizer.message.plain import PlainMail, plain
from mobilizer.organizers.accounts import Account
from mobilizer.problems import N_, Problem
from mobilizer.settings import Settings
from mobilizer.transport.outcomes import Accepted, Trouble
from mobilizer.transport.relays import RelaysError

SUBJECT = N_("This mail shows that sending works")
LETTER = N_("""\
%(organisation)s can send: this mail went the way that every other will go.

Look where it arrived. In the spam folder? Then the sender's domain lacks SPF, DKIM or DMARC: ask who runs it.
""")


def try_relay(settings: Settings, to: Account) -> Problem | None:
    """Send the mail as the settings say; what is wrong, if it did not go. Waits for the relay: call it outside of any
    transaction."""
    try:
        mail = _letter(settings, to)
        sender, recipient = wire_address(settings.sender_address), wire_address(to.email)
        answer = post(settings, sender, recipient, plain(mail, datetime.now(UTC), signer_of(settings)))
    except Trouble as trouble:
        return trouble.problem
    except RelaysError:
        return Problem("relay.file", N_("The file relays.toml can't be used."))
    except (Unaddressable, ValueError):
        return Problem("relay.sender", N_("The sender's address can't be written into a mail."))
    if isinstance(answer, Accepted):
        return None
    return Problem(
        "relay.refused", N_("The relay did not take the mail (%(answer)s)."), {"answer": type(answer).__name__}
    )


def _letter(settings: Settings, to: Account) -> PlainMail:
    words = phrases("web", to.interface_language)
    return PlainMail(
        sender_name=settings.sender_name or settings.organisation,
        sender_address=settings.sender_address,
        name=to.name,
        address=to.email,
        subject=words.gettext(SUBJECT),
        text=words.gettext(LETTER) % {"organisation": settings.organisation},
        language=to.interface_language,
        message_id=f"try-{secrets.token_hex(16)}@{wire_domain(settings.return_domain)}",
    )
