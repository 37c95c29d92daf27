"""Web: the check list before launch, and the launch itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from flask import redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer import jobs
from mobilizer.appeals.media import BadMedia
from mobilizer.blasts import launching
from mobilizer.blasts.blasts import UNFROZEN, Blast, BlastState
from mobilizer.blasts.check import Checklist
from mobilizer.blasts.departure import Departure
from mobilizer.http import installation
from mobilizer.message.compile import CompileError
from mobilizer.organizers.audit import record
from mobilizer.web.asked import whole_number
from mobilizer.web.blast_head import known_blast, place_of
from mobilizer.web.check_page import Tried, checked, page, why_not
from mobilizer.web.first_few import first_few, read_first
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.summary import summary
from mobilizer.web.trial_form import read_trial, trial
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, number

CHECK, LAUNCH = "blasts/check.html", "blasts/launch.html"
Act = Callable[[Session, Blast], bool]


@blueprint.get("/blasts/<slug>/check")
@allowed("blasts.see")
def check(slug: str) -> ResponseReturnValue:
    """The check list, the audience by language, a proof."""
    return page(CHECK, slug, Tried())


@blueprint.get("/blasts/<slug>/launch")
@allowed("blasts.see")
def launch(slug: str) -> ResponseReturnValue:
    """The last look before launch, and before the second yes where one is needed."""
    return launch_page(slug, Tried())


@blueprint.post("/blasts/<slug>/launch")
@allowed("blasts.launch")
@proven
def go(slug: str) -> ResponseReturnValue:
    """Launch what was seen, if its people were counted rightly, or ask a second person to. A second click finds it
    launched, and shows it."""
    return _said_yes(slug, (BlastState.DRAFT, BlastState.READY), _launch)


@blueprint.post("/blasts/<slug>/confirm")
@allowed("blasts.launch")
@proven
def confirm(slug: str) -> ResponseReturnValue:
    """The second person's yes: they have looked at the same, and counted for themselves."""
    return _said_yes(slug, (BlastState.ASKED,), _confirm)


def launch_page(slug: str, tried: Tried, status: int = 200) -> ResponseReturnValue:
    """The page of the launch, with what was typed on it."""
    return page(LAUNCH, slug, tried, status, more=summary, states=UNFROZEN)


def departed(tried: Tried, blast: Blast, found: Checklist) -> Departure:
    """How it leaves, as it was typed: to all, to a few first, or in variants."""
    few, varied = first_few(tried), trial(tried, blast, found)
    return varied if varied.sample else few


def seen_by(form: Mapping[str, str]) -> launching.Seen:
    """The revisions that a form carries along: what a person had before their eyes."""
    blast, appeal = (whole_number(form.get(name, "")) for name in ("seen_blast", "seen_appeal"))
    return launching.Seen(-1 if blast is None else blast, -1 if appeal is None else appeal)


def _said_yes(slug: str, states: Collection[str], act: Act) -> ResponseReturnValue:
    """Do what was confirmed by typing the number, or say why not."""
    tried = Tried(people=request.form.get("people", ""))
    read_first(tried)
    read_trial(tried)
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state not in states:
            return redirect(place_of(blast), 303)
        found = checked(session, blast)
        departure = departed(tried, blast, found)
    if typed_number(tried.people) != found.people:
        people = number(found.people)
        tried.people_problem = _("That is not the number of people. It goes to %(people)s.", people=people)
    if tried.people_problem or tried.first_problem or tried.trial_problem or not found.ready:
        return launch_page(slug, tried, 422)
    return _done(slug, act, departure)


def _done(slug: str, act: Act, departure: Departure) -> ResponseReturnValue:
    here = installation()
    try:
        with here.database.write() as session:
            blast = known_blast(session, slug)
            done = act(session, blast)
            session.refresh(blast)
            if done and act is _launch:
                launching.depart(blast, departure)
            blast_id, place, launched = blast.id, place_of(blast), blast.state == BlastState.LAUNCHING
    except (CompileError, BadMedia) as error:
        return launch_page(slug, Tried(problems=why_not(error)), 422)
    if not done:
        changed = _("The blast or its appeal has changed since you looked. Look again, then launch.")
        return launch_page(slug, Tried(people_problem=changed), 409)
    if launched:
        jobs.enqueue(here, jobs.Work.LAUNCH, blast_id)
    return redirect(place, 303)


def _launch(session: Session, blast: Blast) -> bool:
    """What one person's yes does. Raises CompileError, BadMedia."""
    settings, who = installation().settings, me().id
    if settings.launch_by_two:
        done, verb = launching.ask(session, blast, seen_by(request.form), who), "ask"
    else:
        done = launching.launch(session, settings, blast, seen_by(request.form), settings.undo_seconds)
        verb = "launch"
    if done:
        record(session, who, f"blast.{verb}", f"blast:{blast.id}")
    return done


def _confirm(session: Session, blast: Blast) -> bool:
    """What the second yes does. Raises CompileError, BadMedia."""
    settings, who = installation().settings, me().id
    done = launching.confirm(session, settings, blast, seen_by(request.form), who, settings.undo_seconds)
    if done:
        record(session, who, "blast.confirm", f"blast:{blast.id}")
    return done
