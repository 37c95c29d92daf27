"""Web: a member's record, changed by hand. What is known of them, the lists they are on, notes; each written down."""

from __future__ import annotations

from dataclasses import asdict, fields

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.audience import notes, standing
from mobilizer.audience.changing import Known, change, known_of, put_on_list
from mobilizer.audience.members import Member
from mobilizer.audience.queries import languages_of_members
from mobilizer.http import installation
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.asked import whole_number
from mobilizer.web.choosing import languages_on_offer
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import members as blueprint
from mobilizer.web.time_zones import zones
from mobilizer.web.words import _, locale, problem


@blueprint.get("/members/<int:number>/edit")
@allowed("members.edit")
def edit(number: int) -> ResponseReturnValue:
    """The form with what is known now."""
    here = installation()
    with here.database.read() as session:
        return _form(session, number, known_of(here.keyring, known_member(session, number)), [])


@blueprint.post("/members/<int:number>/edit")
@allowed("members.edit")
def save(number: int) -> ResponseReturnValue:
    """Keep what was changed, or say what is wrong; then nothing is."""
    here = installation()
    wanted = Known(**{one.name: request.form.get(one.name, "").strip() for one in fields(Known)})
    with here.database.write() as session:
        done = change(session, here.keyring, known_member(session, number, lock=True), wanted)
        problems = [one for one in done if isinstance(one, Problem)]
        if problems:
            return _form(session, number, wanted, problems), 422
        if done:
            record(session, me().id, "member.change", f"member:{number}", fields=done)
    flash(_("Saved.") if done else _("Nothing was changed."), "good")
    return redirect(url_for("members.show", number=number), 303)


@blueprint.post("/members/<int:number>/leave")
@allowed("members.edit")
def leave(number: int) -> ResponseReturnValue:
    """Take a member off a list, as if they had left it."""
    list_id = whole_number(request.form.get("list", "")) or 0
    with installation().database.write() as session:
        known_member(session, number, lock=True)
        if standing.leave(session, number, [list_id]):
            record(session, me().id, "member.leave", f"member:{number}", list=list_id)
    return redirect(url_for("members.show", number=number, _anchor="lists"), 303)


@blueprint.post("/members/<int:number>/join")
@allowed("members.edit")
def join(number: int) -> ResponseReturnValue:
    """Put a member on a list, with the consent they gave; or say why not."""
    list_id = whole_number(request.form.get("list", "")) or 0
    how, wording = request.form.get("how", "")[:200], request.form.get("wording", "")[:2000]
    with installation().database.write() as session:
        known_member(session, number, lock=True)
        problems = put_on_list(session, number, list_id, how=how, wording=wording, language=_language())
        if not problems:
            record(session, me().id, "member.join", f"member:{number}", list=list_id)
    for one in problems:
        flash(problem(one), "bad")
    return redirect(url_for("members.show", number=number, _anchor="lists"), 303)


@blueprint.post("/members/<int:number>/notes")
@allowed("members.edit")
def note(number: int) -> ResponseReturnValue:
    """Keep a note, or say why not."""
    here, text = installation(), request.form.get("note", "")
    problems = notes.note_problems(text)
    with here.database.write() as session:
        known_member(session, number)
        if not problems:
            made = notes.add_note(session, here.keyring, number, me().id, text)
            record(session, me().id, "member.note", f"member:{number}", note=made)
    for one in problems:
        flash(problem(one), "bad")
    return redirect(url_for("members.show", number=number, _anchor="notes"), 303)


@blueprint.post("/members/<int:number>/notes/erase")
@allowed("members.edit")
def erase_note(number: int) -> ResponseReturnValue:
    """Erase a note; one that is gone already changes nothing."""
    which = whole_number(request.form.get("note", "")) or 0
    with installation().database.write() as session:
        known_member(session, number)
        if notes.erase_note(session, number, which):
            record(session, me().id, "member.note_erase", f"member:{number}", note=which)
    return redirect(url_for("members.show", number=number, _anchor="notes"), 303)


def known_member(session: Session, number: int, *, lock: bool = False) -> Member:
    """The member of a number, or the page that says nothing is here."""
    found: Member = (session.get(Member, number, with_for_update=lock or None) if number < 2**63 else None) or abort(
        404
    )
    return found


def _language() -> str:
    try:
        return canonical(request.form.get("wording_language", ""))
    except UnknownLanguage:
        return ""


def _form(session: Session, number: int, values: Known, problems: list[Problem]) -> str:
    own = known_member(session, number).second_language
    spoken = [*(tag for tag, _people in languages_of_members(session)), *([own] if own else [])]
    countries = [(code, name) for code, name in locale().territories.items() if len(code) == 2 and code.isalpha()]
    return render_template(
        "members/edit.html",
        number=number,
        values=asdict(values),
        problems={one.where or "email": one for one in problems},
        languages=languages_on_offer(spoken),
        countries=sorted(countries, key=lambda pair: pair[1].casefold()),
        zones=[(zone, zone) for group in zones().values() for zone in group],
    )
