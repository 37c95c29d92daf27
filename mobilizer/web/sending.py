"""Web: how mail goes out. Whose name it bears, which relay takes it, and a mail to try it with."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.installation import ORGANISATION, SENDING
from mobilizer.notices.trying import try_relay
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.settings import set_outside
from mobilizer.transport.relays import RELAYS_FILE
from mobilizer.web.keeping import keep
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _, problem

PASSWORD = "smtp_password"  # noqa: S105 - the name of a field
NAMES = (*ORGANISATION, *SENDING)


@blueprint.get("/sending")
@allowed("settings.sending")
def sending() -> ResponseReturnValue:
    """What is in force, and where it may be changed."""
    return _page({}, {})


@blueprint.post("/sending")
@allowed("settings.sending")
@proven
def change_sending() -> ResponseReturnValue:
    """Keep what the form says; then, where that was asked for, send a mail to who asked."""
    said = {name: request.form[name] for name in NAMES if name in request.form}
    if not said.get(PASSWORD):
        said.pop(PASSWORD, None)  # an empty field leaves the one there is
    if wrong := keep(said):
        text = N_("This can't be used as it is written.")
        return _page(said, {name: Problem("setting.wrong", text, where=name) for name in wrong}), 422
    with installation().database.write() as writing:
        record(writing, me().id, "sending.change", "settings")
    if "try" not in request.form:
        flash(_("Saved."), "good")
        onward = "tongues.index" if "first" in request.args else "settings.sending"
        return redirect(url_for(onward), 303)
    trouble = try_relay(installation().settings, me())
    if trouble:
        flash(_("Saved, but no mail went: %(reason)s", reason=problem(trouble)), "bad")
    else:
        flash(_("Saved, and a mail is on its way to %(address)s. Look where it arrives.", address=me().email), "good")
    return redirect(url_for("settings.sending", first=request.args.get("first")), 303)


def _page(said: dict[str, str], problems: dict[str, Problem]) -> str:
    settings = installation().settings
    return render_template(
        "settings/sending.html",
        values={name: said.get(name, getattr(settings, name)) for name in NAMES if name != PASSWORD},
        has_password=bool(settings.smtp_password),
        fixed={name for name in NAMES if set_outside(name)},
        problems=problems,
        first="first" in request.args,
        own_file=(settings.home / RELAYS_FILE).exists(),
    )
