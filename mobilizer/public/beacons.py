"""Public: beacons. A watch page says how far its film was played; a stamp of its own makes each count once.

The stamp names one showing of one page, and nobody: a number drawn anew each time, with the time, signed for the
page's address. What comes without a good one is answered and not counted, so to count one viewing somebody has to
fetch one page. The number is forgotten with the stamp's end.
"""

from __future__ import annotations

import secrets

from flask import request
from itsdangerous import BadSignature, TimestampSigner

from mobilizer.http import installation
from mobilizer.jobs import is_first

STAND_IN = b"the-stamp-of-this-showing"
DRAWING = "mobilizer.drawing"  # says in a request's environment that the page is drawn to be filled in
LATEST_SECONDS = 24 * 3600  # a page that lies open for longer has been watched, or never will be


def stamp(slug: str, tag: str, code: str = "") -> str:
    """The stamp of one showing of a watch page, for its forms and its script."""
    if DRAWING in request.environ:
        return STAND_IN.decode()
    return made(installation().keyring.cookie_secret, slug, tag, code)


def made(secret: bytes, slug: str, tag: str, code: str = "") -> str:
    """A fresh stamp, signed with an installation's secret."""
    return _signer(secret, slug, tag, code).sign(secrets.token_urlsafe(6)).decode()


def counts(did: str, slug: str, tag: str, code: str = "") -> bool:
    """Whether what this request says was done on a page counts: its stamp is good, and it was not said before."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False  # a form on someone else's site is not a person who watched here
    try:
        signer = _signer(installation().keyring.cookie_secret, slug, tag, code)
        showing = signer.unsign(request.form.get("stamp", ""), max_age=LATEST_SECONDS).decode()
    except BadSignature:
        return False
    return is_first(installation(), f"{showing} {did}", LATEST_SECONDS)


def _signer(secret: bytes, slug: str, tag: str, code: str) -> TimestampSigner:
    return TimestampSigner(secret, salt=f"watch {slug} {tag} {code}")
