"""Web: tags. All of them with how many members have each, and a member's own, put on and taken off."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.audience import tagging
from mobilizer.audience.candidates import clean
from mobilizer.audience.members import Member
from mobilizer.audience.tags import Tag, names_problems, split_names
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.segments.keeping import segments_with_tag
from mobilizer.web.asked import whole_number
from mobilizer.web.policy import allowed, me
from mobilizer.web.words import _, problem

blueprint = Blueprint("tags", __name__)


@blueprint.get("/tags")
@allowed("members.see")
def index() -> ResponseReturnValue:
    """Every tag, and how many members have it."""
    return _index()


@blueprint.post("/tags/<int:number>/rename")
@allowed("members.edit")
def rename(number: int) -> ResponseReturnValue:
    """Give a tag another name, or say why it can't have it."""
    asked = clean(request.form.get("name", ""))
    with installation().database.write() as session:
        tag = _tag(session, number)
        problems = tagging.rename(session, tag, asked)
        if not problems:
            record(session, me().id, "tag.rename", f"tag:{number}")
    if problems:
        return _index(number, asked, problem(problems[0])), 422
    flash(_("Saved."), "good")
    return redirect(url_for("tags.index"), 303)


@blueprint.post("/tags/<int:number>/delete")
@allowed("members.edit")
def delete(number: int) -> ResponseReturnValue:
    """Take a tag off everyone and delete it, unless a segment names it."""
    with installation().database.write() as session:
        tag = _tag(session, number)
        name, used = tag.name, [one.name for one in segments_with_tag(session, number)]
        if not used:
            session.delete(tag)
            record(session, me().id, "tag.delete", f"tag:{number}")
    for segment in used:
        text = _("The segment “%(segment)s” asks for the tag “%(tag)s”. Change it first.", segment=segment, tag=name)
        flash(text, "bad")
    if not used:
        flash(_("The tag “%(tag)s” is deleted.", tag=name), "good")
    return redirect(url_for("tags.index"), 303)


@blueprint.post("/members/<int:number>/tags")
@allowed("members.edit")
def put_on(number: int) -> ResponseReturnValue:
    """Put tags on a member, or say what is wrong with them."""
    names = split_names(clean(request.form.get("tags", "")))
    problems = names_problems(names)
    if not names:
        problems = [Problem("tag.none", N_("Write a tag first."))]
    with installation().database.write() as session:
        _member(session, number)
        if not problems:
            tagging.put_on(session, {number: names})
            record(session, me().id, "member.tag", f"member:{number}", tags=names)
    for one in problems:
        flash(problem(one), "bad")
    return redirect(url_for("members.show", number=number, _anchor="tags"), 303)


@blueprint.post("/members/<int:number>/tags/off")
@allowed("members.edit")
def take_off(number: int) -> ResponseReturnValue:
    """Take a tag off a member; one they don't have changes nothing."""
    with installation().database.write() as session:
        _member(session, number)
        names = tagging.take_off(session, number, [whole_number(request.form.get("tag", "")) or 0])
        if names:
            record(session, me().id, "member.untag", f"member:{number}", tags=names)
    return redirect(url_for("members.show", number=number, _anchor="tags"), 303)


def _index(number: int = 0, asked: str = "", error: str = "") -> str:
    with installation().database.read() as session:
        lines = tagging.tag_lines(session)
    return render_template("members/tags.html", tags=lines, number=number, asked=asked, error=error)


def _tag(session: Session, number: int) -> Tag:
    found: Tag = (session.get(Tag, number) if number < 2**63 else None) or abort(404)
    return found


def _member(session: Session, number: int) -> Member:
    found: Member = (session.get(Member, number, with_for_update=True) if number < 2**63 else None) or abort(404)
    return found
