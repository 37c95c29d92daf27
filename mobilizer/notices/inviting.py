"""Notices: the mail that invites somebody. It goes at once, and whoever invites sees whether it went."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from enum import StrEnum

import structlog
from babel.dates import format_datetime

from mobilizer.catalogs import phrases
from mobilizer.delivery.loads import signer_of
from mobilizer.delivery.proof import post
from mobilizer.installation import Installation
from mobilizer.message.headers import Unaddressable, wire_address, wire_domain
from mobilizer.message.plain import PlainMail, plain
from mobilizer.organizers.invitations import Invited
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.transport.outcomes import Accepted, Trouble
from mobilizer.transport.relays import RelaysError

SUBJECT = N_("You are invited to work with %(organisation)s")
LETTER = N_("""\
%(organisation)s invites you to its desk, where appeals are written, translated and sent.

Choose a password here, and you are in:
%(link)s

The link is for you alone and works once, until %(until)s (UTC). If you did not expect it, do nothing.
""")

log = structlog.get_logger()


class Sent(StrEnum):
    """Whether a mail went: taken by a relay, or not for certain."""

    YES = "yes"
    NO = "no"


def link_of(settings: Settings, token: str) -> str:
    """Where an invitation is followed."""
    return f"{settings.base_url}/invitation/{token}"


def send_invitation(installation: Installation, person: Invited, token: str) -> Sent:
    """Mail the link to whom it is for, through the relay, in their language. Waits for the relay: call it outside of
    any transaction."""
    settings, mail = installation.settings, _letter(installation.settings, person, token)
    try:
        sender, recipient = wire_address(settings.sender_address), wire_address(person.email)
        answer = post(settings, sender, recipient, plain(mail, datetime.now(UTC), signer_of(settings)))
    except (Trouble, RelaysError, Unaddressable) as error:
        log.warning("invitation", number=person.id, answer=type(error).__name__)
        return Sent.NO
    log.info("invitation", number=person.id, answer=type(answer).__name__)
    return Sent.YES if isinstance(answer, Accepted) else Sent.NO


def _letter(settings: Settings, person: Invited, token: str) -> PlainMail:
    tag = person.interface_language
    words = phrases("web", tag)
    said = {
        "organisation": settings.organisation,
        "link": link_of(settings, token),
        "until": format_datetime(person.expires_at, "medium", tzinfo=UTC, locale=tag.replace("-", "_")),
    }
    return PlainMail(
        sender_name=settings.sender_name or settings.organisation,
        sender_address=settings.sender_address,
        name=person.name,
        address=person.email,
        subject=words.gettext(SUBJECT) % said,
        text=words.gettext(LETTER) % said,
        language=tag,
        # Servers log it: nothing of the token may be in it.
        message_id=f"invitation-{secrets.token_hex(16)}@{wire_domain(settings.return_domain)}",
    )
