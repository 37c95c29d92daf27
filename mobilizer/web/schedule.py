"""Web: a blast that leaves later. The time for it, the page that says when, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.media import BadMedia
from mobilizer.blasts import launching
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.departure import Departure, Past, departure_of
from mobilizer.http import installation
from mobilizer.message.compile import CompileError
from mobilizer.organizers.audit import record
from mobilizer.web.blast_head import blast_head, known_blast, place_of
from mobilizer.web.check_page import Tried, checked, page, why_not
from mobilizer.web.first_few import read_first
from mobilizer.web.hours import echoes, in_time, repeated_in, skipped_in, stops, zones_of
from mobilizer.web.launch import departed, launch_page, seen_by
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.time_zones import moment_of, own_zone, remember_zone
from mobilizer.web.trial_advice import goal_choices
from mobilizer.web.trial_form import read_trial
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, number

LATEST = timedelta(days=366)


@blueprint.get("/blasts/<slug>/scheduled")
@allowed("blasts.see")
def scheduled(slug: str) -> ResponseReturnValue:
    """When it leaves, for everyone who waits for it."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state != BlastState.SCHEDULED or blast.scheduled_at is None:
            return redirect(place_of(blast), 303)
        departure, audience, now = departure_of(blast.departure), zones_of(session, blast), datetime.now(UTC)
        return render_template(
            "blasts/scheduled.html",
            blast=blast_head(blast),
            at=blast.scheduled_at,
            echoes=echoes(blast.scheduled_at, own_zone(), audience),
            stops=stops(departure, audience, now) if departure.hour else [],
            departure=departure,
            goals=goal_choices(),
            to_go=in_time(blast.scheduled_at, now) if blast.scheduled_at > now else "",
            checked=checked(session, blast),
        )


@blueprint.get("/blasts/<slug>/schedule")
@allowed("blasts.launch")
def look(slug: str) -> ResponseReturnValue:
    """What a time means, before anybody says yes to it; without one, where it is chosen."""
    if not request.args.get("day"):
        return redirect(url_for("blasts.launch", slug=slug, _anchor="later"), 303)
    return _look(slug, _typed(request.args))


@blueprint.post("/blasts/<slug>/schedule")
@allowed("blasts.launch")
@proven
def schedule(slug: str) -> ResponseReturnValue:
    """Let it leave at a time, if its people were counted rightly; its words are frozen now."""
    tried = _typed(request.form)
    tried.later_people = request.form.get("later_people", "")
    read_first(tried)
    read_trial(tried)
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(place_of(blast), 303)
        found = checked(session, blast)
        departure = departed(tried, blast, found)
        when = _when(session, blast, tried, departure)
    if typed_number(tried.later_people) != found.people:
        people = number(found.people)
        tried.later_people_problem = _("That is not the number of people. It goes to %(people)s.", people=people)
    if when is None or tried.later_people_problem or tried.first_problem or tried.trial_problem or not found.ready:
        return _look(slug, tried, 422)
    remember_zone(tried.zone)
    return _schedule(slug, tried, when)


@blueprint.post("/blasts/<slug>/unschedule")
@allowed("blasts.launch")
def unschedule(slug: str) -> ResponseReturnValue:
    """Take the time back; it can be changed and launched again."""
    with installation().database.write() as session:
        blast_id = known_blast(session, slug).id
        done = launching.unschedule(session, blast_id)
        if done:
            record(session, me().id, "blast.unschedule", f"blast:{blast_id}")
    if done:
        flash(_("It leaves at no time by itself any more."), "good")
    else:
        flash(_("Nothing was changed: the blast has moved on meanwhile."), "warn")
    return redirect(url_for("blasts.show", slug=slug), 303)


@dataclass(frozen=True, slots=True)
class When:
    """When a blast leaves first, and how from then on; `typed` is the moment by the clocks that were chosen."""

    at: datetime
    typed: datetime
    departure: Departure


