"""Public: clicks and opens that are nobody's. The address names the blast, the language and the link; no member.

A blast that is counted in sums has these in place of clicks.py's. A proof's token is known as one, and not counted.
"""

from __future__ import annotations

from flask import Response, redirect, request, url_for

from mobilizer.blasts.tickets import NOBODY
from mobilizer.engagement.events import EventKind
from mobilizer.http import installation
from mobilizer.keys import Purpose
from mobilizer.public.answers import PIXEL, later, missing
from mobilizer.public.clicks import AWAY, watch_page
from mobilizer.public.noting import note
from mobilizer.public.targets import Reader, leads

LONGEST_TAG = 35  # of a language: RFC 5646, 4.4.1


def click(token: str, tag: str, n: int) -> Response:
    """Send somebody on to the n-th link of a mail in a language."""
    if AWAY in request.environ:
        return later()
    blast, counts = _blast(token, Purpose.CLICK)
    address = _address(blast, tag, n) if blast else ""
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
    lead = leads(installation().database, blast_id).get(n)
    if lead is None or tag not in lead.languages:
        return ""
    return lead.url or watch_page(lambda values: url_for("public.watch", **values), lead, Reader("", tag))
