"""Web: nobody enters by accident. Every view names its action; a view that names none is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from mobilizer.http import installation, on_discreet_site
from mobilizer.organizers.accounts import Account, account
from mobilizer.organizers.policy import may
from mobilizer.organizers.sessions import signed_in
from mobilizer.web.words import choose_language

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])

TOKEN_KEY = "token"  # noqa: S105 - where the browser's token lies in its cookie
ANYONE = "anyone"
# Where one may go who still owes a second factor.
FACTOR_PAGE = "settings.factor"
OPEN_WITHOUT_FACTOR = frozenset({FACTOR_PAGE, "settings.begin_factor"})
# Files of our own, the same for everyone.
OPEN_ENDPOINTS = frozenset({"web.static", "public.static"})
# The member's pages have no sign-in: what a link's token allows is decided there.
OPEN_BLUEPRINTS = frozenset({"public"})
# Where more may be sent than elsewhere: the setting of the application that says how much.
LARGEST = {"imports.upload": "LARGEST_IMPORT", "appeals.upload": "LARGEST_FILM", "appeals.shelve": "LARGEST_FILM"}
# Whoever is not signed in sends an address, a password, a choice of lists: never a file.
LARGEST_FROM_ANYONE = 64 * 1024


def allowed(action: str) -> Callable[[View], View]:
    """Mark a view with the action it is, a line of organizers.policy.POLICY. Goes beneath the route line."""

    def mark(view: View) -> View:
        view.action = action  # type: ignore[attr-defined]
        return view

    return mark


def anyone(view: View) -> View:
    """Mark a view that needs no sign-in."""
    return allowed(ANYONE)(view)


def action_of(endpoint: str) -> str | None:
    """The action that an endpoint's view names; None refuses it."""
    if endpoint in OPEN_ENDPOINTS or endpoint.partition(".")[0] in OPEN_BLUEPRINTS:
        return ANYONE
    return getattr(current_app.view_functions[endpoint], "action", None)


def me() -> Account:
    """Who is signed in. Only for views that need a sign-in."""
    found: Account = g.me
    return found


def permitted(action: str) -> bool:
    """Whether whoever looks at this page may do an action: for showing or leaving out a button."""
    who: Account | None = g.get("me")
    return who is not None and may(who.role, action)


def guard() -> ResponseReturnValue | None:
    """Before each request: find out who asks, choose the page's language, refuse what the policy refuses."""
    request.max_content_length = LARGEST_FROM_ANYONE
    if request.blueprint in OPEN_BLUEPRINTS:
        return None
    if on_discreet_site():
        abort(404)  # who tries the domain of a discreet mail finds the member's pages alone
    if request.endpoint in OPEN_ENDPOINTS:
        return None
    _recognise()
    if g.me is not None:
        largest = LARGEST.get(request.endpoint or "", "MAX_CONTENT_LENGTH")
        request.max_content_length = current_app.config[largest]
    choose_language(g.me.interface_language if g.me else None)
    if request.endpoint is None:
        return None
    action = action_of(request.endpoint)
    if action == ANYONE:
        return None
    if action is None or (g.me is not None and not may(g.me.role, action)):
        abort(403)
    if g.me is None:
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("signin.form", next=wanted if wanted != "/" else None), 303)
    if g.owes_factor and request.endpoint not in OPEN_WITHOUT_FACTOR:
        return redirect(url_for(FACTOR_PAGE), 303)
    return None


def _recognise() -> None:
    """Who asks, and whether they have shown it a moment ago."""
    g.me, g.proved, g.owes_factor = None, False, False
    token = session.get(TOKEN_KEY)
    if not isinstance(token, str):
        return
    here = installation()
    with here.database.read() as reading:
        found = signed_in(reading, token)
        if found:
            g.me, g.proved, g.owes_factor = account(here.keyring, found.user), found.proved, found.owes_factor
