"""Public: knowing. A member asks for all we know of them, reads it, takes it along, or has it erased.

A mail is passed on, with its links: so the link in it opens no record. It sends one that does, to the member's own
address. Nor does that link alone erase anybody: who asks writes the address that the mail was for, or comes by the
link to their record.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, request
from sqlalchemy import exists, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.members import Member
from mobilizer.audience.queries import MemberLine
from mobilizer.db import clock
from mobilizer.engagement.events import RECORD_ASKED, Event, EventKind
from mobilizer.http import installation, on_discreet_site
from mobilizer.jobs import Work, enqueue
from mobilizer.keys import Purpose
from mobilizer.limits import within
from mobilizer.public.answers import at, elsewhere, missing, page, refused
from mobilizer.public.covers import SHOW, is_covered
from mobilizer.public.holders import Holder, followed, holder_of, ticket_of
from mobilizer.public.tongues import MEMBER, asked_language, browser_language, first_of, visitor_language
from mobilizer.rights import requests
from mobilizer.rights.erasing import erase, is_address_of
from mobilizer.rights.reading import ways_to_say
from mobilizer.rights.record import LINK_HOURS, Record, as_json, holder, record_of

AGAIN_SECONDS = 3600.0  # between two such mails to one member, whoever asks for them
TRIES = ("20 per hour",)  # of one network, to write whose mail it was


def ask(token: str) -> Answer:
    """Send the member a link to their record. Whoever asks learns nothing but that."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    here = installation()
    with here.database.write() as session:
        ticket = followed(session, ticket, lock=True)
        asking = holder_of(session, ticket)
        noted = asking.member is not None and not _asked_lately(session, asking.member.id)
        if noted:
            _note(session, asking)
            requests.ask(session, ticket.member, discreet=on_discreet_site())
    if noted:
        enqueue(here, Work.RECORD, ticket.member)  # where the queue is away, the reconciler finds the request
    return elsewhere(at("record_asked", token))


def asked(token: str) -> Answer:
    """Look into your letter-box; for who did not ask lately, their preferences."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        asking = holder_of(session, followed(session, ticket))
        if asking.member is not None and not _asked_lately(session, asking.member.id):
            return again(token)
    return page("record_asked.html", asking.language, hours=LINK_HOURS)


def show(token: str) -> Response:
    """The record, in the member's language; on the discreet site at a press."""
    here = installation()
    with here.database.read() as session:
        record = _opened(session, token)
        if record is None:
            return _over()
        tag = _language_of(record.member.line)
        if is_covered():
            return page("record_cover.html", tag, show=SHOW)
        return page(
            "record.html",
            tag,
            record=record,
            token=token,
            asked=asked_language(),
            **ways_to_say(tag),
        )


def take(token: str) -> Response:
    """The record for another program, as a file."""
    with installation().database.read() as session:
        record = _opened(session, token)
    if record is None:
        return missing()
    answer = make_response(as_json(record))
    answer.headers["Content-Type"] = "application/json; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="record.json"'
    return answer


def forget(token: str) -> Answer:
    """Erase the member of a mail, if whoever asks knows their address; a friend it was passed on to writes their own.
    Said twice, or of somebody who is gone, it answers the same."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    address = _address_typed()
    if address and not within(*TRIES):
        return refused(HTTPStatus.TOO_MANY_REQUESTS)
    here = installation()
    with here.database.write() as session:
        ticket = followed(session, ticket)
        asking = holder_of(session, ticket)
        if asking.member is not None and not (address and is_address_of(session, here.keyring, ticket.member, address)):
            return page("erase.html", asking.language, 422, token=token, asked=asked_language())
        tag = asking.language  # nobody knows it any more then
        erase(session, ticket.member)
    return elsewhere(at("erased", token, **{"in": tag}))


def erased(token: str) -> Answer:
    """Nothing is left; for who is still here, their preferences."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        asking = holder_of(session, followed(session, ticket))
        return page("erased.html", asking.language) if asking.member is None else again(token)


def again(token: str) -> Answer:
    """The preferences, for who reloads the address of a form on them."""
    return elsewhere(at("preferences", token))


def forget_by_record(token: str) -> Response:
    """Erase whose record the link opens: it went to nobody but them."""
    here = installation()
    with here.database.write() as session:
        member = session.get(Member, holder(session, here.keyring, token) or 0)
        if member is None:
            return _over()
        tag = _language_of(member)
        erase(session, member.id)
    return page("erased.html", tag)


def record_again(token: str) -> Answer:
    """The record, for who reloads the address of the form on it."""
    return elsewhere(at("record", token))


def _address_typed() -> str:
    """The address that was written, in its normal form; empty where it is none."""
    try:
        return normalise(request.form.get("email", "")[:400])
    except BadAddress:
        return ""


def _language_of(reader: Member | MemberLine) -> str:
    """The page's language: asked for in the address, else the member's, else the browser's."""
    return asked_language() or first_of([reader.language, reader.second_language], MEMBER) or browser_language(MEMBER)


def _over() -> Response:
    return page("record_over.html", visitor_language(), 404, hours=LINK_HOURS)


def _opened(session: Session, token: str) -> Record | None:
    keyring = installation().keyring
    member = holder(session, keyring, token)
    return record_of(session, keyring, member) if member else None


def _asked_lately(session: Session, member_id: int) -> bool:
    lately = exists().where(
        Event.member_id == member_id,
        Event.kind == EventKind.PREFERENCES,
        Event.channel == RECORD_ASKED,
        Event.at > clock(-AGAIN_SECONDS),
    )
    return bool(session.scalar(select(lately)))


def _note(session: Session, asking: Holder) -> None:
    """Write down that they asked."""
    session.add(
        Event(
            kind=EventKind.PREFERENCES,
            member_id=asking.member.id if asking.member else None,
            blast_id=asking.blast or None,
            language=asking.language,
            channel=RECORD_ASKED,
        )
    )
