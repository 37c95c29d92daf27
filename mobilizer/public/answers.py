"""Public: how every page answers. In a language, behind a strict policy, and kindly when there is nothing to show."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
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
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cache-Control": "no-store",
}


def guard(response: Response) -> Response:
    """Put the policy on every answer of this blueprint, unless a view has set its own."""
    for name, value in HEADERS.items():
        if name != "Cache-Control":
            response.headers.setdefault(name, value)
    if request.endpoint == "public.static" and "v" in request.args:
        # Its address changes with its content.
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    elif "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = HEADERS["Cache-Control"]
    return response


def page(template: str, tag: str, status: int = 200, **values: object) -> Response:
    """A page in the language of `tag`, which must have a member catalog. What is looked at can be looked at in every
    other one, at the address with `?in=`, unless the values name another `switch`."""
    speak("member", tag)
    values.setdefault("switch", switch(request.path) if request.method in ("GET", "HEAD") else ())
    spoken, discreet = language(tag), on_discreet_site()
    body = render_template(f"public/{template}", spoken=spoken, settings=_said(), discreet=discreet, **values)
    response = make_response(body, status)
    response.headers["Content-Language"] = tag
    return response


def _said() -> Settings:
    """The settings as pages say them: a discreet site goes by its own name, and has no street."""
    settings = installation().settings
    if not on_discreet_site():
        return settings
    return settings.model_copy(update={"organisation": request.host, "postal_address": ""})


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
    response = page("missing.html", visitor_language(), 404)
    response.headers["Vary"] = "Accept-Language"
    return response


def later(status: int = 503) -> Response:
    """The page for what can't be shown or done for the moment, in the visitor's language."""
    response = page("later.html", visitor_language(), status, pressed=request.method == "POST")
    response.headers["Vary"] = "Accept-Language"
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return url_for("public.static", filename=name, v=_fingerprint(name))


@cache
def _fingerprint(name: str) -> str:
    return hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
