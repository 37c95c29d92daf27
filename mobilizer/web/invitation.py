"""Web: following an invitation. Whoever has its link chooses a password and is in; the link then leads nowhere."""

from __future__ import annotations

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.http import installation, speak
from mobilizer.limits import INVITATIONS, limiter, whence
from mobilizer.organizers.audit import record
from mobilizer.organizers.invitations import Invited, accept, invited
from mobilizer.organizers.passwords import LEAST_LENGTH
from mobilizer.organizers.users import User
from mobilizer.problems import Problem
from mobilizer.web.policy import anyone
from mobilizer.web.signin import blueprint, enter_as


@blueprint.get("/invitation/<token>")
@anyone
@limiter.limit(INVITATIONS, key_func=whence)
def invitation(token: str) -> ResponseReturnValue:
    """What one is invited to, and the form; the same page for every link that is not good, whatever it was."""
    person = _person(token)
    return _page(token, person, {}) if person else (_page(token, None, {}), 404)


@blueprint.post("/invitation/<token>")
@anyone
@limiter.limit(INVITATIONS, key_func=whence)
def come_in(token: str) -> ResponseReturnValue:
    """Become a user, signed in here; or say what is wrong with the password."""
    here, person = installation(), _person(token)
    with here.database.write() as writing:
        name, password = request.form.get("name", ""), request.form.get("password", "")
        made = accept(writing, here.keyring, token, name, password)
        if isinstance(made, User):
            record(writing, made.id, "invitation.accept", f"user:{made.id}", role=made.role)
            user_id = made.id
    if isinstance(made, list) and person:
        return _page(token, person, {problem.where: problem for problem in made}), 422
    if not isinstance(made, User):
        return _page(token, None, {}), 404
    enter_as(user_id)
    return redirect(url_for("overview.index"), 303)


def _person(token: str) -> Invited | None:
    """Whom the link is for; from here on the page speaks their language."""
    here = installation()
    with here.database.read() as reading:
        found = invited(reading, here.keyring, token)
    if found and g.me is None:
        speak("web", found.interface_language)
    return found


def _page(token: str, person: Invited | None, problems: dict[str, Problem]) -> str:
    return render_template("invitation.html", token=token, person=person, problems=problems, least=LEAST_LENGTH)
