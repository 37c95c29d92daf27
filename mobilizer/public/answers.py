"""Public: how every page answers. In a language, behind a strict policy, and kindly when there is nothing to show."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from mobilizer.http import installation, on_discreet_site, speak
from mobilizer.languages import language
from mobilizer.public.tongues import asked_language, switch, visitor_language
from mobilizer.settings import Settings

STATIC = Path(__file__).parent / "static"
# The smallest GIF that every mail program draws: one transparent point.
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
A_YEAR = 31_536_000
RETRY_SECONDS = 20

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The sign-up form for somebody else's site. It holds nothing of anybody, and to be tricked into pressing its button
# does no harm: that takes an address to be typed, and the word of its owner.
FRAMED = frozenset({"public.framed_join", "public.ask_framed", "public.framed_sent"})
# What names the organisation or a list at once: on the domain of discreet mails there is none, and nothing leads there.
# Its other pages name nobody, or wait under a cover (covers.py).
NAMING = FRAMED | {"public.take_record"}
FRAMED_HEADERS = {
    "Content-Security-Policy": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cache-Control": "no-store",
}


def keep_quiet() -> Response | None:
    """On the domain of discreet mails, answer for pages that would say whose it is."""
    return missing() if request.endpoint in NAMING and on_discreet_site() else None


def guard(response: Response) -> Response:
    """Put the policy on every answer of this blueprint, unless a view has set its own."""
    for name, value in {**HEADERS, **(FRAMED_HEADERS if framed() else {})}.items():
        if name != "Cache-Control":
            response.headers.setdefault(name, value)
    if request.endpoint == "public.static" and "v" in request.args:
        # Its address changes with its content.
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = HEADERS["Cache-Control"]
    return response


def framed() -> bool:
    """Whether this request is for the form that may stand in a frame on another site."""
    return request.endpoint in FRAMED


def page(template: str, tag: str, status: int = 200, **values: object) -> Response:
    """A page in the language of `tag`, which must have a member catalog. What is looked at can be looked at in every
    other one, at the address with `?in=`, unless the values name another `switch`."""
    speak("member", tag)
    spoken = language(tag)
    values.setdefault("switch", switch() if request.method in ("GET", "HEAD") else ())
    body = render_template(
        f"public/{template}",
        spoken=spoken,
        settings=_said(),
        discreet=on_discreet_site(),
        whose=installation().settings.organisation,
        covered_at=request.full_path.rstrip("?"),
        framed=framed(),
        **values,
    )
    response = make_response(body, status)
    response.headers["Content-Language"] = tag
    return response


def _said() -> Settings:
    """The settings as pages say them: a discreet site goes by its own name, and has no street."""
    settings = installation().settings
    if not on_discreet_site():
        return settings
    return settings.model_copy(update={"organisation": settings.discreet_name, "postal_address": ""})


def at(endpoint: str, token: str, **said: Any) -> str:
    """The address of a page of a token, in the language that this one was asked for."""
    return url_for(f"public.{endpoint}", token=token, **{"in": asked_language() or None, **said})


def elsewhere(address: str, status: int = 303) -> Answer:
    """Send on to a page of ours. After a form it is what shows what came of it: it can be reloaded and come back to."""
    response = redirect(address, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def missing() -> Response:
    """The friendly page for a link that leads nowhere, forged or stale, in the visitor's language."""
    return refused(HTTPStatus.NOT_FOUND)


def later() -> Response:
    """The page for a link whose target can't be looked up for the moment, in the visitor's language."""
    response = refused(HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def refused(status: int) -> Response:
    """The page for what can't be answered otherwise: ask again later, look over what was sent, or it leads nowhere."""
    waits = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    wrong = status in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    template = "later.html" if waits else "refused.html" if wrong else "missing.html"
    response = page(template, visitor_language(), status, pressed=request.method == "POST")
    response.headers["Vary"] = "Accept-Language"
    return response


def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return url_for("public.static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
