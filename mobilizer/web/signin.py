"""Web: signing in and out, and choosing the interface's language."""

from __future__ import annotations

import structlog
from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Answer

from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES
from mobilizer.organizers.accounts import verify
from mobilizer.organizers.audit import record
from mobilizer.organizers.sessions import begin_session, end_session
from mobilizer.organizers.users import User
from mobilizer.web.limits import SIGN_IN_BY_ACCOUNT, SIGN_IN_BY_BROWSER, limiter, whence, whom
from mobilizer.web.policy import TOKEN_KEY, anyone
from mobilizer.web.words import LANGUAGE_KEY, _

blueprint = Blueprint("signin", __name__)

WRONG = 422


@blueprint.get("/sign-in")
@anyone
def form() -> ResponseReturnValue:
    """The form; who is signed in already goes on."""
    return redirect(_onward(), 303) if g.me else _page()


def _failed(response: Answer) -> bool:
    return response.status_code == WRONG


@blueprint.post("/sign-in")
@anyone
@limiter.limit(SIGN_IN_BY_BROWSER, key_func=whence, deduct_when=_failed)
@limiter.limit(SIGN_IN_BY_ACCOUNT, key_func=whom, deduct_when=_failed)
def enter() -> ResponseReturnValue:
    """Sign in, or say that address and password do not belong together, whichever of them is wrong."""
    here = installation()
    # Checked before the write begins: the hash takes long, and workers need the database.
    with here.database.read() as reading:
        user = verify(reading, here.keyring, request.form.get("email", ""), request.form.get("password", ""))
    if user is None:
        structlog.get_logger("mobilizer.signin").info("sign-in refused", request=g.request_id)
        error = _("This e-mail address and password do not belong together. Check both and try again.")
        return _page(error), WRONG
    with here.database.write() as writing:
        token = begin_session(writing, user.id, here.settings.session_hours)
        record(writing, user.id, "session.begin", f"user:{user.id}")
    # A new session from nothing: neither its form token nor anything else was known before the sign-in.
    kept = session.get(LANGUAGE_KEY)
    session.clear()
    session[TOKEN_KEY] = token
    if kept:
        session[LANGUAGE_KEY] = kept
    return redirect(_onward(), 303)


@blueprint.post("/sign-out")
@anyone
def out() -> ResponseReturnValue:
    """End this browser's session, here and on the server."""
    token = session.get(TOKEN_KEY)
    if isinstance(token, str):
        with installation().database.write() as writing:
            end_session(writing, token)
    session.clear()
    return redirect(url_for("signin.form"), 303)


@blueprint.post("/language")
@anyone
def speak_language() -> ResponseReturnValue:
    """Choose the interface's language: for this browser, and for the user who is signed in."""
    tag = request.form.get("language", "")
    if tag not in INTERFACE_LANGUAGES:
        abort(400)
    session[LANGUAGE_KEY] = tag
    if g.me:
        with installation().database.write() as writing:
            user = writing.get(User, g.me.id)
            if user:
                user.interface_language = tag
    return redirect(_onward(), 303)


def _page(error: str = "") -> str:
    return render_template(
        "sign_in.html",
        error=error,
        email=request.form.get("email", ""),
        onward=request.values.get("next", ""),
    )


def _onward() -> str:
    """Where to go next: a path of ours that the form carries, never another host."""
    wanted = request.values.get("next", "")
    # Browsers drop tabs and line breaks: with one in it, a path of ours may read as another host.
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else url_for("overview.index")
