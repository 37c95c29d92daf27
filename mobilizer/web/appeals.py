"""Web: appeals. All of them, a new one, and the way into each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.editing import appeal_by_slug, appeals, check_values, create_appeal, save_translation, slug_for
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, UnknownLanguage, canonical, language
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.slugs import is_slug
from mobilizer.web import (  # noqa: F401 - their views are on the same blueprint
    board,
    comments,
    glossary,
    library,
    look,
    preview,
    sheets,
    translate,
    uploads,
    versions,
)
from mobilizer.web.appeal_head import AppealHead, head, known_appeal, may_write, words_url
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.screens import appeals as blueprint

# What an address of a page already means.
TAKEN = frozenset({"new", "library"})


@dataclass(frozen=True, slots=True)
class Card:
    """One appeal among the others."""

    head: AppealHead
    poster: str
    changed_at: datetime


@blueprint.get("/appeals")
@allowed("appeals.see")
def index() -> ResponseReturnValue:
    """Every appeal with its languages."""
    with installation().database.read() as session:
        cards = [_card(session, appeal) for appeal in appeals(session)]
    return render_template("appeals/index.html", cards=cards)


@blueprint.get("/appeals/new")
@allowed("appeals.write")
def new() -> ResponseReturnValue:
    """The form for a new appeal."""
    form = {"title": "", "language": installation().settings.default_language, "slug": ""}
    return _form(form, {})


@blueprint.post("/appeals/new")
@allowed("appeals.write")
def create() -> ResponseReturnValue:
    """Make an appeal and go on to write it, or say what has to be mended."""
    form = {name: request.form.get(name, "").strip() for name in ("title", "language", "slug")}
    with installation().database.write() as session:
        problems = [*_problems(session, form), *check_values({"title": form["title"]})]
        if problems:
            return _form(form, {problem.where: problem for problem in problems}), 422
        made = create_appeal(session, form["slug"] or _free(session, form["title"]), form["language"])
        save_translation(session, made, made.source_language, {"title": form["title"]})
        record(session, me().id, "appeal.create", f"appeal:{made.id}")
        onward = words_url(made, made.source_language)
    return redirect(onward, 303)


@blueprint.get("/appeals/<slug>")
@allowed("appeals.see")
def show(slug: str) -> ResponseReturnValue:
    """An appeal's first page for whoever asks: an organizer writes, a translator translates, a viewer looks."""
    with installation().database.read() as session:
        appeal = known_appeal(session, slug)
        if permitted("appeals.write"):
            return redirect(words_url(appeal, appeal.source_language), 303)
        mine = [one.language for one in appeal.translations if may_write(appeal, one.language)]
        if len(mine) == 1:
            return redirect(words_url(appeal, mine[0]), 303)
    there = "appeals.languages" if permitted("appeals.translate") else "appeals.preview_start"
    return redirect(url_for(there, slug=slug), 303)


def _card(session: Session, appeal: Appeal) -> Card:
    return Card(head(session, appeal), f"/media/{appeal.poster}" if appeal.poster else "", appeal.changed_at)


def _form(form: dict[str, str], problems: dict[str, Problem]) -> str:
    languages = [(tag, language(tag).own_name) for tag in dict.fromkeys([*INTERFACE_LANGUAGES, *_known(form)])]
    return render_template("appeals/new.html", form=form, problems=problems, languages=languages)


def _known(form: dict[str, str]) -> list[str]:
    try:
        return [canonical(form["language"])]
    except UnknownLanguage:
        return []


def _free(session: Session, title: str) -> str:
    wanted = slug_for(session, title)
    return f"{wanted}-appeal" if wanted in TAKEN else wanted


def _problems(session: Session, form: dict[str, str]) -> list[Problem]:
    problems = []
    if not form["title"]:
        problems.append(Problem("appeal.no_title", N_("Give the appeal a title."), where="title"))
    if not _known(form):
        problems.append(Problem("appeal.no_language", N_("Choose the language you write in."), where="language"))
    if form["slug"] and not is_slug(form["slug"]):
        message = N_("Use small letters from a to z, digits and single hyphens, like “love-always-wins”.")
        problems.append(Problem("appeal.bad_slug", message, where="slug"))
    elif form["slug"] in TAKEN or (form["slug"] and appeal_by_slug(session, form["slug"])):
        message = N_("There is an appeal called “%(slug)s” already. Choose another short name.")
        problems.append(Problem("appeal.slug_taken", message, {"slug": form["slug"]}, where="slug"))
    return problems
