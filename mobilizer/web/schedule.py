"""Web: a blast that leaves later. The time for it, the page that says when, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.media import BadMedia
from mobilizer.blasts import launching
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.http import installation
from mobilizer.message.compile import CompileError
from mobilizer.organizers.audit import record
from mobilizer.web.blast_head import blast_head, known_blast, place_of
from mobilizer.web.check_page import Tried, checked, why_not
from mobilizer.web.launch import launch_page, seen_by
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.time_zones import local_moment, moment_of, own_zone, remember_zone
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, duration, number

LATEST = timedelta(days=366)


@blueprint.get("/blasts/<slug>/scheduled")
@allowed("blasts.see")
def scheduled(slug: str) -> ResponseReturnValue:
    """When it leaves, for everyone who waits for it."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state != BlastState.SCHEDULED or blast.scheduled_at is None:
            return redirect(place_of(blast), 303)
        to_go = (blast.scheduled_at - datetime.now(UTC)).total_seconds()
        return render_template(
            "blasts/scheduled.html",
            blast=blast_head(blast),
            at=blast.scheduled_at,
            local=local_moment(blast.scheduled_at, own_zone()) if own_zone() else None,
            to_go=duration(to_go) if to_go > 0 else "",
            checked=checked(session, blast),
        )


@blueprint.post("/blasts/<slug>/schedule")
@allowed("blasts.launch")
@proven
def schedule(slug: str) -> ResponseReturnValue:
    """Let it leave at a time, if its people were counted rightly; its words are frozen now."""
    people, day, hour, zone = (request.form.get(name, "") for name in ("later_people", "day", "hour", "zone"))
    tried = Tried(later_people=people, day=day, hour=hour, zone=zone)
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(place_of(blast), 303)
        found = checked(session, blast)
    at = _when(tried)
    if typed_number(tried.later_people) != found.people:
        people = number(found.people)
        tried.later_people_problem = _("That is not the number of people. It goes to %(people)s.", people=people)
    if at is None or tried.later_people_problem or not found.ready:
        return launch_page(slug, tried, 422)
    remember_zone(tried.zone)
    return _schedule(slug, at)


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


def _when(tried: Tried) -> datetime | None:
    """The moment that was typed, or None and why."""
    at, now = moment_of(tried.day, tried.hour, tried.zone), datetime.now(UTC)
    if isinstance(at, str):
        tried.when_problem = at
    elif at <= now:
        tried.when_problem = _("That time is over. Choose one to come.")
    elif at > now + LATEST:
        tried.when_problem = _("Choose a time within a year.")
    return at if isinstance(at, datetime) and not tried.when_problem else None


def _schedule(slug: str, at: datetime) -> ResponseReturnValue:
    here = installation()
    try:
        with here.database.write() as session:
            blast = known_blast(session, slug)
            done = _asked_or_scheduled(session, blast, at)
            place = place_of(blast)
    except (CompileError, BadMedia) as error:
        return launch_page(slug, Tried(problems=why_not(error)), 422)
    if not done:
        changed = _("The blast or its appeal has changed since you looked. Look again, then launch.")
        return launch_page(slug, Tried(later_people_problem=changed), 409)
    return redirect(place, 303)


def _asked_or_scheduled(session: Session, blast: Blast, at: datetime) -> bool:
    """Let it wait for its time, or for a second person before. Raises CompileError, BadMedia."""
    settings, who = installation().settings, me().id
    if settings.launch_by_two:
        done, verb = launching.ask(session, blast, seen_by(request.form), who, at), "ask"
    else:
        done, verb = launching.schedule(session, settings, blast, seen_by(request.form), at), "schedule"
    if done:
        record(session, who, f"blast.{verb}", f"blast:{blast.id}", at=at.isoformat())
        session.refresh(blast)
    return done
