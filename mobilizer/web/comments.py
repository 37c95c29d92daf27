"""Web: comments on the fields of a translation."""

from __future__ import annotations

from flask import abort, flash, redirect, request
from flask.typing import ResponseReturnValue

from mobilizer.appeals.comments import comment, resolve
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.web.appeal_head import words_url, writable
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import problem


@blueprint.post("/appeals/<slug>/words/<tag>/comments")
@allowed("appeals.translate")
def say(slug: str, tag: str) -> ResponseReturnValue:
    """Say something about the field whose button was pressed."""
    field = request.form.get("field", "")
    with installation().database.write() as session:
        appeal, translation = writable(session, slug, tag)
        problems = comment(session, translation, field, request.form.get(f"comment-{field}", ""), me().id)
        if not problems:
            record(session, me().id, "appeal.comment", f"appeal:{appeal.id}", language=tag, field=field)
        onward = words_url(appeal, tag, field)
    for one in problems:
        flash(problem(one), "bad")
    return redirect(onward, 303)


@blueprint.post("/appeals/<slug>/words/<tag>/comments/<int:number>")
@allowed("appeals.translate")
def settle(slug: str, tag: str, number: int) -> ResponseReturnValue:
    """Mark a comment as resolved."""
    with installation().database.write() as session:
        appeal, translation = writable(session, slug, tag)
        if not resolve(session, translation, number, me().id):
            abort(404)
        record(session, me().id, "appeal.resolve", f"appeal:{appeal.id}", language=tag)
        onward = words_url(appeal, tag)
    return redirect(onward, 303)
