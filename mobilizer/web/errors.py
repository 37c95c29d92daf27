"""Web: when something can't be done, a calm page that says so and where to go."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from redis.exceptions import RedisError
from werkzeug.exceptions import HTTPException

from mobilizer.db import disk_is_full
from mobilizer.http import on_discreet_site
from mobilizer.problems import N_
from mobilizer.web.policy import OPEN_BLUEPRINTS
from mobilizer.web.words import _, size

_SAID = {
    400: (N_("That did not work"), N_("The request was not complete. Go back, look at the form and send it again.")),
    403: (N_("This is not open to you"), N_("Your role does not include it. An administrator can change that.")),
    404: (N_("Nothing is here"), N_("The address may be mistyped, or what was here is gone.")),
    405: (N_("That did not work"), N_("This address can't be used like this. Go back and use the button on the page.")),
    413: (
        N_("That is too large"),
        N_(
            "What you sent is larger than this page takes: at most %(file)s as a file, %(typed)s as text. "
            "Split it into parts."
        ),
    ),
    429: (N_("Too many tries"), N_("For your safety, wait a few minutes, then try again.")),
    500: (N_("Something broke on our side"), N_("Nothing was half saved. Try again; if it stays, tell your operator.")),
    503: (N_("Not just now"), N_("A part of this installation is away for a moment. Try again in a minute.")),
}
_FOR_MEMBERS = "mobilizer.errors.for_members"
_EXPIRED = (
    N_("This form has expired"),
    N_("It was open for too long, or you signed in anew meanwhile. Go back, reload the page and send it again."),
)


_NO_ROOM = (
    N_("The disk is full"),
    N_(
        "Nothing was changed: this installation has no room left to write it down. Whoever runs it must make room; "
        "then try again."
    ),
)


def install_errors(app: Flask, for_members: Callable[[int], Response]) -> None:
    """Answer every error with a page in the reader's language; `for_members` makes those of the member's pages, and of
    the domain that must not say whose it is."""
    app.extensions[_FOR_MEMBERS] = for_members
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(RedisError, _away)
    app.register_error_handler(Exception, _broken)


def _refused(error: HTTPException) -> Response:
    if error.response is not None:
        return make_response(error.response)
    code = error.code or 500
    title, text = _EXPIRED if isinstance(error, CSRFError) else _SAID.get(code, _SAID[400 if code < 500 else 500])
    response = _page(title, text, code, **(_limits() if code == 413 else {}))
    # Keep what the error itself says in headers: the methods allowed, when to come back.
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers.setdefault(name, value)
    return response


def _away(error: RedisError) -> Response:
    # Tries that can't be counted are not let in: signing in fails closed.
    structlog.get_logger("mobilizer.error").warning("redis is away", kind=type(error).__name__)
    return _page(*_SAID[503], 503)


def _broken(error: Exception) -> Response:
    if disk_is_full(error):
        structlog.get_logger("mobilizer.error").error("disk_full", request=g.get("request_id", ""))
        return _page(*_NO_ROOM, 503)
    # The traceback's last line could hold what a member typed: the kind of error and its place are enough here.
    structlog.get_logger("mobilizer.error").error(
        "request failed", request=g.get("request_id", ""), kind=type(error).__name__, exc_info=error
    )
    return _page(*_SAID[500], 500)


def _limits() -> dict[str, str]:
    """How much a page takes, for who sent more."""
    whole, text = request.max_content_length or 0, request.max_form_memory_size or 0
    return {"file": size(whole), "typed": size(min(whole, text))}


def _page(title: str, sentence: str, code: int, **params: str) -> Response:
    if request.blueprint in OPEN_BLUEPRINTS or on_discreet_site():
        response: Response = current_app.extensions[_FOR_MEMBERS](code)
        return response
    request_id = g.get("request_id", "")
    page = render_template("error.html", title=_(title), text=_(sentence, **params), request_id=request_id)
    return make_response(page, code)
