"""Web: notices. Which of them one wants by mail, and what has been noted lately, mailed or not."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.http import installation
from mobilizer.notices.listing import latest
from mobilizer.notices.wishes import Scope, Topic, wishes_of
from mobilizer.organizers.users import User
from mobilizer.problems import N_
from mobilizer.web.policy import allowed, me
from mobilizer.web.words import _

blueprint = Blueprint("notices", __name__, url_prefix="/settings/notices")

SHOWN = 50
TOPICS = {
    Topic.HELD: (N_("A blast is held"), N_("The relay fails, or too much is rejected.")),
    Topic.DECISION: (
        N_("A blast needs a decision"),
        N_("Mails are uncertain, a schedule came too late, or an audience can't be frozen."),
    ),
    Topic.FINISHED: (N_("A blast is finished"), N_("The line of each person is final.")),
}
SCOPES = {
    Scope.EVERY: N_("Of every blast"),
    Scope.MINE: N_("Of blasts that I launch"),
    Scope.NONE: N_("No mail"),
}
KINDS = {
    "held": (N_("Held"), "bad"),
    "finished": (N_("Finished"), "good"),
    "uncertain": (N_("Mails are uncertain"), "warn"),
    "late": (N_("Its time had passed"), "warn"),
    "stuck": (N_("It does not begin"), "bad"),
}
MAILS = {
    "sent": (N_("Mailed"), "good"),
    "waiting": (N_("Waiting"), "warn"),
    "failed": (N_("Could not be mailed"), "bad"),
    "dropped": (N_("Left out"), ""),
}


@blueprint.get("")
@allowed("blasts.see")
def index() -> ResponseReturnValue:
    """One's own choice, and the latest notices."""
    with installation().database.read() as session:
        user = session.get_one(User, me().id)
        return render_template(
            "settings/notices.html",
            wishes=wishes_of(user.role, user.notices),
            topics=TOPICS,
            scopes=[(scope.value, _(words)) for scope, words in SCOPES.items()],
            lines=latest(session, SHOWN),
            kinds=KINDS,
            mails=MAILS,
        )


@blueprint.post("")
@allowed("blasts.see")
def choose() -> ResponseReturnValue:
    """Remember what one wants to hear of."""
    try:
        said = {topic.value: Scope(request.form.get(topic, "")).value for topic in Topic}
    except ValueError:
        abort(400)
    with installation().database.write() as session:
        session.get_one(User, me().id).notices = said
    flash(_("Saved."), "good")
    return redirect(url_for("notices.index"), 303)
