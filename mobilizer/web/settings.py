"""Web: settings. One's own language and password; how mail goes out, and what is kept."""

from __future__ import annotations

from collections.abc import Iterable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.custody.retention import RULES
from mobilizer.http import installation
from mobilizer.limits import SIGN_IN_BY_ACCOUNT, limiter, whence
from mobilizer.organizers.accounts import change_password
from mobilizer.organizers.audit import record
from mobilizer.organizers.passwords import LEAST_LENGTH, is_password
from mobilizer.organizers.users import User
from mobilizer.problems import N_, Problem
from mobilizer.web.agents import stay_signed_in
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.relays import relay_page
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _

# The pages of the settings by what they are about: who may enter, where it leads, its name.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        N_("People and rights"),
        (
            ("settings.users", ".users", N_("Users")),
            ("settings.second_person", ".second_person", N_("Second person")),
            ("settings.audit", ".audit", N_("Record of acts")),
        ),
    ),
    (
        N_("How mail goes out"),
        (
            ("settings.sending", ".sending", N_("Sender and relay")),
            ("settings.relays", ".domain", N_("Sender’s domain")),
            ("settings.relays", ".relays", N_("Relays")),
        ),
    ),
    (
        N_("Members’ data"),
        (
            ("settings.fields", "fields.index", N_("Fields of members")),
            ("settings.kept", ".kept", N_("What is kept")),
        ),
    ),
    (
        N_("Looks and languages"),
        (
            ("settings.brand", "brand.show", N_("Colours")),
            ("settings.languages", "tongues.index", N_("Languages")),
        ),
    ),
)
# Those that are about oneself.
OWN = (("settings.own", ".safety", N_("Safety")), ("blasts.see", "notices.index", N_("Notices")))


@blueprint.get("")
@allowed("settings.own")
def index() -> ResponseReturnValue:
    """The doors that are open to whoever looks, and their own language and password."""
    return _page({})


@blueprint.post("/password")
@allowed("settings.own")
@limiter.limit(SIGN_IN_BY_ACCOUNT, key_func=whence, deduct_when=lambda response: response.status_code == 422)
def password() -> ResponseReturnValue:
    """Change one's own password: every other browser is signed out, this one stays."""
    here = installation()
    with here.database.read() as reading:
        known = is_password(reading.get_one(User, me().id).password_hash, request.form.get("current", ""))
    if not known:
        text = N_("This is not your password as it is now.")
        return _refused({"current": Problem("password.wrong", text, where="current")})
    with here.database.write() as writing:
        found = change_password(writing, writing.get_one(User, me().id), request.form.get("password", ""))
        if not found:
            stay_signed_in(writing, me().id)
            record(writing, me().id, "user.password", f"user:{me().id}")
    if found:
        return _refused({problem.where: problem for problem in found})
    flash(_("Your password is changed. Every other browser was signed out."), "good")
    return redirect(url_for("settings.index"), 303)


@blueprint.get("/relays")
@allowed("settings.relays")
def relays() -> ResponseReturnValue:
    """The relays and how fast they go; what is wrong with their file, if anything is."""
    return render_template("settings/relays.html", page=relay_page(installation().settings))


@blueprint.get("/kept")
@allowed("settings.kept")
def kept() -> ResponseReturnValue:
    """What is kept for how long, and which setting says so."""
    return render_template("settings/kept.html", rules=RULES, settings=installation().settings)


def _refused(problems: dict[str, Problem]) -> tuple[str, int]:
    return _page(problems), 422


def _page(problems: dict[str, Problem]) -> str:
    groups = [(_(about), _open(doors)) for about, doors in GROUPS]
    return render_template("settings/index.html", groups=groups, own=_open(OWN), problems=problems, least=LEAST_LENGTH)


def _open(doors: Iterable[tuple[str, str, str]]) -> list[tuple[str, str]]:
    """(name, address) of what whoever looks may enter."""
    return [(_(name), url_for(endpoint)) for permission, endpoint, name in doors if permitted(permission)]
