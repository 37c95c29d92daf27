"""Web: an appeal's words. The source text to write, and each translation beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.editing import add_language, drawn_from, remove_language, save_translation, translation_in
from mobilizer.appeals.exchange import FORMATS
from mobilizer.appeals.fields import BY_NAME, FIELDS, Field, tidy
from mobilizer.appeals.parity import parity
from mobilizer.audience.spoken import spoken
from mobilizer.blasts.fallbacks import working
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, UnknownLanguage, canonical, fallback_chain, language
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.appeal_head import head, known_appeal, may_write, words_url, writable
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.uploads import media_files
from mobilizer.web.words import _, problem

CHANGED = "appeal.changed_meanwhile"
LONG_LINES, SHORT_LINES = 14, 3


@dataclass(frozen=True, slots=True)
class Row:
    """One field on the page. `theirs` is what somebody else saved meanwhile, where it differs."""

    field: Field
    text: str
    source: str
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    theirs: str | None

    @property
    def lines(self) -> int:
        """Height of the box; 1 is a single line."""
        if not self.field.multiline:
            return 1
        return LONG_LINES if self.field.max_length > 1000 else SHORT_LINES


@blueprint.get("/appeals/<slug>/languages")
@allowed("appeals.see")
def languages(slug: str) -> ResponseReturnValue:
    """How far each language is."""
    with installation().database.read() as session:
        return _board(session, known_appeal(session, slug))


@blueprint.post("/appeals/<slug>/languages")
@allowed("appeals.write")
def add(slug: str) -> ResponseReturnValue:
    """Open a translation in another language."""
    typed = request.form.get("language", "").strip()
    with installation().database.write() as session:
        appeal = known_appeal(session, slug)
        tag = _understood(typed)
        problems = add_language(session, appeal, tag)
        if problems:
            return _board(session, appeal, problems, typed), 422
        tag = canonical(tag)
        record(session, me().id, "appeal.add_language", f"appeal:{appeal.id}", language=tag)
        onward = words_url(appeal, tag)
    return redirect(onward, 303)


@blueprint.get("/appeals/<slug>/words/<tag>/remove")
@allowed("appeals.write")
def confirm_removal(slug: str, tag: str) -> ResponseReturnValue:
    """Ask before a translation is thrown away."""
    with installation().database.read() as session:
        appeal = known_appeal(session, slug)
        shown = head(session, appeal, tag)
        return render_template("appeals/remove.html", appeal=shown, here=shown.line(tag))


@blueprint.post("/appeals/<slug>/words/<tag>/remove")
@allowed("appeals.write")
def remove(slug: str, tag: str) -> ResponseReturnValue:
    """Take a translation out of the appeal."""
    with installation().database.write() as session:
        appeal = known_appeal(session, slug)
        problems = remove_language(session, appeal, tag)
        if not problems:
            record(session, me().id, "appeal.remove_language", f"appeal:{appeal.id}", language=tag)
    for one in problems:
        flash(problem(one), "bad")
    return redirect(url_for("appeals.languages", slug=slug), 303)


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
    typed = {field.name: request.form[field.name] for field in FIELDS if field.name in request.form}
    with installation().database.write() as session:
        # Two who save at once go one after the other, so that the second is told.
        session.scalar(select(Appeal.id).where(Appeal.slug == slug).with_for_update())
        appeal, translation = writable(session, slug, tag)
        problems = save_translation(session, appeal, tag, typed, seen=request.form.get("seen", ""))
        if problems:
            status = 409 if any(one.code == CHANGED for one in problems) else 422
            return page(session, appeal, translation, typed, problems), status
        record(session, me().id, "appeal.translate", f"appeal:{appeal.id}", language=tag)
    flash(_("Saved."), "good")
    return redirect(url_for("appeals.words", slug=slug, tag=tag), 303)


def _understood(typed: str) -> str:
    """A language's tag, from its code or its name in a usual language ('Deutsch', 'German'); else as it was typed."""
    try:
        return spoken(typed)
    except UnknownLanguage:
        return typed


def _board(session: Session, appeal: Appeal, problems: Sequence[Problem] = (), typed: str = "") -> str:
    shown = head(session, appeal)
    remarks: dict[str, int] = {}
    for one in parity(appeal):
        start, _dot, rest = one.where.partition(".")
        if start == "translations":
            remarks[rest.partition(".")[0]] = remarks.get(rest.partition(".")[0], 0) + 1
    there = {translation.language for translation in appeal.translations}
    addable = [(tag, language(tag).own_name) for tag in (*INTERFACE_LANGUAGES, *MORE_LANGUAGES) if tag not in there]
    return render_template(
        "appeals/languages.html",
        appeal=shown,
        remarks=remarks,
        complete=sum(1 for line in shown.languages if line.complete),
        addable=addable,
        unwritten=_unwritten(session, appeal, there),
        problems=problems,
        typed=typed,
    )


def _unwritten(session: Session, appeal: Appeal, there: set[str]) -> list[tuple[str, str]]:
    """The languages that are worked in and not written, and what their members get by falling back, if anything."""
    said, complete = working(session), complete_languages(appeal)
    lacking = {tag: fallback_chain(tag, said.fallbacks) for tag in said.languages if tag not in there}
    return [(tag, next((one for one in chain if one in complete), "")) for tag, chain in lacking.items()]


# Offered in the box where a language is added; any other tag can be typed.
MORE_LANGUAGES = (
    "pt-BR",
    "de",
    "it",
    "nl",
    "pl",
    "ru",
    "uk",
    "tr",
    "fa",
    "he",
    "hi",
    "id",
    "ja",
    "ko",
    "sw",
    "vi",
    "zh",
)


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
    source = translation_in(appeal, appeal.source_language)
    return render_template(
        "appeals/words.html",
        appeal=shown,
        here=shown.line(tag),
        is_source=tag == appeal.source_language,
        rows=_rows(appeal, translation, source, typed, problems),
        conflict=any(one.code == CHANGED for one in problems),
        problems=[(one, one.where if one.where in BY_NAME else "") for one in problems if one.code != CHANGED],
        labels={field.name: _(field.label) for field in FIELDS},
        seen=drawn_from(appeal, translation),
        changed_at=translation.changed_at,
        media=media_files(appeal, translation),
        media_problems=[],
        video_seconds=appeal.video_seconds,
        formats=FORMATS.values(),
    )


def _sideways(appeal: Appeal, tag: str) -> str:
    mine = may_write(appeal, tag)
    return words_url(appeal, tag) if mine else url_for("appeals.preview", slug=appeal.slug, tag=tag)


def _rows(
    appeal: Appeal,
    translation: Translation,
    source: Translation | None,
    typed: Mapping[str, str] | None,
    problems: Sequence[Problem],
) -> list[Row]:
    conflict = any(one.code == CHANGED for one in problems)
    prefix = f"translations.{translation.language}."
    remarks = [] if typed is not None else [one for one in parity(appeal) if one.where.startswith(prefix)]
    rows = []
    for field in FIELDS:
        kept = getattr(translation, field.name)
        text = (typed or {}).get(field.name, kept)
        rows.append(
            Row(
                field=field,
                text=text,
                source=getattr(source, field.name) if source else "",
                problems=tuple(problem(one) for one in problems if one.where == field.name),
                remarks=tuple(problem(one) for one in remarks if one.where == prefix + field.name),
                theirs=kept if conflict and tidy(field, text) != kept else None,
            )
        )
    return rows
