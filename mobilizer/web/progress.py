"""Web: a blast in motion. How far each language and mailbox is, what waits and why, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery import causes
from mobilizer.delivery.causes import Kind
from mobilizer.delivery.progress import Progress, together
from mobilizer.delivery.progress import progress as progress_of
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.web.bars import kinds, tally_bar
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.causes import lines
from mobilizer.web.held import full_disk, what_to_do
from mobilizer.web.labels import label
from mobilizer.web.policy import allowed, me
from mobilizer.web.reasons import provider_name
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.slowed import slowed
from mobilizer.web.trial_advice import goal_choices
from mobilizer.web.waves import held_waves
from mobilizer.web.words import _, duration, ngettext, number, percent

S = BlastState
CAN_PAUSE = lifecycle.SOURCES[S.PAUSED]
CAN_CANCEL = lifecycle.SOURCES[S.CANCELLED]
MOVING = (S.LAUNCHING, S.SENDING)
RESUMABLE = (S.PAUSED, S.HELD)
SECONDS = 2
MANY, MANY_SHARE = 20, 0.01  # uncertain mails that a person should look at
SECONDS_WITHOUT_SCRIPT = 5
OLD_SECONDS = 2.0  # a count that is older says so
STEP = 0.1  # what is read out says every tenth


@blueprint.get("/blasts/<slug>/progress")
@allowed("blasts.see")
def progress(slug: str) -> ResponseReturnValue:
    """The page that freshens itself, with and without script, until nothing changes any more or someone says stop."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        now = progress_of(session, blast)
        return render_template(
            "blasts/progress.html",
            blast=blast_head(blast),
            now=now,
            headline=_headline(now),
            said=_said(now),
            total=tally_bar("", now.overall),
            bars=[tally_bar(tag, tally) for tag, tally in now.languages.items()],
            kinds=kinds(),
            rate=_rate(now),
            slowed=slowed(installation().settings) if now.state == S.SENDING and now.overall.waiting else [],
            to_do=what_to_do(now.held_for, now.retry_at),
            can_pause=blast.state in CAN_PAUSE and blast.state != S.HELD,
            can_resume=blast.state in RESUMABLE,
            can_cancel=blast.state in CAN_CANCEL,
            full_disk=full_disk() if blast.state in MOVING else "",
            nobody_works=not now.workers and blast.state in MOVING,
            many_uncertain=now.overall.uncertain > max(MANY, now.overall.total * MANY_SHARE),
            still="still" in request.args,
            seconds=SECONDS,
            seconds_without_script=SECONDS_WITHOUT_SCRIPT,
            as_of=datetime.now(UTC),
            held=held_waves(session, blast) if now.overall.waiting else [],
            goals=goal_choices(),
            **_groups(session, blast, now),
        )


@blueprint.post("/blasts/<slug>/pause")
@allowed("blasts.launch")
def pause(slug: str) -> ResponseReturnValue:
    """Pause; it holds for every mail that has not started."""
    return _steer(slug, "blast.pause", lifecycle.pause, _("Paused. No further mail starts."))


@blueprint.post("/blasts/<slug>/resume")
@allowed("blasts.launch")
def resume(slug: str) -> ResponseReturnValue:
    """Go on after a pause or a hold."""
    return _steer(slug, "blast.resume", lifecycle.resume, _("It goes on."))


@blueprint.get("/blasts/<slug>/cancel")
@allowed("blasts.launch")
def confirm_cancel(slug: str) -> ResponseReturnValue:
    """Ask before a blast is stopped for good."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state not in CAN_CANCEL:
            return redirect(place_of(blast), 303)
        now = progress_of(session, blast)
        return render_template("blasts/cancel.html", blast=blast_head(blast), now=now)


@blueprint.post("/blasts/<slug>/cancel")
@allowed("blasts.launch")
def cancel(slug: str) -> ResponseReturnValue:
    """Stop a blast for good."""
    return _steer(slug, "blast.cancel", lifecycle.cancel, _("Cancelled. What had not started never will."))


def _steer(slug: str, action: str, verb: Callable[[Session, int], bool], done: str) -> ResponseReturnValue:
    here = installation()
    with here.database.write() as session:
        blast_id = known_blast(session, slug).id
        moved = verb(session, blast_id)
        if moved:
            record(session, me().id, action, f"blast:{blast_id}")
    if moved:
        flash(done, "good")
    else:
        flash(_("Nothing was changed: the blast has moved on meanwhile."), "warn")
    return redirect(url_for("blasts.show", slug=slug), 303)


def _groups(session: Session, blast: Blast, now: Progress) -> dict[str, Any]:
    """What has to look at rows: causes and mailboxes, counted lately."""
    deferred = causes.groups(session, blast.id, Kind.DEFERRED) if now.overall.waiting else None
    rejected = causes.groups(session, blast.id, Kind.REJECTED) if now.overall.rejected else None
    mailboxes = causes.by_provider(session, blast.id)
    later = sum(group.people for group in deferred.value) if deferred else 0
    whole = together(mailboxes.value)
    return {
        "deferred": lines(deferred.value) if deferred else [],
        "rejected": lines(rejected.value) if rejected else [],
        "mailboxes": [tally_bar(provider_name(code), tally) for code, tally in mailboxes.value.items()],
        "mailboxes_total": tally_bar("", whole),
        "mailbox_kinds": [(kind, name) for kind, name in kinds() if getattr(whole, kind) or kind == "accepted"],
        "mailboxes_age": duration(mailboxes.age) if mailboxes.age > OLD_SECONDS else "",
        "left": _left(now, later),
    }


def _headline(now: Progress) -> str:
    people = number(now.overall.total)
    match now.state:
        case S.LAUNCHING:
            return _("The audience is being frozen: %(people)s people so far", people=people)
        case S.SENDING if now.overall.waiting:
            waiting = now.overall.waiting
            return ngettext("%(n)s person is still to come", "%(n)s people are still to come", waiting)
        case S.SENDING:
            return _("The last answers are being written down")
        case S.PAUSED:
            return _("Paused by a person")
        case S.HELD:
            return _("It is held")
        case S.CANCELLED:
            return _("Cancelled")
        case _:
            return _("Every one of %(people)s people has a final line", people=people)


def _said(now: Progress) -> str:
    """What is read out to those who don't see the page change: rarely, so that it can be listened to."""
    done = now.overall.final / now.overall.total if now.overall.total else 0.0
    return _("%(state)s: %(share)s done", state=label(now.state, "blast"), share=percent(done - done % STEP))


def _rate(now: Progress) -> str:
    if now.state != S.SENDING or not now.per_second:
        return "–"
    if now.per_second >= 1:
        return _("%(n)s a second", n=number(round(now.per_second)))
    return _("%(n)s a minute", n=number(round(now.per_second * 60)))


def _left(now: Progress, later: int) -> str:
    left = now.seconds_left(later)
    if now.state != S.SENDING or not left:
        return "–"
    return duration(max(1, left))
