"""Public: the links of a proof that is counted in sums. The address names the blast, the language and the link.

Those of the mails themselves are answered ahead of Flask, in front.py; what happens here is counted nowhere.
"""

from __future__ import annotations

from flask import Response, redirect, request, url_for

from mobilizer.blasts.tickets import NOBODY
from mobilizer.http import installation
from mobilizer.keys import Purpose
from mobilizer.public.answers import PIXEL, later, missing
from mobilizer.public.clicks import AWAY, watch_page
from mobilizer.public.targets import Reader, leads


def click(token: str, tag: str, n: int) -> Response:
    """Send on whoever follows the n-th link of a proof in a language."""
    if AWAY in request.environ:
        return later()
    ticket = installation().keyring.read_token(Purpose.CLICK, token)
    address = _address(ticket.blast, tag, n) if ticket and ticket.member == NOBODY else ""
    if not address:
        return missing()
    response = redirect(address, 302)
    response.headers["Cache-Control"] = "no-store"
    return response  # type: ignore[return-value]


def pixel(**_named: str) -> Response:
    """The picture, whatever the token."""
    response = Response(PIXEL, mimetype="image/gif")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def _address(blast_id: int, tag: str, n: int) -> str:
    """Where the n-th link leads; empty where there is none, or none in this language."""
    lead = leads(installation().database, blast_id).get(n)
    if lead is None or tag not in lead.languages:
        return ""
    return lead.url or watch_page(lambda values: url_for("public.watch", **values), lead, Reader("", tag))
