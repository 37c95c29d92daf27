"""Web: the first run. Organisation and first administrator, for who knows the code; then how mail goes out."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.installation import ORGANISATION
from mobilizer.limits import FIRST_RUN, limiter
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.audit import record
from mobilizer.organizers.first_run import is_code, nobody_yet, still_nobody
from mobilizer.organizers.passwords import LEAST_LENGTH
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from mobilizer.problems import N_, Problem
from mobilizer.web.keeping import keep
from mobilizer.web.policy import anyone
from mobilizer.web.signin import blueprint, enter_as
from mobilizer.web.words import page_language


@blueprint.get("/set-up")
@anyone
def first() -> ResponseReturnValue:
    """The form, as long as nobody can sign in."""
    return _page({}) if _empty() else redirect(url_for("signin.form"), 303)


@blueprint.post("/set-up")
@anyone
@limiter.limit(FIRST_RUN, key_func=lambda: "first run", deduct_when=lambda response: response.status_code == 422)
def begin() -> ResponseReturnValue:
    """Make the first administrator, signed in here, and keep what the organisation is called."""
    if not _empty():
        return redirect(url_for("signin.form"), 303)
    problems = _problems()
    made = None if problems else _make()
    if isinstance(made, list):
        problems = {problem.where: problem for problem in made}
    if not isinstance(made, int):
        return (_page(problems), 422) if problems else redirect(url_for("signin.form"), 303)
    enter_as(made)
    keep({name: request.form.get(name, "") for name in ORGANISATION})
    return redirect(url_for("settings.sending", first=1), 303)


def _empty() -> bool:
    with installation().database.read() as reading:
        return nobody_yet(reading)


def _problems() -> dict[str, Problem]:
    found = {}
    if not is_code(installation().keyring, request.form.get("code", "")):
        text = N_("This is not the code. The terminal where Mobilizer was started shows it.")
        found["code"] = Problem("first.code", text, where="code")
    if not request.form.get("organisation", "").strip():
        found["organisation"] = Problem("first.name", N_("Say what your organisation is called."), where="organisation")
    return found


def _make() -> int | list[Problem] | None:
    """The first administrator's number; or what is wrong; None: somebody else was first."""
    here = installation()
    with here.database.write() as writing:
        if not still_nobody(writing):
            return None
        made = create_user(
            writing,
            here.keyring,
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            role=Role.ADMIN,
            password=request.form.get("password", ""),
            interface_language=page_language(),
        )
        if isinstance(made, User):
            record(writing, made.id, "user.create", f"user:{made.id}", role=Role.ADMIN)
            return made.id
        return made


def _page(problems: dict[str, Problem]) -> str:
    return render_template("first_run.html", values=request.form, problems=problems, least=LEAST_LENGTH)
