"""Web: signing in and out, and choosing the interface's language."""

from __future__ import annotations

from datetime import UTC, datetime

import structlog
from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as Answer

from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES
from mobilizer.limits import SIGN_IN_BY_ACCOUNT, SIGN_IN_BY_BROWSER, limiter, own, whence, whom
from mobilizer.organizers.accounts import verify
from mobilizer.organizers.audit import record
from mobilizer.organizers.factors import is_factor
from mobilizer.organizers.first_run import nobody_yet
from mobilizer.organizers.sessions import begin_half, begin_session, end_session, half_user
from mobilizer.organizers.users import User
from mobilizer.web.agents import this_browser
from mobilizer.web.policy import TOKEN_KEY, anyone
from mobilizer.web.words import LANGUAGE_KEY, _

blueprint = Blueprint("signin", __name__)

WRONG = 422
HALF_KEY = "half"  # where the token lies of who still has to show their second factor


@blueprint.get("/sign-in")
@anyone
def form() -> ResponseReturnValue:
    """The form; who is signed in already goes on, and where nobody can yet, the first run begins."""
    if g.me:
        return redirect(_onward(), 303)
    with installation().database.read() as reading:
        empty = nobody_yet(reading)
    return redirect(url_for("signin.first"), 303) if empty else _page()


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
    if user.totp is not None:
        with here.database.write() as writing:
            token = begin_half(writing, user.id, this_browser())
        anew(HALF_KEY, token)
        return redirect(url_for("signin.code", next=request.values.get("next") or None), 303)
    enter_as(user.id)
    return redirect(_onward(), 303)


@blueprint.get("/sign-in/code")
@anyone
def code() -> ResponseReturnValue:
    """The second half: the code of one's app, after the password."""
    return _code_page() if _half() else redirect(url_for("signin.form"), 303)


@blueprint.post("/sign-in/code")
@anyone
def enter_code() -> ResponseReturnValue:
    """Sign in, if the second factor is shown; a few tries only, for the account as a whole."""
    half = _half()
    if half is None:
        return redirect(url_for("signin.form"), 303)
    here, g.half_id = installation(), half.id
    with limiter.limit(SIGN_IN_BY_ACCOUNT, key_func=own), here.database.write() as writing:
        user = writing.get_one(User, half.id)
        if not is_factor(writing, here.keyring, user, request.form.get("code", ""), datetime.now(UTC)):
            return _code_page(_("This code is not right, or was used before. Wait for the next one.")), WRONG
        end_session(writing, session[HALF_KEY])
    enter_as(half.id)
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


def enter_as(user_id: int) -> None:
    """Sign this browser in as a user, in a transaction of its own."""
    here = installation()
    with here.database.write() as writing:
        token = begin_session(writing, user_id, here.settings.session_hours, this_browser())
        record(writing, user_id, "session.begin", f"user:{user_id}")
    anew(TOKEN_KEY, token)


def anew(key: str, token: str) -> None:
    """A session from nothing: neither its form token nor anything else was known before the sign-in."""
    kept = session.get(LANGUAGE_KEY)
    session.clear()
    session[key] = token
    if kept:
        session[LANGUAGE_KEY] = kept


def _half() -> User | None:
    token = session.get(HALF_KEY)
    if not isinstance(token, str):
        return None
    with installation().database.read() as reading:
        return half_user(reading, token)


def _code_page(error: str = "") -> str:
    return render_template("sign_in_code.html", error=error, onward=request.values.get("next", ""))


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
