"""Web: the glossary of the organisation."""

from __future__ import annotations

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.glossary import Term, Wanted, put_term, terms
from mobilizer.blasts.fallbacks import working
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, language
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import appeals as blueprint
from mobilizer.web.words import _


@blueprint.get("/glossary")
@allowed("glossary.see")
def glossary() -> ResponseReturnValue:
    """Every term, with what it is called in each language."""
    with installation().database.read() as session:
        return render_template("appeals/glossary.html", terms=terms(session))


@blueprint.get("/glossary/new")
@allowed("glossary.edit")
def new_term() -> ResponseReturnValue:
    """The form for a new term."""
    with installation().database.read() as session:
        return _form(session, Wanted("", installation().settings.default_language))


@blueprint.get("/glossary/<int:number>")
@allowed("glossary.edit")
def term(number: int) -> ResponseReturnValue:
    """The form of a term."""
    with installation().database.read() as session:
        found = session.get(Term, number) or abort(404)
        said = Wanted(found.words, found.language, found.note, found.kept, found.translations)
        return _form(session, said, number)


@blueprint.post("/glossary/new")
@allowed("glossary.edit")
def add_term() -> ResponseReturnValue:
    """Add a term, or say what is wrong with it."""
    return _put(None)


@blueprint.post("/glossary/<int:number>")
@allowed("glossary.edit")
def change_term(number: int) -> ResponseReturnValue:
    """Change a term, or take it out."""
    if request.form.get("act") != "remove":
        return _put(number)
    with installation().database.write() as session:
        session.delete(session.get(Term, number) or abort(404))
        record(session, me().id, "glossary.remove", f"term:{number}")
    return redirect(url_for("appeals.glossary"), 303)


def _put(number: int | None) -> ResponseReturnValue:
    wanted = _wanted()
    with installation().database.write() as session:
        if number is not None and session.get(Term, number) is None:
            abort(404)
        problems = put_term(session, wanted, number)
        if problems:
            return _form(session, wanted, number, problems[0]), 422
        record(session, me().id, "glossary.change" if number else "glossary.add", "glossary")
    flash(_("Saved."), "good")
    return redirect(url_for("appeals.glossary"), 303)


def _wanted() -> Wanted:
    said = {
        name.removeprefix("said-"): text for name, text in request.form.items() if name.startswith("said-") and text
    }
    words, tag, note = (request.form.get(name, "") for name in ("words", "language", "note"))
    return Wanted(words, tag, note, "kept" in request.form, said)


def _form(session: Session, wanted: Wanted, number: int | None = None, problem: Problem | None = None) -> str:
    spoken = {*working(session).languages, *INTERFACE_LANGUAGES, *(wanted.translations or ())}
    names = sorted(((tag, language(tag).own_name) for tag in spoken), key=lambda pair: pair[1].casefold())
    return render_template("appeals/term.html", term=wanted, number=number, language_names=names, problem=problem)
