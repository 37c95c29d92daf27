"""Public: knowing. A member asks for all we know of them, reads it, takes it along, or has it erased.

A mail is passed on, with its links: so the link in it opens no record. It sends one that does, to the member's own
address. Erasing gives nothing away, and is theirs at one click.
"""

from __future__ import annotations

from flask import Response, make_response
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from mobilizer.db import clock
from mobilizer.engagement.events import RECORD_ASKED, Event, EventKind
from mobilizer.http import installation, on_discreet_site
from mobilizer.jobs import Work, enqueue
from mobilizer.keys import Purpose
from mobilizer.public.answers import missing, page
from mobilizer.public.holders import Holder, followed, holder_of, ticket_of
from mobilizer.public.tongues import MEMBER, asked_language, browser_language, first_of, switch
from mobilizer.rights import requests
from mobilizer.rights.erasing import erase
from mobilizer.rights.reading import ways_to_say
from mobilizer.rights.record import LINK_HOURS, Record, as_json, holder, record_of

AGAIN_SECONDS = 3600.0  # between two such mails to one member, whoever asks for them


def ask(token: str) -> Response:
    """Send the member a link to their record. Whoever asks learns nothing but that.

    The discreet site sends none: the mail names whose it is.
    """
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None or on_discreet_site():
        return missing()
    here = installation()
    with here.database.write() as session:
        ticket = followed(session, ticket, lock=True)
        asking = holder_of(session, ticket)
        tag, noted = asking.language, asking.member is not None and not _asked_lately(session, asking.member.id)
        if noted:
            _note(session, asking)
            requests.ask(session, ticket.member)
    if noted:
        enqueue(here, Work.RECORD, ticket.member)  # where the queue is away, the reconciler finds the request
    return page("record_asked.html", tag, hours=LINK_HOURS)


def show(token: str) -> Response:
    """The record, in the member's language."""
    here = installation()
    with here.database.read() as session:
        record = _opened(session, token)
        if record is None:
            return page("record_over.html", asked_language() or browser_language(MEMBER), 404, hours=LINK_HOURS)
        line = record.member.line
        tag = asked_language() or first_of([line.language, line.second_language], MEMBER) or browser_language(MEMBER)
        return page(
            "record.html",
            tag,
            record=record,
            token=token,
            switch=switch("public.record", token),
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


def forget(token: str) -> Response:
    """Erase the member. Said twice, or by somebody who is gone, it answers the same."""
    ticket = ticket_of(Purpose.PREFERENCES, token)
    if ticket is None:
        return missing()
    with installation().database.write() as session:
        tag = holder_of(session, followed(session, ticket)).language
        erase(session, ticket.member)
    return page("erased.html", tag)


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
