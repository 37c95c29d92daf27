"""Web: settings. One's own language and password; for administrators, the users."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.custody.retention import RULES
from mobilizer.http import installation
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.organizers.accounts import Account, account, accounts, change_password, change_role, create_user
from mobilizer.organizers.accounts import disable as disable_user
from mobilizer.organizers.accounts import enable as enable_user
from mobilizer.organizers.audit import record
from mobilizer.organizers.passwords import LEAST_LENGTH, is_password
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import begin_session
from mobilizer.organizers.users import User
from mobilizer.problems import N_, Problem
from mobilizer.web.limits import SIGN_IN_BY_ACCOUNT, limiter, whence
from mobilizer.web.policy import TOKEN_KEY, allowed, me, permitted
from mobilizer.web.relays import relay_page
from mobilizer.web.words import _, page_language

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.get("")
@allowed("settings.own")
def index() -> ResponseReturnValue:
    """The language and the password of whoever looks; a door to the users."""
    return render_template("settings/index.html", problems={}, least=LEAST_LENGTH)


@blueprint.post("/password")
@allowed("settings.own")
@limiter.limit(SIGN_IN_BY_ACCOUNT, key_func=whence, deduct_when=lambda response: response.status_code == 422)
def password() -> ResponseReturnValue:
    """Change one's own password: every other browser is signed out, this one stays."""
    here = installation()
    with here.database.read() as reading:
        known = is_password(_user(reading, me().id).password_hash, request.form.get("current", ""))
    if not known:
        text = N_("This is not your password as it is now.")
        return _refused({"current": Problem("password.wrong", text, where="current")})
    with here.database.write() as writing:
        found = change_password(writing, _user(writing, me().id), request.form.get("password", ""))
        token = "" if found else begin_session(writing, me().id, here.settings.session_hours)
        if token:
            record(writing, me().id, "user.password", f"user:{me().id}")
    if not token:
        return _refused({problem.where: problem for problem in found})
    session[TOKEN_KEY] = token
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


@blueprint.get("/users")
@allowed("settings.users")
def users() -> ResponseReturnValue:
    """Everyone who may sign in, and the form for one more."""
    return _users({}, {})


@blueprint.post("/users")
@allowed("settings.users")
def add_user() -> ResponseReturnValue:
    """Let one more person sign in, or say what is wrong with the form."""
    here, languages = installation(), _tags(request.form.get("languages", ""))
    if isinstance(languages, Problem):
        return _users(request.form, {"languages": languages}), 422
    with here.database.write() as writing:
        made = create_user(
            writing,
            here.keyring,
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            role=_role(),
            password=request.form.get("password", ""),
            languages=languages,
            interface_language=page_language(),
        )
        if isinstance(made, User):
            record(writing, me().id, "user.create", f"user:{made.id}", role=made.role)
    if not isinstance(made, User):
        return _users(request.form, {problem.where: problem for problem in made}), 422
    flash(_("They can sign in now. Tell them their password in person, and ask them to change it."), "good")
    return redirect(url_for("settings.users"), 303)


@blueprint.get("/users/<int:number>")
@allowed("settings.users")
def user(number: int) -> ResponseReturnValue:
    """One user, and what may be changed."""
    return _one(number, {})


@blueprint.post("/users/<int:number>")
@allowed("settings.users")
def change_user(number: int) -> ResponseReturnValue:
    """Give a user another role; their sessions end."""
    languages = _tags(request.form.get("languages", ""))
    if isinstance(languages, Problem):
        return _one(number, {"languages": languages}), 422
    with installation().database.write() as writing:
        problems = change_role(writing, _user(writing, number), _role(), languages)
        if not problems:
            record(writing, me().id, "user.role", f"user:{number}", role=_role())
    return _changed(number, problems)


@blueprint.post("/users/<int:number>/disable")
@allowed("settings.users")
def disable(number: int) -> ResponseReturnValue:
    """Let a user sign in no more."""
    with installation().database.write() as writing:
        problems = disable_user(writing, _user(writing, number))
        if not problems:
            record(writing, me().id, "user.disable", f"user:{number}")
    return _changed(number, problems)


@blueprint.post("/users/<int:number>/enable")
@allowed("settings.users")
def enable(number: int) -> ResponseReturnValue:
    """Let a disabled user sign in again."""
    with installation().database.write() as writing:
        enable_user(_user(writing, number))
        record(writing, me().id, "user.enable", f"user:{number}")
    return _changed(number, [])


def _refused(problems: dict[str, Problem]) -> tuple[str, int]:
    return render_template("settings/index.html", problems=problems, least=LEAST_LENGTH), 422


def _users(values: object, problems: dict[str, Problem]) -> str:
    here = installation()
    with here.database.read() as reading:
        everyone = accounts(reading, here.keyring)
    return render_template(
        "settings/users.html",
        everyone=everyone,
        values=values,
        problems=problems,
        least=LEAST_LENGTH,
    )


def _one(number: int, problems: dict[str, Problem]) -> str:
    here = installation()
    with here.database.read() as reading:
        who: Account = account(here.keyring, _user(reading, number))
    return render_template("settings/user.html", who=who, problems=problems)


def _changed(number: int, problems: list[Problem]) -> ResponseReturnValue:
    if problems:
        return _one(number, {problem.where: problem for problem in problems}), 422
    flash(_("Saved."), "good")
    # Whoever took this right from themselves can't come back to the list.
    return redirect(url_for("settings.users" if permitted("settings.users") else "settings.index"), 303)


def _user(session: Session, number: int) -> User:
    found: User = (session.get(User, number) if number < 2**63 else None) or abort(404)
    return found


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        abort(400)


def _tags(text: str) -> tuple[str, ...] | Problem:
    tags = []
    for word in text.replace(",", " ").split():
        try:
            tags.append(canonical(word))
        except UnknownLanguage:
            said = N_("“%(tag)s” is not a language code. Write codes like: es pt-BR ar")
            return Problem("user.bad_language", said, {"tag": word}, where="languages")
    return tuple(dict.fromkeys(tags))
