"""Web: an appeal's words. The source text to write, and each translation beside it, saved as one writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation, sound_of
from mobilizer.appeals.completeness import of_translation
from mobilizer.appeals.editing import CHANGED, CHANGED_MEANWHILE, drawn_from, mine, save_translation, still_drawn
from mobilizer.appeals.exchange import FORMATS
from mobilizer.appeals.fields import BY_NAME, FIELDS, MERGE_TAGS, tidy
from mobilizer.appeals.history import AUTOSAVED, SAVED, Edit, lately
from mobilizer.appeals.states import content_hash
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.appeal_head import head, may_write, words_url, writable
from mobilizer.web.authors import Authors
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.uploads import media_files, spoken_languages
from mobilizer.web.words import _, number, problem
from mobilizer.web.writing import Typed, remarks_of, rows


@blueprint.get("/appeals/<slug>/words/<tag>")
@allowed("appeals.translate")
def words(slug: str, tag: str) -> ResponseReturnValue:
    """The words in one language; a translation has the source text at its side."""
    with installation().database.read() as session:
        appeal, translation = writable(session, slug, tag)
        return page(session, appeal, translation)


@blueprint.post("/appeals/<slug>/words/<tag>")
@allowed("appeals.translate")
def save(slug: str, tag: str) -> ResponseReturnValue:
    """Save the words, or show them again with what has to be mended: nothing typed is lost."""
    with installation().database.write() as session:
        appeal, translation, problems = _saved(session, slug, tag, SAVED)
        if problems:
            status = 409 if any(one.code == CHANGED for one in problems) else 422
            return page(session, appeal, translation, _typed(), problems), status
        record(session, me().id, "appeal.translate", f"appeal:{appeal.id}", language=tag)
    flash(_("Saved."), "good")
    return redirect(url_for("appeals.words", slug=slug, tag=tag), 303)


@blueprint.post("/appeals/<slug>/words/<tag>/autosave")
@allowed("appeals.translate")
def autosave(slug: str, tag: str) -> ResponseReturnValue:
    """Save what is typed while one goes on typing; the answer says what is wrong with each field, saved or not."""
    with installation().database.write() as session:
        appeal, translation, problems = _saved(session, slug, tag, AUTOSAVED)
        seen, stale = still_drawn(translation, _typed(), request.form.get("seen", ""))
        meanwhile = [Problem(CHANGED, CHANGED_MEANWHILE, severity="warning", where=name) for name in stale]
        found = problems or [*meanwhile, *remarks_of(session, appeal, translation)]
        state = of_translation(translation)
        return jsonify(
            saved=not problems,
            crossed=any(one.code == CHANGED for one in problems),
            seen=seen,
            read=content_hash(appeal, translation),
            done=_("%(done)s of %(total)s fields are written", done=number(state.done), total=number(state.total)),
            remarks={
                field.name: [[one.severity, problem(one)] for one in found if one.where == field.name]
                for field in FIELDS
            },
        )


def _typed() -> dict[str, str]:
    return {field.name: request.form[field.name] for field in FIELDS if field.name in request.form}


def _saved(session: Session, slug: str, tag: str, how: str) -> tuple[Appeal, Translation, list[Problem]]:
    """Save what the form says, or why not."""
    # Two who save at once go one after the other, so that the second is told.
    session.scalar(select(Appeal.id).where(Appeal.slug == slug).with_for_update())
    appeal, translation = writable(session, slug, tag)
    seen, fits = request.form.get("seen", ""), [name for name in request.form.getlist("fits") if name in BY_NAME]
    edit = Edit(me().id, how)
    problems = save_translation(session, appeal, tag, _typed(), seen=seen, edit=edit, fits=fits)
    return appeal, translation, problems


def page(
    session: Session,
    appeal: Appeal,
    translation: Translation,
    typed: Mapping[str, str] | None = None,
    problems: Sequence[Problem] = (),
) -> str:
    """The page of a language's words, with what was typed and what has to be mended."""
    tag = translation.language
    shown = head(session, appeal, tag, lambda other: _sideways(appeal, other))
    people = Authors(session)
    other = lately(session, translation, me().id)
    return render_template(
        "appeals/words.html",
        appeal=shown,
        here=shown.line(tag),
        is_source=tag == appeal.source_language,
        rows=rows(session, appeal, translation, _kept(translation, typed), problems),
        people=people,
        also_writing=people.name(other) if other else "",
        why_not_review=people.why_not_review(session, appeal, tag),
        read=content_hash(appeal, translation),
        approved_by=translation.approved_by_id,
        conflict=any(one.code == CHANGED for one in problems),
        problems=[(one, one.where if one.where in BY_NAME else "") for one in problems if one.code != CHANGED],
        labels={field.name: _(field.label) for field in FIELDS},
        merge_tags=MERGE_TAGS,
        seen=drawn_from(appeal, translation),
        changed_at=translation.changed_at,
        media=media_files(appeal, translation),
        media_problems=[],
        video_seconds=appeal.video_seconds,
        spoken_languages=spoken_languages(appeal),
        sound=sound_of(appeal),
        formats=FORMATS.values(),
    )


def _kept(translation: Translation, typed: Mapping[str, str] | None) -> Typed | None:
    """What was typed into the fields that its writer has changed; the others show what is saved."""
    if typed is None:
        return None
    tidied = {name: tidy(BY_NAME[name], text) for name, text in typed.items()}
    changed, crossed = mine(translation, tidied, request.form.get("seen", ""))
    return Typed({name: typed[name] for name in changed}, frozenset(crossed))


def _sideways(appeal: Appeal, tag: str) -> str:
    return words_url(appeal, tag) if may_write(appeal, tag) else url_for("appeals.preview", slug=appeal.slug, tag=tag)
