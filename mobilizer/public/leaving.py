"""Public: leaving. GET asks and changes nothing, POST acts at once, and an undo brings back exactly what was left.

The same POST is the one-click unsubscribe of RFC 8058: no cookie, no redirect, no CSRF token, any body.
"""

from __future__ import annotations

from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from mobilizer.audience import standing
from mobilizer.audience.lists import Standing
from mobilizer.engagement.events import Event, EventKind
from mobilizer.http import installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.public.answers import missing, page
from mobilizer.public.holders import Holder, followed, holder_of, ticket_of
from mobilizer.public.tongues import asked_language, switch

UNDO_DAYS = 30


def ask(token: str) -> Response:
    """The page with one button."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        ticket = followed(session, ticket)
        holder = holder_of(session, ticket)
        lists = _confirmed(session, ticket)
        return _page("leave.html", holder, ticket, token, lists=lists)


def leave(token: str) -> Response:
    """Take the member off everything; saying it twice changes nothing more. A stranger gets the same calm page."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.write() as session:
        ticket = followed(session, ticket, lock=True)
        holder = holder_of(session, ticket)
        if standing.leave_all(session, ticket.member):
            remember(session, EventKind.UNSUBSCRIBE, holder)
        undoable = bool(standing.left_together(session, ticket.member, UNDO_DAYS))
        return _page("left.html", holder, ticket, token, undoable=undoable)


def undo(token: str) -> Response:
    """Bring the member back to the lists that their latest leaving took them off."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.write() as session:
        ticket = followed(session, ticket, lock=True)
        holder = holder_of(session, ticket)
        lists = standing.left_together(session, ticket.member, UNDO_DAYS)
        if standing.rejoin(session, ticket.member, lists):
            remember(session, EventKind.RESUBSCRIBE, holder)
        return _page("back.html", holder, ticket, token, lists=_confirmed(session, ticket))


def remember(session: Session, kind: EventKind, holder: Holder) -> None:
    """Record what a member did, in the same transaction."""
    if holder.member is not None:
        session.add(
            Event(kind=kind, member_id=holder.member.id, blast_id=holder.blast or None, language=holder.language)
        )


def _confirmed(session: Session, ticket: Ticket) -> list[str]:
    return [at.name for at in standing.lists_of(session, ticket.member) if at.standing is Standing.CONFIRMED]


def _page(template: str, holder: Holder, ticket: Ticket, token: str, **values: Any) -> Response:
    preferences = installation().keyring.token(Purpose.PREFERENCES, ticket) if holder.member else ""
    return page(
        template,
        holder.language,
        token=token,
        preferences=preferences,
        asked=asked_language(),
        switch=switch("public.unsubscribe", token),
        **values,
    )
