"""Public: the click and the open. Verify the token, answer at once, note the hit; no target is ever in a URL."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from flask import Response, redirect, request, url_for
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast, Link
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.events import EventKind
from mobilizer.http import installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.public.answers import missing
from mobilizer.public.holders import followed
from mobilizer.public.noting import note
from mobilizer.public.tongues import browser_language, nearest

# A larger number of a link fits no column.
MOST = 2**31 - 1
# The smallest GIF that every mail program draws: one transparent point.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a link leads, and in whose name: `code` and `language` are empty for a proof."""

    kind: str
    url: str
    appeal_id: int
    slug: str
    code: str
    language: str


def click(token: str, n: int) -> Response:
    """Send a member on to the n-th link of their mail."""
    here = installation()
    ticket = here.keyring.read_token(Purpose.CLICK, token)
    target = _target(ticket, n) if ticket and n <= MOST else None
    if ticket is None or target is None:
        return missing()
    if ticket.member:
        note(EventKind.CLICK, blast=ticket.blast, member=ticket.member, link_n=n, language=target.language)
    response = redirect(_address(target), 302)
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def pixel(token: str) -> Response:
    """The open pixel: always an image, whatever the token and whatever fails behind it."""
    ticket = installation().keyring.read_token(Purpose.OPEN, token)
    if ticket and ticket.member:
        note(EventKind.OPEN, blast=ticket.blast, member=ticket.member)
    response = Response(PIXEL, mimetype="image/gif")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def _target(ticket: Ticket, n: int) -> Target | None:
    statement = (
        select(Link.kind, Link.url, Appeal.id, Appeal.slug, Member.share_code, Delivery.language)
        .join(Blast, Blast.id == Link.blast_id)
        .join(Appeal, Appeal.id == Blast.appeal_id)
        .outerjoin(Member, Member.id == ticket.member)
        .outerjoin(Delivery, is_for(Link.blast_id, ticket.member))
        .where(Link.blast_id == ticket.blast, Link.n == n)
    )
    with installation().database.read() as session:
        row = session.execute(statement).one_or_none()
        stays = followed(session, ticket) if row is not None and row.share_code is None else ticket
    if stays != ticket:
        return _target(stays, n)
    if row is None or (row[0] == "url" and not row[1].lower().startswith(("https://", "http://", "mailto:"))):
        return None
    kind, url, appeal_id, slug, code, tag = row
    return Target(kind, url, appeal_id, slug, code or "", tag or "")


def _address(target: Target) -> str:
    if target.kind == "url":
        return target.url
    anchor = "share" if target.kind == "share" else None
    # `own` says that this visitor came by their own mail, not by a friend's link; the page's script
    # takes it out of the address bar, so that an address passed on counts as a friend's.
    own = "1" if target.code else None
    tag = target.language or _proof_language(target.appeal_id)
    return url_for("public.watch", slug=target.slug, tag=tag, code=target.code or None, own=own, _anchor=anchor)


def _proof_language(appeal_id: int) -> str:
    with installation().database.read() as session:
        tags = session.scalars(select(Translation.language).where(Translation.appeal_id == appeal_id)).all()
    asked = nearest(request.args.get("in", ""), tags)
    return asked or (browser_language(tags) if tags else "en")
