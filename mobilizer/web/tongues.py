"""Web: the languages that an organisation works in, and what each falls back to."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.audience.queries import languages_of_members
from mobilizer.blasts.fallbacks import MOST_LANGUAGES, Working, keep_working, working
from mobilizer.catalogs import progress
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES, MEMBER_LANGUAGES, UnknownLanguage, fallback_chain
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.choosing import languages_on_offer
from mobilizer.web.policy import allowed, me
from mobilizer.web.words import _

blueprint = Blueprint("tongues", __name__)

SPARE_ROWS = 3


@blueprint.get("/settings/languages")
@allowed("settings.languages")
def index() -> ResponseReturnValue:
    """Every language that is worked in, where it leads, and rows for more."""
    with installation().database.read() as session:
        return _page(working(session), languages_of_members(session))


@blueprint.get("/settings/languages/catalogs")
@allowed("settings.languages")
def catalogs() -> ResponseReturnValue:
    """How far the interface, and the pages and mail frames of members, are translated."""
    boards = [
        (_("For organizers and translators"), [(tag, progress("web", tag)) for tag in INTERFACE_LANGUAGES]),
        (_("Members' pages and the frames of mails"), [(tag, progress("member", tag)) for tag in MEMBER_LANGUAGES]),
    ]
    return render_template("tongues/catalogs.html", boards=boards)


@blueprint.post("/settings/languages")
@allowed("settings.languages")
def change() -> ResponseReturnValue:
    """Keep what the form says of all languages, or say what is wrong with it."""
    wanted = _typed()
    with installation().database.write() as session:
        problems = keep_working(session, wanted)
        if problems:
            return _page(wanted, languages_of_members(session), problems), 422
        record(session, me().id, "languages.change", "languages")
    flash(_("Saved."), "good")
    return redirect(url_for("tongues.index"), 303)


def _typed() -> Working:
    """The form: a tag and what it falls back to in each row; a row without a tag is none."""
    rows = zip(request.form.getlist("tag"), request.form.getlist("to"), strict=False)
    languages = {tag: to for tag, to in list(rows)[: MOST_LANGUAGES + SPARE_ROWS] if tag}
    return Working(languages, request.form.get("default", ""))


def _page(said: Working, spoken: Sequence[tuple[str, int]], problems: Sequence[Problem] = ()) -> str:
    tags = {*(tag for tag, _people in spoken), *said.languages, *filter(None, said.languages.values())}
    return render_template(
        "tongues/index.html",
        said=said,
        spare=SPARE_ROWS,
        people=dict(spoken),
        chains={tag: _chain(tag, said) for tag in said.languages},
        others={tag: _chain(tag, said) for tag, _people in spoken if tag not in said.languages},
        on_offer=languages_on_offer(sorted(tags)),
        usual=installation().settings.default_language,
        problems=problems,
    )


def _chain(tag: str, said: Working) -> tuple[str, ...]:
    try:
        return fallback_chain(tag, said.fallbacks)
    except UnknownLanguage:
        return (tag,)
