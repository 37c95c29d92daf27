"""Web: lists, with their members per language."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mobilizer.audience import headcounts
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list, name_problems
from mobilizer.audience.lists import MemberList
from mobilizer.audience.queries import list_by_slug, lists, members_page
from mobilizer.catalogs import phrases
from mobilizer.http import installation
from mobilizer.languages import MEMBER_LANGUAGES, language, member_language
from mobilizer.organizers.audit import record
from mobilizer.web.asked import number_asked
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.tracking import read_tracking, tracking_choices
from mobilizer.web.words import _

blueprint = Blueprint("lists", __name__)

IMPORTS_SHOWN = 5


@blueprint.get("/lists")
@allowed("lists.see")
def index() -> ResponseReturnValue:
    """Every list with its members per language."""
    with installation().database.read() as session:
        return render_template("lists/index.html", lists=lists(session), as_of=headcounts.as_of(session))


@blueprint.get("/lists/new")
@allowed("lists.edit")
def new() -> ResponseReturnValue:
    """The form for a new list."""
    return render_template("lists/new.html", values={}, problems={})


@blueprint.post("/lists/new")
@allowed("lists.edit")
def create() -> ResponseReturnValue:
    """Make a list, or say what is wrong with its name."""
    name, description = request.form.get("name", ""), request.form.get("description", "")
    problems = {problem.where: problem for problem in name_problems(name)}
    if problems:
        return render_template("lists/new.html", values=request.form, problems=problems), 422
    with installation().database.write() as session:
        made = create_list(session, name, description)
        record(session, me().id, "list.create", f"list:{made.id}")
        slug = made.slug
    flash(_("The list is there. Now import its members."), "good")
    return redirect(url_for("lists.show", slug=slug), 303)


@blueprint.get("/lists/<slug>")
@allowed("lists.see")
def show(slug: str) -> ResponseReturnValue:
    """One list: its numbers, its imports, and for those who may see them its members."""
    here = installation()
    with here.database.read() as session:
        row = list_by_slug(session, slug) or abort(404)
        summary = next(one for one in lists(session) if one.id == row.id)
        latest = select(Import).where(Import.list_id == row.id).order_by(Import.id.desc()).limit(IMPORTS_SHOWN)
        # The name of a file may name a person.
        named = permitted("members.import")
        imports = [(one, one.filename(here.keyring) if named else "") for one in session.scalars(latest)]
        page = None
        if permitted("members.see"):
            page = members_page(session, here.keyring, list_id=row.id, before=number_asked("before"))
        return render_template(
            "lists/show.html",
            list=summary,
            imports=imports,
            page=page,
            open=row.open,
            modes=tracking_choices(),
            tracking=row.tracking,
            discreet=row.discreet,
            sign_up=_sign_up(row),
            as_of=headcounts.as_of(session),
        )


def _sign_up(row: MemberList) -> str:
    """The address of a list's own page for those who want to join; a discreet one has it on the discreet site, or
    nowhere."""
    settings = installation().settings
    if not row.discreet:
        return settings.base_url.rstrip("/") + url_for("public.join", slug=row.slug)
    if not settings.has_discreet_site:
        return ""
    return settings.discreet_base_url.rstrip("/") + url_for("public.join", slug=row.code)


@blueprint.get("/lists/<slug>/form")
@allowed("lists.see")
def form(slug: str) -> ResponseReturnValue:
    """What to paste into another website so that people join there, in a language or in that of each visitor."""
    row = known_list(slug)
    if not row.open or row.discreet:  # on somebody's site a discreet one would say whose it is
        return redirect(url_for("lists.show", slug=slug, _anchor="sign-up"))
    asked = request.args.get("in", "")
    chosen = asked if asked in MEMBER_LANGUAGES else ""
    spoken = chosen or member_language(installation().settings.default_language)
    query = f"?in={chosen}" if chosen else ""
    code = {
        "list": row,
        "frame": f"{_sign_up(row)}/frame{query}",
        "form": f"{_sign_up(row)}{query}",
        "spoken": language(spoken),
        "said": phrases("member", spoken).gettext,
    }
    return render_template(
        "lists/form.html",
        list=row,
        chosen=chosen,
        languages=[("", _("That of each visitor")), *((tag, language(tag).own_name) for tag in MEMBER_LANGUAGES)],
        framed=render_template("lists/_framed.html", **code),
        pasted=render_template("lists/_pasted.html", **code),
    )


@blueprint.post("/lists/<slug>/open")
@allowed("lists.edit")
def open_or_close(slug: str) -> ResponseReturnValue:
    """Let anybody sign up for a list, or nobody any more."""
    wanted = request.form.get("open") == "1"
    with installation().database.write() as session:
        row = list_by_slug(session, slug) or abort(404)
        if row.open != wanted:
            row.open = wanted
            record(session, me().id, "list.open" if wanted else "list.close", f"list:{row.id}")
    flash(_("Anybody can sign up now.") if wanted else _("Nobody can sign up any more."), "good")
    return redirect(url_for("lists.show", slug=slug, _anchor="sign-up"), 303)


@blueprint.post("/lists/<slug>/privacy")
@allowed("lists.edit")
def protect(slug: str) -> ResponseReturnValue:
    """Say what is counted at most in the blasts to a list, and whether they are discreet."""
    tracking, discreet = read_tracking(request.form.get("tracking", "")), "discreet" in request.form
    with installation().database.write() as session:
        row = list_by_slug(session, slug) or abort(404)
        if (row.tracking, row.discreet) != (tracking, discreet):
            row.tracking, row.discreet = tracking, discreet
            record(session, me().id, "list.protect", f"list:{row.id}")
    flash(_("Saved."), "good")
    return redirect(url_for("lists.show", slug=slug, _anchor="privacy"), 303)


def known_list(slug: str) -> MemberList:
    """The list of a slug, or the page that says nothing is here."""
    with installation().database.read() as session:
        found: MemberList = list_by_slug(session, slug) or abort(404)
        return found
