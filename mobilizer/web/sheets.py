"""Web: a translation taken along as a file for another tool, and brought back."""

from __future__ import annotations

from flask import abort, flash, make_response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.exchange import FORMATS, MAX_BYTES, file_name, read_sheet
from mobilizer.appeals.fields import BY_NAME
from mobilizer.appeals.sheets import BadSheet, Taken, sheet_of, take_sheet
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.web.appeal_head import words_url, writable
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.translate import page
from mobilizer.web.words import _, ngettext, problem


@blueprint.get("/appeals/<slug>/words/<tag>/sheet.<name>")
@allowed("appeals.translate")
def take_along(slug: str, tag: str, name: str) -> ResponseReturnValue:
    """The words of a language beside the source text, in the format that is asked for."""
    format = FORMATS.get(name) or abort(404)
    with installation().database.read() as session:
        appeal, _translation = writable(session, slug, tag)
        if tag == appeal.source_language:
            abort(404)
        sheet = sheet_of(appeal, tag)
    answer = make_response(format.write(sheet))
    answer.headers["Content-Type"] = f"{format.media_type}; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name(sheet, format)}"'
    return answer


@blueprint.post("/appeals/<slug>/words/<tag>/sheet")
@allowed("appeals.translate")
def bring_back(slug: str, tag: str) -> ResponseReturnValue:
    """Save a file that comes back; one that does not fit changes nothing and is told why."""
    with installation().database.write() as session:
        # Who saves at the same moment goes before or after, whole.
        session.scalar(select(Appeal.id).where(Appeal.slug == slug).with_for_update())
        appeal, translation = writable(session, slug, tag)
        taken = _taken(session, appeal, tag)
        if taken.refused:
            return page(session, appeal, translation, problems=taken.problems), 422
        if taken.changed:
            record(session, me().id, "appeal.translate", f"appeal:{appeal.id}", language=tag)
        onward = words_url(appeal, tag)
    for left in taken.problems:
        flash(f"{_(BY_NAME[left.where].label)}: {problem(left)}", "warn")
    count = len(taken.changed)
    said = ngettext("%(n)s field was changed.", "%(n)s fields were changed.", count)
    flash(said if count else _("The file says what is here already: nothing was changed."), "good")
    return redirect(onward, 303)


def _taken(session: Session, appeal: Appeal, tag: str) -> Taken:
    sent = request.files.get("sheet")
    if sent is None or not sent.filename:
        return Taken((), (Problem("sheet.none", N_("No file was chosen."), where="sheet"),))
    try:
        sheet = read_sheet(sent.filename, sent.stream.read(MAX_BYTES + 1))
    except BadSheet as error:
        return Taken((), (error.problem,))
    return take_sheet(session, appeal, tag, sheet, me().id)
