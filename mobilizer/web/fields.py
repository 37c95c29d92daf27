"""Web: the fields that an organisation keeps of its members. To define, rename, retire; and what one member's hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from babel import dates, numbers
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.fields import (
    MemberField,
    brought_along,
    define,
    definitions,
    in_use,
    rename,
    write_values,
)
from mobilizer.audience.fitting import NUMERIC, Definition, FieldKind
from mobilizer.audience.members import Member
from mobilizer.http import installation
from mobilizer.languages import INTERFACE_LANGUAGES
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.segments.keeping import retire_field, segments_with_field
from mobilizer.web.policy import allowed, me
from mobilizer.web.words import _, locale, problem

blueprint = Blueprint("fields", __name__)

KINDS = {
    FieldKind.TEXT: (N_("Text"), N_("any words, as they are written")),
    FieldKind.NUMBER: (N_("Number"), N_("1250 or 12.50; segments can ask for at least and at most")),
    FieldKind.DATE: (N_("Date"), N_("a day like 2026-01-31; segments can ask for before and since")),
    FieldKind.CHOICE: (N_("Choice"), N_("one of a few words that you write down")),
}


@dataclass(frozen=True, slots=True)
class Held:
    """What a field holds of a member: `value` as it is kept, `said` as a person reads it."""

    field: Definition
    name: str
    value: str
    said: str


def held_fields(session: Session, attributes: Mapping[str, str]) -> list[Held]:
    """What is known of a member by fields: all that are in use, then whatever else there is."""
    defined = definitions(session)
    rest = {key: defined.get(key, Definition(key)) for key in attributes if key not in in_use(defined)}
    return [
        Held(field, field.name_in(locale().language), value, _said(field, value))
        for key, field in {**in_use(defined), **rest}.items()
        for value in [str(attributes.get(key, ""))]
    ]


@blueprint.get("/settings/fields")
@allowed("settings.fields")
def index() -> ResponseReturnValue:
    """Every field, what imports brought along without one, and the form for one more."""
    return _index(Definition(request.args.get("key", "")), {})


@blueprint.post("/settings/fields")
@allowed("settings.fields")
def add() -> ResponseReturnValue:
    """Define a field, or say what is wrong with it."""
    wanted = _typed(request.form.get("key", ""), request.form.get("kind", ""))
    with installation().database.write() as session:
        problems = define(session, wanted)
        if not problems:
            record(session, me().id, "field.define", "fields")
    if problems:
        return _index(wanted, {one.where: one for one in problems}), 422
    flash(_("The field is there. Imports, records and segments offer it."), "good")
    return redirect(url_for("fields.index"), 303)


@blueprint.get("/settings/fields/<int:number>")
@allowed("settings.fields")
def edit(number: int) -> ResponseReturnValue:
    """One field: its names, its choices, and the segments that name it."""
    with installation().database.read() as session:
        return _one(session, _field(session, number), {})


@blueprint.post("/settings/fields/<int:number>")
@allowed("settings.fields")
def change(number: int) -> ResponseReturnValue:
    """Change a field's names and choices."""
    with installation().database.write() as session:
        row = _field(session, number)
        wanted = _typed(row.key, row.kind)
        problems = rename(row, wanted.labels, wanted.choices)
        if problems:
            return _one(session, row, {one.where: one for one in problems}), 422
        record(session, me().id, "field.change", f"field:{number}")
    flash(_("Saved."), "good")
    return redirect(url_for("fields.index"), 303)


@blueprint.post("/settings/fields/<int:number>/retire")
@allowed("settings.fields")
def retire(number: int) -> ResponseReturnValue:
    """Offer a field nowhere any more; what members have in it stays."""
    with installation().database.write() as session:
        row = _field(session, number)
        problems = retire_field(session, row)
        if not problems:
            record(session, me().id, "field.retire", f"field:{number}")
    for one in problems:
        flash(problem(one), "bad")
    if not problems:
        flash(_("The field is retired. Its values stay, and it can be brought back."), "good")
    return redirect(url_for("fields.edit", number=number), 303)