def _typed(values: Mapping[str, str]) -> Tried:
    day, hour, zone, each, past = (values.get(name, "") for name in ("day", "hour", "zone", "each", "past"))
    return Tried(day=day, hour=hour, zone=zone, each="yes" if each else "", past=past)


def _look(slug: str, tried: Tried, status: int = 200) -> ResponseReturnValue:
    """The page that tells what a time means; where it is none, the page it was typed on."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(place_of(blast), 303)
        when = _when(session, blast, tried, Departure())
        audience = zones_of(session, blast) if when else []
    if when is None:
        return launch_page(slug, tried, 422)
    now, local = datetime.now(UTC), datetime.fromisoformat(f"{tried.day}T{tried.hour}")
    zones = [tried.zone, *(zone for zone, _people in audience)] if tried.each else [tried.zone]
    told = {
        "when": when,
        "echoes": echoes(when.typed, tried.zone, audience),
        "to_go": in_time(when.at, now),
        "stops": stops(when.departure, audience, now) if tried.each else [],
        "twice": repeated_in(local, zones),
    }
    return page("blasts/schedule.html", slug, tried, status, more=lambda *_: told)


def _when(session: Session, blast: Blast, tried: Tried, departure: Departure) -> When | None:
    """When it leaves as it was typed, and how if not by zones; or None and why."""
    at, now = moment_of(tried.day, tried.hour, tried.zone), datetime.now(UTC).replace(microsecond=0)
    if isinstance(at, str):
        tried.when_problem = at
    elif at <= now:
        tried.when_problem = _("That time is over. Choose one to come.")
    elif at > now + LATEST:
        tried.when_problem = _("Choose a time within a year.")
    if tried.when_problem or isinstance(at, str):
        return None
    return _by_zones(session, blast, tried, at, now) if tried.each else When(at, at, departure)


def _by_zones(session: Session, blast: Blast, tried: Tried, typed: datetime, now: datetime) -> When | None:
    """The same hour in each zone: not before the first of them, nor before there was time to take it back."""
    if tried.first:
        tried.when_problem = _(
            "A few first or the same hour where each lives: choose one of them. By zones, the first zone goes first."
        )
        return None
    past = Past.NEXT_DAY if tried.past == Past.NEXT_DAY else Past.NOW
    hour = datetime.fromisoformat(f"{tried.day}T{tried.hour}").isoformat()
    departure = Departure(hour, tried.zone, past, now.isoformat())
    audience = zones_of(session, blast)
    if skipped := skipped_in(departure, audience):
        there = ", ".join(skipped[:3])
        tried.when_problem = _("The clocks skip this time on that day in: %(zones)s. Choose another one.", zones=there)
        return None
    first = min(departure.moment(zone) for zone in [None, *(zone for zone, _people in audience)])
    soonest = now + timedelta(seconds=installation().settings.undo_seconds)
    return When(max(first, soonest), typed, departure)


def _schedule(slug: str, tried: Tried, when: When) -> ResponseReturnValue:
    here = installation()
    try:
        with here.database.write() as session:
            blast = known_blast(session, slug)
            done = _asked_or_scheduled(session, blast, when)
            place = place_of(blast)
    except (CompileError, BadMedia) as error:
        return launch_page(slug, Tried(problems=why_not(error)), 422)
    if not done:
        changed = _("The blast or its appeal has changed since you looked. Look again, then launch.")
        tried.later_people_problem = changed
        return _look(slug, tried, 409)
    return redirect(place, 303)


def _asked_or_scheduled(session: Session, blast: Blast, when: When) -> bool:
    """Let it wait for its time, or for a second person before. Raises CompileError, BadMedia."""
    settings, who, at = installation().settings, me().id, when.at
    if settings.launch_by_two:
        done, verb = launching.ask(session, blast, seen_by(request.form), who, at), "ask"
    else:
        done, verb = launching.schedule(session, settings, blast, seen_by(request.form), at), "schedule"
    if done:
        record(session, who, f"blast.{verb}", f"blast:{blast.id}", at=at.isoformat())
        session.refresh(blast)
        launching.depart(blast, when.departure)
    return done
