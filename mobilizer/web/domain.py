"""Web: the sender's domain. What the DNS says of it, what it should say to the letter, and a look when asked."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mobilizer import jobs
from mobilizer.delivery import sender_domain
from mobilizer.http import installation
from mobilizer.web.policy import allowed
from mobilizer.web.screens import settings as blueprint
from mobilizer.web.words import _


@blueprint.get("/domain")
@allowed("settings.relays")
def domain() -> ResponseReturnValue:
    """What was found when it was last looked up, and each record to publish."""
    settings = installation().settings
    with installation().database.read() as reading:
        known = sender_domain.state(reading, settings)
    return render_template(
        "settings/domain.html",
        known=known,
        asked=sender_domain.is_asked_about(settings),
        wanted=sender_domain.wanted(settings),
    )


@blueprint.post("/domain")
@allowed("settings.relays")
def look_domain_up() -> ResponseReturnValue:
    """Have it looked up anew; the page does not wait for the DNS."""
    if jobs.enqueue(installation(), jobs.Work.DOMAIN):
        flash(_("It is being looked up. Load this page again in a few seconds."), "good")
    else:
        flash(_("Redis does not answer. It is looked up by itself when it does."), "warn")
    return redirect(url_for("settings.domain"), 303)