@blueprint.post("/settings/fields/<int:number>/restore")
@allowed("settings.fields")
def restore(number: int) -> ResponseReturnValue:
    """Offer a retired field again."""
    with installation().database.write() as session:
        _field(session, number).retired_at = None
        record(session, me().id, "field.restore", f"field:{number}")
    flash(_("The field is back."), "good")
    return redirect(url_for("fields.edit", number=number), 303)


@blueprint.get("/members/<int:number>/fields")
@allowed("members.edit")
def member(number: int) -> ResponseReturnValue:
    """The fields of one member, to be changed."""
    with installation().database.read() as session:
        return _member(session, number, {}, {})


@blueprint.post("/members/<int:number>/fields")
@allowed("members.edit")
def change_member(number: int) -> ResponseReturnValue:
    """Keep what was typed into a member's fields; with one that does not fit, keep nothing and say which."""
    with installation().database.write() as session:
        row = _person(session, number)
        defined = in_use(definitions(session))
        typed = {
            key: request.form[f"field-{at}"].strip()
            for at, key in enumerate(defined)
            if f"field-{at}" in request.form and request.form.get(f"key-{at}") == key
        }
        problems = write_values(session, row, typed, defined)
        if problems:
            return _member(session, number, typed, problems), 422
        record(session, me().id, "member.fields", f"member:{number}")
    flash(_("Saved."), "good")
    return redirect(url_for("members.show", number=number), 303)


def _index(wanted: Definition, problems: Mapping[str, Problem]) -> str:
    with installation().database.read() as session:
        rows = session.scalars(select(MemberField).order_by(MemberField.key)).all()
        return render_template(
            "fields/index.html",
            rows=rows,
            defined=definitions(session),
            brought=brought_along(session),
            wanted=wanted,
            problems=problems,
            kinds=KINDS,
            tags=INTERFACE_LANGUAGES,
            tag=locale().language,
        )


def _one(session: Session, row: MemberField, problems: Mapping[str, Problem]) -> str:
    kept = definitions(session)[row.key]
    tried = _typed(row.key, row.kind) if problems else kept
    return render_template(
        "fields/edit.html",
        row=row,
        field=replace(tried, retired=kept.retired),
        name=kept.name_in(locale().language),
        segments=segments_with_field(session, row.key),
        problems=problems,
        kinds=KINDS,
        tags=INTERFACE_LANGUAGES,
    )


def _member(session: Session, number: int, typed: Mapping[str, str], problems: Mapping[str, Problem]) -> str:
    row = _person(session, number)
    held = [
        one
        for one in held_fields(session, {**row.attributes, **typed})
        if one.field.key in in_use(definitions(session))
    ]
    return render_template(
        "fields/member.html",
        number=number,
        identity=row.identity(installation().keyring),
        held=held,
        problems=problems,
    )


def _typed(key: str, kind: str) -> Definition:
    """A field as a form says it."""
    labels = {tag: request.form.get(f"label-{tag}", "") for tag in INTERFACE_LANGUAGES}
    return Definition(key, kind, tuple(request.form.get("choices", "").splitlines()), labels)


def _field(session: Session, number: int) -> MemberField:
    found: MemberField = (session.get(MemberField, number) if number < 2**63 else None) or abort(404)
    return found


def _person(session: Session, number: int) -> Member:
    found: Member = (session.get(Member, number) if number < 2**63 else None) or abort(404)
    return found


def _said(field: Definition, value: str) -> str:
    """A value as the page's language writes it; what does not fit its field, as it is."""
    if field.kind == FieldKind.NUMBER and re.fullmatch(NUMERIC, value):
        return str(numbers.format_decimal(Decimal(value), locale=locale(), decimal_quantization=False))
    if field.kind == FieldKind.DATE:
        try:
            return dates.format_date(date.fromisoformat(value), "medium", locale=locale())
        except ValueError:
            return value
    return value
