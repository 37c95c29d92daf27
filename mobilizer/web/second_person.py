"""Web: whether each launch needs a second person."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.installation import BY_TWO
from mobilizer.organizers.accounts import accounts
from mobilizer.organizers.audit import record
from mobilizer.organizers.policy import may
from mobilizer.settings import set_outside
from mobilizer.web.keeping import keep
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _


@blueprint.get("/second-person")
@allowed("settings.second_person")
def second_person() -> ResponseReturnValue:
    """Whether it is so, and whether there is a second person."""
    here = installation()
    with here.database.read() as reading:
        able = [
            one for one in accounts(reading, here.keyring) if may(one.role, "blasts.launch") and not one.disabled_at
        ]
    return render_template(
        "settings/second_person.html",
        needed=here.settings.launch_by_two,
        fixed=set_outside(BY_TWO),
        organizers=len(able),
    )


@blueprint.post("/second-person")
@allowed("settings.second_person")
@proven
def change_second_person() -> ResponseReturnValue:
    """Ask for a second person from now on, or no longer."""
    needed = "needed" in request.form
    keep({BY_TWO: needed})
    with installation().database.write() as writing:
        record(writing, me().id, "second_person.change", "settings", needed=needed)
    flash(_("Saved."), "good")
    return redirect(url_for("settings.second_person"), 303)
