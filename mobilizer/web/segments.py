"""Web: segments. All of them, one with its people by language, and the sentence builder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience import headcounts
from mobilizer.audience.fields import definitions, in_use
from mobilizer.audience.fitting import Definition
from mobilizer.audience.queries import languages_of_members
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.tiers import Tier
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.segments import keeping
from mobilizer.segments.fields import OF_KIND
from mobilizer.segments.kinds import Act
from mobilizer.segments.rules import BLANK, RULES, asked_by
from mobilizer.segments.segments import Segment, count
from mobilizer.segments.tree import BadRules, gone, outline, read_rules
from mobilizer.segments.voice import Names, Voice, names
from mobilizer.web.choosing import languages_on_offer
from mobilizer.web.labels import STANDINGS, label
from mobilizer.web.policy import allowed, me
from mobilizer.web.segment_form import Form, by_place, filled, read_form
from mobilizer.web.time_zones import zones
from mobilizer.web.words import _, locale, problem

blueprint = Blueprint("segments", __name__)

# What the rules of each module are about, in the order in which they are offered.
ABOUT = {
    "people": N_("Who they are"),
    "deeds": N_("What they got and did"),
    "draws": N_("Drawn by lot"),
    "fields": N_("What else is known of them"),
}
LONGEST_RULES = 2000  # letters of rules in an address
MOST_SAID = 3  # of what is wrong with rules that the builder can't hold
Counted = list[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A segment on a page: its rules line by line, or why they can't be used."""

    slug: str
    name: str
    lines: tuple[tuple[int, str], ...]
    problems: tuple[Problem, ...] = ()


@blueprint.get("/segments")
@allowed("segments.see")
def index() -> ResponseReturnValue:
    """Every segment, said in sentences."""
    with installation().database.read() as session:
        known = names(session)
        shown = [_shown(segment, known) for segment in keeping.segments(session)]
    return render_template("segments/index.html", segments=shown)


@blueprint.get("/segments/<slug>")
@allowed("segments.see")
def show(slug: str) -> ResponseReturnValue:
    """One segment, and how many people fit it now."""
    with installation().database.read() as session:
        segment = _known(session, slug)
        shown = _shown(segment, names(session))
        counted = None if shown.problems else count(session, read_rules(segment.rules), datetime.now(UTC))
        used = [blast.slug for blast in keeping.blasts_with(session, segment.id)]
        as_of = headcounts.as_of(session)
    return render_template("segments/show.html", segment=shown, counted=counted, used=used, as_of=as_of)


@blueprint.get("/segments/new")
@allowed("segments.edit")
def new() -> ResponseReturnValue:
    """The empty builder; or with `rules` in it, as a page that shows numbers asks."""
    form = _asked_form(request.args.get("rules", ""))
    with installation().database.read() as session:
        return _builder(session, form, None, *(_checked(session, form) if form.groups[0].rows else ()))


@blueprint.post("/segments/new")
@allowed("segments.edit")
def create() -> ResponseReturnValue:
    """Save a new segment; or do what another button of the builder asks."""
    return _posted(None)


@blueprint.get("/segments/<slug>/edit")
@allowed("segments.edit")
def edit(slug: str) -> ResponseReturnValue:
    """The builder with a segment in it."""
    with installation().database.read() as session:
        segment = _known(session, slug)
        try:
            form = filled(segment.name, read_rules(segment.rules))
        except BadRules as bad:
            for one in bad.problems[:MOST_SAID]:
                flash(problem(one), "bad")
            return _builder(session, Form(segment.name), segment)
        if form is None:
            flash(
                _("These rules are nested deeper than this page can show. They can be used, not changed here."), "warn"
            )
            return redirect(url_for("segments.show", slug=slug), 303)
        return _builder(session, form, segment, *_checked(session, form))


@blueprint.post("/segments/<slug>/edit")
@allowed("segments.edit")
def change(slug: str) -> ResponseReturnValue:
    """Save a changed segment; or do what another button of the builder asks."""
    return _posted(slug)


@blueprint.post("/segments/<slug>/delete")
@allowed("segments.edit")
def delete(slug: str) -> ResponseReturnValue:
    """Delete a segment, unless a blast uses it."""
    with installation().database.write() as session:
        segment = _known(session, slug)
        number, name = segment.id, segment.name
        problems = keeping.delete(session, segment)
        if not problems:
            record(session, me().id, "segment.delete", f"segment:{number}")
    for one in problems:
        flash(problem(one), "bad")
    if problems:
        return redirect(url_for("segments.show", slug=slug), 303)
    flash(_("The segment “%(name)s” is deleted.", name=name), "good")
    return redirect(url_for("segments.index"), 303)


def _asked_form(rules: str) -> Form:
    """The form with the rules of an address in it; empty where they are none."""
    try:
        return filled("", read_rules(json.loads(rules[:LONGEST_RULES]))) or Form()
    except (ValueError, BadRules):
        return Form()


