"""Web: the language board of an appeal. Where each language stands, whom it is for, what they get as things stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.comments import open_comments
from mobilizer.appeals.completeness import complete_languages
from mobilizer.appeals.editing import add_language, remove_language, translation_in
from mobilizer.appeals.glossary import kept_terms, terms
from mobilizer.appeals.parity import parity_of
from mobilizer.appeals.states import approve, outdated, withdraw
from mobilizer.audience.queries import languages_of_members
from mobilizer.audience.spoken import spoken
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.fallbacks import working
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, CaughtBy, UnknownLanguage, canonical, choose, language
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.appeal_head import AppealHead, LanguageLine, head, known_appeal, open_blast, words_url, writable
from mobilizer.web.authors import Authors
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _, problem

# Offered in the box where a language is added; any other tag can be typed.
MORE_LANGUAGES = (
    *("pt-BR", "de", "it", "nl", "pl", "ru", "uk", "tr", "fa"),
    *("he", "hi", "id", "ja", "ko", "sw", "vi", "zh"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A language on the board. `people` speak it and `reached` get it as things stand, by their own language or by
    falling back; both are None for who may not see figures. `gets` is what its speakers get: '' can't be said yet."""

    head: LanguageLine
    people: int | None
    reached: int | None
    gets: str
    changed: tuple[str, ...]
    remarks: int
    comments: int


@dataclass(frozen=True, slots=True)
class Unwritten:
    """A language that is worked in or spoken by members, and not written in: what they get."""

    tag: str
    people: int | None
    gets: str


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


@blueprint.post("/appeals/<slug>/words/<tag>/approve")
@allowed("appeals.review")
def review(slug: str, tag: str) -> ResponseReturnValue:
    """Approve exactly the words that were read, or take the approval back."""
    with installation().database.write() as session:
        session.scalar(select(Appeal.id).where(Appeal.slug == slug).with_for_update())
        appeal, translation = writable(session, slug, tag)
        if request.form.get("act") == "withdraw":
            withdraw(session, translation)
            record(session, me().id, "appeal.withdraw", f"appeal:{appeal.id}", language=tag)
            return redirect(words_url(appeal, tag), 303)
        why_not = Authors(session).why_not_review(session, appeal, tag)
        problems = [] if why_not else approve(session, appeal, translation, me().id, request.form.get("read", ""))
        for said in [why_not] if why_not else map(problem, problems):
            flash(said, "bad")
        if not why_not and not problems:
            record(session, me().id, "appeal.approve", f"appeal:{appeal.id}", language=tag)
            flash(_("%(language)s is approved as it is now.", language=language(tag).own_name), "good")
        return redirect(words_url(appeal, tag), 303)


def _understood(typed: str) -> str:
    """A language's tag, from its code or its name in a usual language ('Deutsch', 'German'); else as it was typed."""
    try:
        return spoken(typed)
    except UnknownLanguage:
        return typed


def _board(session: Session, appeal: Appeal, problems: Sequence[Problem] = (), typed: str = "") -> str:
    shown = head(session, appeal)
    there = {translation.language for translation in appeal.translations}
    addable = [(tag, language(tag).own_name) for tag in (*INTERFACE_LANGUAGES, *MORE_LANGUAGES) if tag not in there]
    people = dict(languages_of_members(session)) if permitted("lists.see") else None
    gets = _gets(session, appeal, people)
    return render_template(
        "appeals/languages.html",
        appeal=shown,
        lines=_lines(session, appeal, shown, people, gets),
        counts=people is not None,
        complete=sum(1 for line in shown.languages if line.complete),
        addable=addable,
        unwritten=_unwritten(session, there, people, gets),
        problems=problems,
        typed=typed,
    )


def _gets(session: Session, appeal: Appeal, people: Mapping[str, int] | None) -> dict[str, str]:
    """By language, what its members are sent as things stand; '' where it can't be said yet."""
    said, complete = working(session), complete_languages(appeal)
    slug = open_blast(session, appeal)
    blast = session.scalar(select(Blast).where(Blast.slug == slug)) if slug else None
    default = blast.default_language if blast else said.default or appeal.source_language
    tags = {*(people or ()), *said.languages, *(translation.language for translation in appeal.translations)}
    chosen = {tag: choose(tag, None, complete, blast.chain if blast else (), default, said.fallbacks) for tag in tags}
    return {
        tag: "" if choice.caught_by == CaughtBy.DEFAULT and default not in complete else choice.language
        for tag, choice in chosen.items()
    }


def _lines(
    session: Session, appeal: Appeal, shown: AppealHead, people: Mapping[str, int] | None, gets: Mapping[str, str]
) -> list[Line]:
    waiting, glossary = open_comments(session, appeal), terms(session)
    lines = []
    for one in shown.languages:
        translation = translation_in(appeal, one.tag)
        if translation is None:
            continue
        remarks = [*parity_of(appeal, translation), *kept_terms(glossary, appeal, translation)]
        reached = sum(count for tag, count in (people or {}).items() if gets.get(tag) == one.tag)
        lines.append(
            Line(
                head=one,
                people=None if people is None else people.get(one.tag, 0),
                reached=None if people is None else reached,
                gets=gets.get(one.tag, ""),
                changed=tuple(outdated(translation)),
                remarks=len(remarks),
                comments=waiting.get(one.tag, 0),
            )
        )
    return lines


def _unwritten(
    session: Session, there: set[str], people: Mapping[str, int] | None, gets: Mapping[str, str]
) -> list[Unwritten]:
    """The languages that are worked in or spoken, and not written in, the most spoken first."""
    known = {*working(session).languages, *(people or ())} - there
    lacking = [Unwritten(tag, people.get(tag, 0) if people is not None else None, gets.get(tag, "")) for tag in known]
    return sorted(lacking, key=lambda one: (-(one.people or 0), one.tag))
