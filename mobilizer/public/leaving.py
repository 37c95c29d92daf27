"""Public: leaving. GET asks and changes nothing, POST acts at once, and an undo brings back exactly what was left.

The same POST is the one-click unsubscribe of RFC 8058: no cookie, no redirect, no CSRF token, any body. Only the
button of our own page says that it is one: it leads on to a page that can be reloaded, and read in another language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as Answer

from mobilizer.audience import leaving_reasons, standing
from mobilizer.audience.lists import Standing
from mobilizer.audience.standing import Membership
from mobilizer.audience.suppressing import is_suppressed
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.events import Event, EventKind
from mobilizer.http import installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.languages import isolated
from mobilizer.public.answers import at, elsewhere, missing, page
from mobilizer.public.holders import Holder, followed, holder_of, ticket_of
from mobilizer.public.tongues import asked_language, switch

UNDO_DAYS = 30
LEFT = "left"  # in an address: the page that says that one list was left


def ask(token: str) -> Response:
    """The page with one button; with two where the member is on other lists than the one the mail came through. Who
    has left lately reads that, and can undo it."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        ticket = followed(session, ticket)
        holder = holder_of(session, ticket)
        lists, came = _confirmed(session, ticket), _came_by(session, ticket)
        undoable = _undoable(session, ticket)
        only = came.name if came and not came.confirmed and lists and LEFT in request.args else ""
        if undoable and (only or not lists):
            told = leaving_reasons.has_told(session, ticket.member)
            tongues = switch(LEFT if only else "")
            return _page("left.html", holder, ticket, token, undoable=True, only=only, told=told, switch=tongues)
        through = came if came and came.confirmed and len(lists) > 1 else None
        return _page("leave.html", holder, ticket, token, lists=lists, through=through)


def leave(token: str) -> Answer:
    """Take the member off everything or, where they say so, off the list that the mail came through alone; saying it
    twice changes nothing more. A stranger gets the same calm page."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.write() as session:
        ticket = followed(session, ticket, lock=True)
        holder = holder_of(session, ticket)
        form = _form()
        came, asked = _came_by(session, ticket), form.get("only")
        if asked is not None and (came is None or asked != str(came.list_id)):
            return _page("leave.html", holder, ticket, token, lists=_confirmed(session, ticket), through=None)
        if came is not None and asked is not None:
            left = standing.leave(session, ticket.member, [came.list_id])
        else:
            left = standing.leave_all(session, ticket.member)
        if left:
            remember(session, EventKind.UNSUBSCRIBE, holder)
        only = came.name if came and asked and _confirmed(session, ticket) else ""
        if "page" not in form:
            return _page("left.html", holder, ticket, token, undoable=_undoable(session, ticket), only=only)
    return elsewhere(at("unsubscribe", token, **{LEFT: "1" if only else None}))


def _form() -> Mapping[str, str]:
    """What a form says; nothing, by what is none, or too long: a one-click may say anything."""
    try:
        return request.form
    except RequestEntityTooLarge:
        return {}


def say_why(token: str) -> Answer:
    """Keep the reason of a member who has left, and thank them. Nobody else's is kept."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    here = installation()
    with here.database.write() as session:
        ticket = followed(session, ticket, lock=True)
        holder, undoable = holder_of(session, ticket), _undoable(session, ticket)
        if undoable:
            why, words = request.form.get("why", ""), request.form.get("words", "")
            leaving_reasons.tell(session, here.keyring, ticket.member, why, words, holder.language)
    return again(token)


def undo(token: str) -> Answer:
    """Bring the member back to the lists that their latest leaving took them off. Who is suppressed stays so: a mail
    may be in anybody's hands, and only its owner's own confirmation brings an address back."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.write() as session:
        ticket = followed(session, ticket, lock=True)
        holder = holder_of(session, ticket)
        lists = standing.left_together(session, ticket.member, UNDO_DAYS)
        if standing.rejoin(session, ticket.member, lists):
            remember(session, EventKind.RESUBSCRIBE, holder)
            leaving_reasons.take_back(session, ticket.member)
    return elsewhere(at("back", token))


def back(token: str) -> Response:
    """Which lists the member is on again."""
    ticket = ticket_of(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return missing()
    with installation().database.read() as session:
        ticket = followed(session, ticket)
        holder = holder_of(session, ticket)
        suppressed = holder.member is not None and is_suppressed(session, holder.member.address_key)
        return _page("back.html", holder, ticket, token, lists=_confirmed(session, ticket), suppressed=suppressed)


def again(token: str) -> Answer:
    """How things stand, after a reason, and for who reloads the address of a form."""
    return elsewhere(at("unsubscribe", token, **{LEFT: request.args.get(LEFT)}))


def remember(session: Session, kind: EventKind, holder: Holder) -> None:
    """Record what a member did, in the same transaction."""
    if holder.member is not None:
        session.add(
            Event(kind=kind, member_id=holder.member.id, blast_id=holder.blast or None, language=holder.language)
        )


def _confirmed(session: Session, ticket: Ticket) -> list[str]:
    return [at.name for at in standing.lists_of(session, ticket.member) if at.standing is Standing.CONFIRMED]


def _came_by(session: Session, ticket: Ticket) -> Membership | None:
    """The list that the mail of a ticket came through, as the member stands on it now."""
    came = session.scalar(select(Delivery.list_id).where(is_for(ticket.blast, ticket.member)))
    return next((at for at in standing.lists_of(session, ticket.member) if at.list_id == came), None)


def _undoable(session: Session, ticket: Ticket) -> bool:
    return bool(standing.left_together(session, ticket.member, UNDO_DAYS))


def _page(template: str, holder: Holder, ticket: Ticket, token: str, **values: Any) -> Response:
    preferences = installation().keyring.token(Purpose.PREFERENCES, ticket) if holder.member else ""
    return page(
        template,
        holder.language,
        token=token,
        preferences=preferences,
        asked=asked_language(),
        left=request.args.get(LEFT),
        isolated=isolated,
        **values,
    )