def _posted(slug: str | None) -> ResponseReturnValue:
    """What a button of the builder asks for; only the one that saves changes anything."""
    form, act = read_form(request.form), request.form.get("act", "save")
    if act == "save":
        return _save(slug, form)
    with installation().database.read() as session:
        segment = _known(session, slug) if slug else None
        if act == "count":
            return _builder(session, form, segment, *_checked(session, form))
        chosen = {at: request.form.get(f"g{at}-new", "") for at in range(len(form.groups))}
        return _builder(session, form, segment, added=form.act(act, chosen))


def _save(slug: str | None, form: Form) -> ResponseReturnValue:
    with installation().database.write() as session:
        segment = _known(session, slug) if slug else None
        problems = keeping.name_problems(form.name)
        bad: BadRules | None = None
        try:
            rules = keeping.usable_rules(session, form.document())
        except BadRules as error:
            bad = error
        if problems or bad is not None:
            return _builder(session, form, segment, bad=bad, problems=problems), 422
        if segment is None:
            segment = keeping.create(session, form.name, rules, me().id)
        elif problems := keeping.change(session, segment, form.name, rules):
            return _builder(session, form, segment, problems=problems), 409
        record(session, me().id, "segment.change" if slug else "segment.create", f"segment:{segment.id}")
        saved = segment.slug
    flash(_("Saved."), "good")
    return redirect(url_for("segments.show", slug=saved), 303)


def _checked(session: Session, form: Form) -> tuple[Counted | None, BadRules | None]:
    """How many people fit a form, or what is wrong with it."""
    try:
        return count(session, keeping.usable_rules(session, form.document()), datetime.now(UTC)), None
    except BadRules as bad:
        return None, bad


def _known(session: Session, slug: str) -> Segment:
    found: Segment = keeping.by_slug(session, slug) or abort(404)
    return found


def _voice(known: Names) -> Voice:
    return Voice(locale(), known, lambda code: label(code, "standing"), isolates=True)


def _shown(segment: Segment, known: Names) -> Shown:
    try:
        rules = read_rules(segment.rules)
    except BadRules as bad:
        return Shown(segment.slug, segment.name, (), bad.problems)
    voice = _voice(known)
    lines = tuple((depth, problem(line)) for part in rules.parts for depth, line in outline(part, voice))
    return Shown(segment.slug, segment.name, lines, tuple(gone(rules, known)))


def _builder(
    session: Session,
    form: Form,
    segment: Segment | None = None,
    counted: Counted | None = None,
    bad: BadRules | None = None,
    problems: Sequence[Problem] = (),
    added: tuple[int, int] | None = None,
) -> str:
    places, known = by_place(bad), definitions(session)
    return render_template(
        "segments/edit.html",
        form=form,
        segment=segment,
        counted=counted,
        places=places,
        elsewhere=[one for where, one in places.items() if where.count(".") < 2],
        problems={one.where: one for one in problems},
        added=added,
        offered=_offered(known),
        title=lambda row: _title(row.word, known.get(row.values.get("name", ""))),
        defined=known,
        kinds={word: asked_by(word) for word in RULES},
        choices=_choices(session),
        as_of=headcounts.as_of(session),
    )


def _title(word: str, field: Definition | None = None) -> str:
    """A rule's sentence with blanks for its values; of a field that is defined, with its name."""
    named = {"name": field.name_in(locale().language)} if field else {}
    return _(RULES[word].SAYS[0]) % {**dict.fromkeys(asked_by(word), BLANK), **named}


def _offered(known: Mapping[str, Definition]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(what they are about, (word, sentence) of each rule); each field that is defined has the rules of its kind."""
    general = [
        (_(about), [(word, _title(word)) for word, made in RULES.items() if made.__module__.endswith(f".{module}")])
        for module, about in ABOUT.items()
    ]
    of_fields = [
        (
            field.name_in(locale().language),
            [(f"{made.WORD}:{key}", _title(made.WORD, field)) for made in OF_KIND[field.kind]],
        )
        for key, field in in_use(known).items()
    ]
    return general[:-1] + of_fields + general[-1:]


def _choices(session: Session) -> dict[str, list[tuple[str, str]]]:
    """What may be chosen of each kind that is chosen from a list."""
    known = names(session)
    spoken = [tag for tag, _people in languages_of_members(session)]
    countries = [(code, name) for code, name in locale().territories.items() if len(code) == 2 and code.isalpha()]
    launched = session.scalars(select(Blast.id).where(Blast.launched_at.is_not(None)).order_by(Blast.id.desc()))
    return {
        "language": languages_on_offer(spoken),
        "country": sorted(countries, key=lambda pair: pair[1].casefold()),
        "zone": [(zone, zone) for group in zones().values() for zone in group],
        "list": sorted(
            ((str(number), name) for number, name in known.lists.items()), key=lambda pair: pair[1].casefold()
        ),
        "tags": [(str(number), name) for number, name in known.tags.items()],
        "blast": [(str(number), known.blasts[number]) for number in launched],
        "standing": [(code, label(code, "standing")) for code in STANDINGS if code != "suppressed"],
        "tier": [(str(tier), label(tier, "tier")) for tier in Tier],
        "act": [(str(act), label(act, "event")) for act in Act],
    }
