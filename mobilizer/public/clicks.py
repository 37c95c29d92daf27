"""Public: the click that takes a page or a question first: a forged token, a proof, a member who was erased or merged.

All others are answered ahead of Flask, in front.py. No target is ever in an address, so nobody can change one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Response, redirect, request, url_for
from sqlalchemy import select

from mobilizer.appeals.appeals import Translation
from mobilizer.audience.members import Member
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.events import EventKind
from mobilizer.http import installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.public.answers import later, missing
from mobilizer.public.holders import followed
from mobilizer.public.noting import note
from mobilizer.public.targets import TRAP, Lead, Reader, leads
from mobilizer.public.tongues import browser_language, nearest

# In the request of a click that was noted already, but whose target nobody can say for now.
AWAY = "mobilizer.away"


def click(token: str, n: int) -> Response:
    """Send on whoever follows the n-th link of a mail."""
    if AWAY in request.environ:
        return later()
    here = installation()
    ticket = here.keyring.read_token(Purpose.CLICK, token)
    lead = leads(here.database, ticket.blast).get(n) if ticket else None
    if ticket is None or lead is None:
        return missing()
    reader = _reader(ticket)
    if ticket.member and n != TRAP:
        note(EventKind.CLICK, blast=ticket.blast, member=ticket.member, link_n=n, language=reader.language)
    response = redirect(lead.url or _own_page(lead, reader), 302)
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def watch_page(build: Callable[[dict[str, Any]], str], lead: Lead, reader: Reader) -> str:
    """Where a link to our own page leads; `build` makes the address of the watch page from its values.

    `own` says that this visitor came by their own mail, not by a friend's link; the page's script takes it out of the
    address bar, so that an address passed on counts as a friend's.
    """
    known = {"code": reader.code, "own": "1"} if reader.code else {}
    return build({"slug": lead.slug, "tag": reader.language, **known}) + ("#share" if lead.kind == "share" else "")


def _own_page(lead: Lead, reader: Reader) -> str:
    language = reader.language or _proof_language(lead.appeal_id)
    return watch_page(lambda values: url_for("public.watch", **values), lead, Reader(reader.code, language))


def _reader(ticket: Ticket) -> Reader:
    """Who holds a ticket today; nobody, for a proof and for a member who is gone."""
    with installation().database.read() as session:
        stays = followed(session, ticket)
        code = session.scalar(select(Member.share_code).where(Member.id == stays.member))
        language = session.scalar(select(Delivery.language).where(is_for(stays.blast, stays.member)))
    return Reader(code or "", language or "")


def _proof_language(appeal_id: int) -> str:
    with installation().database.read() as session:
        tags = session.scalars(select(Translation.language).where(Translation.appeal_id == appeal_id)).all()
    asked = nearest(request.args.get("in", ""), tags)
    return asked or (browser_language(tags) if tags else "en")
