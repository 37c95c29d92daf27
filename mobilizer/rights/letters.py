"""Rights: letters. The one mail that goes to a member who asks for their record: a link, to their own address."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from mobilizer.audience import standing
from mobilizer.audience.members import Member
from mobilizer.audience.merged import who_stays
from mobilizer.catalogs import phrases
from mobilizer.delivery.letters import LATER, hand_over, letterhead
from mobilizer.installation import Installation
from mobilizer.languages import member_language
from mobilizer.message.plain import PlainMail
from mobilizer.problems import N_
from mobilizer.rights import requests
from mobilizer.rights.record import LINK_HOURS, link_token

SUBJECT = N_("What we know about you")
LETTER = N_("""\
You, or somebody with a mail of yours, asked %(organisation)s for everything we keep about you.

This link opens it for %(hours)s hours:
%(link)s

Was it not you? Then do nothing: nobody but you gets this link.
""")
# The same without a word of whose it is.
DISCREET_SUBJECT = N_("The link that you asked for")
DISCREET_LETTER = N_("""\
You asked for this link a moment ago. It works for %(hours)s hours:
%(link)s

Was it not you? Then do nothing: nobody but you gets this link.
""")

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
    answer = hand_over(installation, mail) if mail else "gone"
    log.info("record_link", member=member_id, answer=answer)
    with installation.database.write() as session:
        (requests.put_back if answer in LATER else requests.settle)(session, member_id)


def _letter(installation: Installation, session: Session, member_id: int) -> PlainMail | None:
    member = session.get(Member, who_stays(session, member_id))
    if member is None:
        return None
    settings, identity = installation.settings, member.identity(installation.keyring)
    asked = session.get(requests.RecordRequest, member_id)
    discreet = (asked is not None and asked.discreet) or standing.on_discreet_list(session, member.id)
    head, text = letterhead(settings, discreet=discreet), DISCREET_LETTER if discreet else LETTER
    subject, said = (DISCREET_SUBJECT, {}) if discreet else (SUBJECT, {"organisation": settings.organisation})
    tag = member_language(member.language, member.second_language, settings.default_language)
    words, token = phrases("member", tag), link_token(session, installation.keyring, member.id)
    return PlainMail(
        sender_name=head.name,
        sender_address=head.address,
        name=identity.name,
        address=identity.email,
        subject=words.gettext(subject),
        text=words.gettext(text) % {**said, "hours": LINK_HOURS, "link": f"{head.base_url}/r/{token}"},
        language=tag,
        message_id=head.message_id("record"),
    )
