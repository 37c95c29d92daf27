"""Rights: letters. The one mail that goes to a member who asks for their record: a link, to their own address."""

from __future__ import annotations

import secrets
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.merged import who_stays
from mobilizer.catalogs import phrases
from mobilizer.db import clock
from mobilizer.delivery.loads import signer_of
from mobilizer.delivery.proof import post
from mobilizer.installation import Installation
from mobilizer.message.headers import Unaddressable, wire_address, wire_domain
from mobilizer.message.plain import PlainMail, plain
from mobilizer.problems import N_
from mobilizer.rights import requests
from mobilizer.rights.reading import spoken_among_ours
from mobilizer.rights.record import LINK_HOURS, link_token
from mobilizer.transport.outcomes import Deferred, Trouble
from mobilizer.transport.relays import RelaysError

SUBJECT = N_("What we know about you")
LETTER = N_("""\
You, or somebody with a mail of yours, asked %(organisation)s for everything we keep about you.

This link opens it for %(hours)s hours:
%(link)s

Was it not you? Then do nothing: nobody but you gets this link.
""")

# What came of a try, where the mail definitely did not go and may go later.
LATER = {one.__name__ for one in (Deferred, Trouble, RelaysError)}

log = structlog.get_logger()


def send_link(installation: Installation, member_id: int) -> None:
    """Send a member the link to their record, if they asked and it is due; a relay that takes nothing now is tried
    again later. Safe to run at any time and any number of times: one request is one mail at most. Who is gone
    meanwhile gets nothing."""
    with installation.database.write() as session:
        if not requests.take(session, member_id):
            return
    with installation.database.read() as session:
        mail = _letter(installation, session, member_id)
        now = session.scalars(select(clock())).one()
    answer = _posted(installation, mail, now) if mail else "gone"
    log.info("record_link", member=member_id, answer=answer)
    with installation.database.write() as session:
        (requests.put_back if answer in LATER else requests.settle)(session, member_id)


def _posted(installation: Installation, mail: PlainMail, now: datetime) -> str:
    """Hand the mail to the relay; what came of it, in a word that names nobody."""
    settings = installation.settings
    try:
        sender, recipient = wire_address(settings.sender_address), wire_address(mail.address)
        answer = post(settings, sender, recipient, plain(mail, now, signer_of(settings)))
    except (Trouble, RelaysError, Unaddressable) as error:
        return type(error).__name__
    return type(answer).__name__


def _letter(installation: Installation, session: Session, member_id: int) -> PlainMail | None:
    member = session.get(Member, who_stays(session, member_id))
    if member is None:
        return None
    settings, identity = installation.settings, member.identity(installation.keyring)
    tag = spoken_among_ours(member.language, member.second_language, settings.default_language)
    words, token = phrases("member", tag), link_token(session, installation.keyring, member.id)
    return PlainMail(
        sender_name=settings.sender_name or settings.organisation,
        sender_address=settings.sender_address,
        name=identity.name,
        address=identity.email,
        subject=words.gettext(SUBJECT),
        text=words.gettext(LETTER)
        % {"organisation": settings.organisation, "hours": LINK_HOURS, "link": f"{settings.base_url}/r/{token}"},
        language=tag,
        # Servers log it, answers quote it: nothing of the token may be in it.
        message_id=f"record-{secrets.token_hex(16)}@{wire_domain(settings.return_domain)}",
    )
