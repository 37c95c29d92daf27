"""Web: a launch that can still be undone. The page that counts down, with and without script, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from mobilizer.blasts import launching
from mobilizer.blasts.blasts import BlastState
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.web.blast_head import blast_head, known_blast, place_of
from mobilizer.web.check_page import checked
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _

SECONDS, SECONDS_WITHOUT_SCRIPT = 5, 5


@blueprint.get("/blasts/<slug>/leaving")
@allowed("blasts.see")
def leaving(slug: str) -> ResponseReturnValue:
    """How long it can still be undone; once it has left, its progress."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state != BlastState.LEAVING or blast.scheduled_at is None:
            return redirect(place_of(blast), 303)
        to_go = max(0, ceil((blast.scheduled_at - datetime.now(UTC)).total_seconds()))
        return render_template(
            "blasts/leaving.html",
            blast=blast_head(blast),
            people=checked(session, blast).people,
            to_go=to_go,
            whole=ceil(installation().settings.undo_seconds),
            seconds=min(SECONDS, max(1, to_go)),
            seconds_without_script=SECONDS_WITHOUT_SCRIPT,
        )


@blueprint.post("/blasts/<slug>/undo")
@allowed("blasts.launch")
def undo(slug: str) -> ResponseReturnValue:
    """Take back a launch that has not left, or that waits for a second person."""
    with installation().database.write() as session:
        blast_id = known_blast(session, slug).id
        done = launching.undo(session, blast_id)
        if done:
            record(session, me().id, "blast.undo", f"blast:{blast_id}")
    if done:
        flash(_("Undone. Nothing was sent, and it is a draft again."), "good")
    else:
        flash(_("Nothing was changed: the blast has moved on meanwhile."), "warn")
    return redirect(url_for("blasts.show", slug=slug), 303)
