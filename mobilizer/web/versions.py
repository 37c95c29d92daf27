"""Web: the history of a translation's words. Each version with what it changed, and the way back to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.editing import save_translation
from mobilizer.appeals.fields import BY_NAME
from mobilizer.appeals.history import RESTORED, Edit, Version, version, versions
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.web.appeal_head import head, words_url, writable
from mobilizer.web.authors import Authors
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _, problem

MOST_SHOWN = 20
MOST_READ = 200


@dataclass(frozen=True, slots=True)
class Change:
    """A version and what the field said before it; `current` is what it says now."""

    version: Version
    label: str
    before: str
    current: bool


@blueprint.get("/appeals/<slug>/words/<tag>/history")
@allowed("appeals.translate")
def history(slug: str, tag: str) -> ResponseReturnValue:
    """Who wrote what, newest first; of one field if one is asked for."""
    field = request.args.get("field", "")
    with installation().database.read() as session:
        appeal, translation = writable(session, slug, tag)
        kept = versions(session, translation, field if field in BY_NAME else "", MOST_READ)
        shown = head(session, appeal, tag)
        return render_template(
            "appeals/history.html",
            appeal=shown,
            here=shown.line(tag),
            is_source=tag == appeal.source_language,
            field=field,
            fields=[(name, _(one.label)) for name, one in BY_NAME.items()],
            changes=_changes(kept)[:MOST_SHOWN],
            more=len(kept) > MOST_SHOWN,
            people=Authors(session),
        )


@blueprint.post("/appeals/<slug>/words/<tag>/history/<int:number>")
@allowed("appeals.translate")
def restore(slug: str, tag: str, number: int) -> ResponseReturnValue:
    """Let a field say again what it said; what it says now stays in the history."""
    with installation().database.write() as session:
        session.scalar(select(Appeal.id).where(Appeal.slug == slug).with_for_update())
        appeal, translation = writable(session, slug, tag)
        found = version(session, translation, number) or abort(404)
        edit = Edit(me().id, RESTORED)
        problems = save_translation(session, appeal, tag, {found.field: found.words}, edit=edit)
        if not problems:
            record(session, me().id, "appeal.restore", f"appeal:{appeal.id}", language=tag, field=found.field)
        onward, label = words_url(appeal, tag, found.field), _(BY_NAME[found.field].label)
    for one in problems:
        flash(problem(one), "bad")
    if problems:
        return redirect(url_for("appeals.history", slug=slug, tag=tag), 303)
    flash(_("“%(field)s” says again what it said then.", field=label), "good")
    return redirect(onward, 303)


def _changes(kept: Sequence[Version]) -> list[Change]:
    """Each version beside the one before it of the same field; newest first, as they come."""
    changes, later = [], dict[str, Version]()
    before: dict[int, str] = {}
    for one in kept:
        if one.field in later:
            before[later[one.field].id] = one.words
        later[one.field] = one
    seen = set[str]()
    for one in kept:
        label = _(BY_NAME[one.field].label) if one.field in BY_NAME else one.field
        changes.append(Change(one, label, before.get(one.id, ""), one.field not in seen))
        seen.add(one.field)
    return changes
