"""Web: users. Who may sign in, in which role, who is invited, and who needs a second factor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, UnknownLanguage, canonical
from mobilizer.notices.inviting import Sent, link_of, send_invitation
from mobilizer.organizers.accounts import account, accounts, change_role
from mobilizer.organizers.accounts import disable as disable_user
from mobilizer.organizers.accounts import enable as enable_user
from mobilizer.organizers.audit import record
from mobilizer.organizers.factors import end_factor, need_one, roles_that_need_one
from mobilizer.organizers.invitations import GOOD_HOURS, invitations, invite, revoke
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from mobilizer.problems import N_, Problem
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.proving import proven
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _, page_language


@blueprint.get("/users")
@allowed("settings.users")
def users() -> ResponseReturnValue:
    """Everyone who may sign in or is invited, and the form for one more."""
    return _users({}, {})


@blueprint.post("/users")
@allowed("settings.users")
@proven
def send_invite() -> ResponseReturnValue:
    """Invite one more person, by mail and by a link that is shown this once; or say what is wrong with the form."""
    here, languages = installation(), _tags(request.form.get("languages", ""))
    if isinstance(languages, Problem):
        return _users(request.form, {"languages": languages}), 422
    role, spoken = _role(), request.form.get("interface_language", page_language())
    if lacks := _lacks(role, languages):
        return _users(request.form, {"languages": lacks}), 422
    with here.database.write() as writing:
        made = invite(
            writing,
            here.keyring,
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            role=role,
            languages=languages,
            interface_language=spoken if spoken in INTERFACE_LANGUAGES else page_language(),
            by=me().id,
        )
        if isinstance(made, tuple):
            record(writing, me().id, "invitation.send", f"invitation:{made[0].id}", role=role)
    if isinstance(made, list):
        return _users(request.form, {problem.where: problem for problem in made}), 422
    person, token = made
    sent = send_invitation(here, person, token)
    return render_template(
        "settings/invited.html", person=person, link=link_of(here.settings, token), sent=sent == Sent.YES
    )


@blueprint.post("/invitations/<int:number>/revoke")
@allowed("settings.users")
def revoke_invitation(number: int) -> ResponseReturnValue:
    """Take an invitation back: its link leads nowhere from now on."""
    with installation().database.write() as writing:
        if number >= 2**63 or not revoke(writing, number):
            abort(404)
        record(writing, me().id, "invitation.revoke", f"invitation:{number}")
    flash(_("The invitation is taken back."), "good")
    return redirect(url_for("settings.users"), 303)


@blueprint.post("/users/factor")
@allowed("settings.users")
@proven
def require_factor() -> ResponseReturnValue:
    """Let the chosen roles need a second factor."""
    roles = [role for role in Role if role in request.form.getlist("role")]
    with installation().database.write() as writing:
        need_one(writing, roles)
        record(writing, me().id, "factor.require", "factor", roles=[str(role) for role in roles])
    flash(_("Saved."), "good")
    return redirect(url_for("settings.users"), 303)


@blueprint.get("/users/<int:number>")
@allowed("settings.users")
def user(number: int) -> ResponseReturnValue:
    """One user, and what may be changed."""
    return _one(number, {})


@blueprint.post("/users/<int:number>")
@allowed("settings.users")
@proven
def change_user(number: int) -> ResponseReturnValue:
    """Give a user another role; their sessions end."""
    languages, role = _tags(request.form.get("languages", "")), _role()
    wrong = languages if isinstance(languages, Problem) else _lacks(role, languages)
    if wrong is not None or isinstance(languages, Problem):
        return _one(number, {"languages": wrong}), 422
    with installation().database.write() as writing:
        problems = change_role(writing, _user(writing, number), role, languages)
        if not problems:
            record(writing, me().id, "user.role", f"user:{number}", role=role)
    return _changed(number, problems)


@blueprint.post("/users/<int:number>/disable")
@allowed("settings.users")
@proven
def disable(number: int) -> ResponseReturnValue:
    """Let a user sign in no more."""
    with installation().database.write() as writing:
        problems = disable_user(writing, _user(writing, number))
        if not problems:
            record(writing, me().id, "user.disable", f"user:{number}")
    return _changed(number, problems)


@blueprint.post("/users/<int:number>/enable")
@allowed("settings.users")
@proven
def enable(number: int) -> ResponseReturnValue:
    """Let a disabled user sign in again."""
    with installation().database.write() as writing:
        enable_user(_user(writing, number))
        record(writing, me().id, "user.enable", f"user:{number}")
    return _changed(number, [])


@blueprint.post("/users/<int:number>/factor")
@allowed("settings.users")
@proven
def reset_factor(number: int) -> ResponseReturnValue:
    """Take the second factor from somebody who has lost their phone and their recovery codes."""
    with installation().database.write() as writing:
        end_factor(writing, _user(writing, number))
        record(writing, me().id, "factor.reset", f"user:{number}")
    return _changed(number, [])


def _users(values: Mapping[str, str], problems: Mapping[str, Problem]) -> str:
    here = installation()
    with here.database.read() as reading:
        return render_template(
            "settings/users.html",
            everyone=accounts(reading, here.keyring),
            invited=invitations(reading, here.keyring),
            need_factor=roles_that_need_one(reading),
            roles=list(Role),
            values=values,
            problems=problems,
            good_hours=GOOD_HOURS,
        )


def _one(number: int, problems: Mapping[str, Problem | None]) -> str:
    here = installation()
    with here.database.read() as reading:
        who = account(here.keyring, _user(reading, number))
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


def _lacks(role: Role, languages: Iterable[str]) -> Problem | None:
    """What is wrong with a translator who has nothing to translate into."""
    if role != Role.TRANSLATOR or tuple(languages):
        return None
    return Problem("user.no_language", N_("Say at least one language that they translate into."), where="languages")


def _tags(text: str) -> tuple[str, ...] | Problem:
    tags = []
    for word in text.replace(",", " ").split():
        try:
            tags.append(canonical(word))
        except UnknownLanguage:
            said = N_("“%(tag)s” is not a language code. Write codes like: es pt-BR ar")
            return Problem("user.bad_language", said, {"tag": word}, where="languages")
    return tuple(dict.fromkeys(tags))
