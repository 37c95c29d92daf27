"""Notices: mailing. Sends what is due, through the relay, and remembers whether it went.

Not the ledger's promise, for no member is concerned: where an answer is lost, a notice is sent again an hour later.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import BlastState
from mobilizer.db import clock
from mobilizer.delivery import decisions
from mobilizer.delivery.loads import signer_of
from mobilizer.delivery.progress import progress
from mobilizer.delivery.proof import post
from mobilizer.installation import Installation
from mobilizer.message.headers import Unaddressable, wire_address, wire_domain
from mobilizer.message.plain import PlainMail, plain
from mobilizer.notices.listing import title_of
from mobilizer.notices.notices import Kind, MailState, Notice, NoticeMail
from mobilizer.notices.words import Facts, letter
from mobilizer.organizers.accounts import account
from mobilizer.problems import read_problem
from mobilizer.transport.outcomes import Accepted, Deferred, Trouble, Uncertain

HOUR_SECONDS = 3600.0
# Waits after the 1st, 2nd ... try; then hour by hour, two days in all: the relay itself may be what is out of order.
WAITS_SECONDS = (300.0, 900.0)
MOST_TRIES = 48

Outcome = tuple[MailState, str, bool]  # the state from now on, why, and whether it may have arrived


def due(session: Session, limit: int) -> list[int]:
    """Ids of the mails that can go now, oldest first."""
    return list(session.scalars(select(NoticeMail.id).where(_is_due()).order_by(NoticeMail.next_at).limit(limit)))


def send(installation: Installation, mail_id: int) -> None:
    """Send one mail, if it is still due. Safe to run at any time and any number of times."""
    with installation.database.write() as session:
        if not _claim(session, mail_id):
            return
    with installation.database.read() as session:
        mail = _written(installation, session, mail_id)
    state, why, maybe = _posted(installation, mail)
    with installation.database.write() as session:
        _settle(session, mail_id, state, why, maybe)


def _is_due() -> ColumnElement[bool]:
    return and_(NoticeMail.state == MailState.WAITING, NoticeMail.next_at <= clock())


def _claim(session: Session, mail_id: int) -> bool:
    """Take a mail in hand for an hour: whoever dies with it in hand may have sent it."""
    mine = session.execute(
        update(NoticeMail)
        .where(NoticeMail.id == mail_id, _is_due())
        .values(tries=NoticeMail.tries + 1, next_at=clock(HOUR_SECONDS), sent_at=clock())
        .execution_options(synchronize_session=False)
        .returning(NoticeMail.id)
    ).all()
    return bool(mine)


def _written(installation: Installation, session: Session, mail_id: int) -> PlainMail | None:
    """The mail as it is to be said now; None where its reader may sign in no more."""
    mail = session.get_one(NoticeMail, mail_id)
    if mail.user.disabled_at is not None:
        return None
    settings, reader = installation.settings, account(installation.keyring, mail.user)
    said = letter(_facts(session, mail.notice, settings.base_url), reader.interface_language)
    return PlainMail(
        sender_name=settings.sender_name or settings.organisation,
        sender_address=settings.sender_address,
        name=reader.name,
        address=reader.email,
        subject=said.subject,
        text=said.text,
        language=reader.interface_language,
        message_id=f"notice-{mail.notice_id}-{mail.user_id}@{wire_domain(settings.return_domain)}",
    )


def _facts(session: Session, notice: Notice, base_url: str) -> Facts:
    blast = notice.blast
    now = progress(session, blast).overall
    return Facts(
        kind=Kind(notice.kind),
        title=title_of(notice),
        link=f"{base_url}/blasts/{blast.slug}" + ("/uncertain" if notice.kind == Kind.UNCERTAIN else ""),
        settings_link=f"{base_url}/settings/notices",
        at=notice.noted_at if notice.kind == Kind.HELD else notice.occurrence,
        reason=read_problem(notice.reason),
        held=blast.state == BlastState.HELD,
        retry_at=blast.retry_at,
        counts={
            "total": now.total,
            "final": now.final,
            "accepted": now.accepted,
            "rejected": now.rejected,
            "skipped": now.skipped,
            "uncertain": now.uncertain,
            "undecided": decisions.count(session, blast.id, decisions.Which()),
        },
    )


def _posted(installation: Installation, mail: PlainMail | None) -> Outcome:
    """Hand a mail to the relay. What comes of it, without the words of the answer: they may hold an address."""
    if mail is None:
        return MailState.DROPPED, "", False
    settings = installation.settings
    with installation.database.read() as session:
        now = session.scalars(select(clock())).one()
    try:
        content = plain(mail, now, signer_of(settings))
        answer = post(settings, wire_address(settings.sender_address), wire_address(mail.address), content)
    except Unaddressable:
        return MailState.FAILED, "unaddressable", False
    except Trouble:
        return MailState.WAITING, "relay", False
    match answer:
        case Accepted():
            return MailState.SENT, "", True
        case Deferred():
            return MailState.WAITING, "later", False
        case Uncertain():
            return MailState.WAITING, "unanswered", True
        case _:
            return MailState.FAILED, "refused", False


def _settle(session: Session, mail_id: int, state: MailState, why: str, maybe: bool) -> None:
    mail = session.get_one(NoticeMail, mail_id, with_for_update=True)
    if state == MailState.WAITING and (mail.tries >= MOST_TRIES or mail.state == MailState.DROPPED):
        state = MailState.FAILED if mail.tries >= MOST_TRIES else MailState.DROPPED
    mail.state, mail.why = state, why
    if not maybe:
        mail.sent_at = None
        wait = WAITS_SECONDS[mail.tries - 1] if mail.tries <= len(WAITS_SECONDS) else HOUR_SECONDS
        mail.next_at = clock(wait)
