"""Public: clicks and opens that are nobody's. The address names the blast, the language and the link; no member.

A blast that is counted in sums has these in place of clicks.py's. A proof's token is known as one, and not counted.
"""

from __future__ import annotations

from flask import Response, redirect, url_for
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal
from mobilizer.blasts.blasts import Blast, Link, Rendition
from mobilizer.blasts.tickets import NOBODY
from mobilizer.engagement.events import EventKind
from mobilizer.http import installation
from mobilizer.keys import Purpose
from mobilizer.public.answers import missing
from mobilizer.public.clicks import MOST, PIXEL
from mobilizer.public.noting import note

LONGEST_TAG = 35  # of a language: RFC 5646, 4.4.1


def click(token: str, tag: str, n: int) -> Response:
    """Send somebody on to the n-th link of a mail in a language."""
    blast, counts = _blast(token, Purpose.CLICK)
    address = _address(blast, tag, n) if blast and n <= MOST else ""
    if not address:
        return missing()
    if counts:
        note(EventKind.CLICK, blast=blast, link_n=n, language=tag)
    response = redirect(address, 302)
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def pixel(token: str, tag: str) -> Response:
    """The open pixel of a language: always an image."""
    blast, counts = _blast(token, Purpose.OPEN)
    if counts and len(tag) <= LONGEST_TAG:
        note(EventKind.OPEN, blast=blast, language=tag)
    response = Response(PIXEL, mimetype="image/gif")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def _blast(token: str, proof: Purpose) -> tuple[int, bool]:
    """The blast of a token, 0 where it is none; and whether what happens counts: not if it is a proof's."""
    keyring = installation().keyring
    if ticket := keyring.read_token(Purpose.SUMS, token):
        return ticket.blast, True
    ticket = keyring.read_token(proof, token)
    return (ticket.blast if ticket and ticket.member == NOBODY else 0), False


def _address(blast_id: int, tag: str, n: int) -> str:
    """Where the n-th link leads; empty where there is none, or none in this language."""
    asked = (
        select(Link.kind, Link.url, Appeal.slug, Appeal.code, Blast.frozen_discreet)
        .join(Blast, Blast.id == Link.blast_id)
        .join(Appeal, Appeal.id == Blast.appeal_id)
        .join(Rendition, Rendition.blast_id == Link.blast_id)
        .where(Link.blast_id == blast_id, Link.n == n, Rendition.language == tag)
    )
    with installation().database.read() as session:
        row = session.execute(asked).one_or_none()
    if row is None:
        return ""
    kind, url, slug, code, discreet = row
    if kind == "url":
        return url if url.lower().startswith(("https://", "http://", "mailto:")) else ""
    anchor = "share" if kind == "share" else None
    return url_for("public.watch", slug=code if discreet else slug, tag=tag, _anchor=anchor)
