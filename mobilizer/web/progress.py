"""Web: a blast in motion. How far each language is, what holds it, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import BlastState
from mobilizer.delivery.progress import Progress
from mobilizer.delivery.progress import progress as progress_of
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.web.bars import kinds, tally_bar
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _, duration, ngettext, number

S = BlastState
CAN_PAUSE = lifecycle.SOURCES[S.PAUSED]
CAN_CANCEL = lifecycle.SOURCES[S.CANCELLED]
RESUMABLE = (S.PAUSED, S.HELD)
SECONDS = 2
MANY, MANY_SHARE = 20, 0.01  # uncertain mails that a person should look at
SECONDS_WITHOUT_SCRIPT = 5


@blueprint.get("/blasts/<slug>/progress")
@allowed("blasts.see")
def progress(slug: str) -> ResponseReturnValue:
    """The live page: fresh every two seconds with script, every five without, until nothing changes any more."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(url_for("blasts.check", slug=slug), 303)
        now = progress_of(session, blast)
        return render_template(
            "blasts/progress.html",
            blast=blast_head(blast),
            now=now,
            headline=_headline(now),
            total=tally_bar("", now.overall),
            bars=[tally_bar(tag, tally) for tag, tally in now.languages.items()],
            kinds=kinds(),
            rate=_rate(now),
            left=_left(now),
            can_pause=blast.state in CAN_PAUSE and blast.state != S.HELD,
            can_resume=blast.state in RESUMABLE,
            can_cancel=blast.state in CAN_CANCEL,
            nobody_works=not now.workers and blast.state in (S.LAUNCHING, S.SENDING),
            many_uncertain=now.overall.uncertain > max(MANY, now.overall.total * MANY_SHARE),
            seconds=SECONDS,
            seconds_without_script=SECONDS_WITHOUT_SCRIPT,
            as_of=datetime.now(UTC),
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
            return redirect(url_for("blasts.show", slug=slug), 303)
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
            return _("It holds itself")
        case S.CANCELLED:
            return _("Cancelled")
        case _:
            return _("Every one of %(people)s people has a final line", people=people)


def _rate(now: Progress) -> str:
    if now.state != S.SENDING or not now.per_second:
        return "–"
    if now.per_second >= 1:
        return _("%(n)s a second", n=number(round(now.per_second)))
    return _("%(n)s a minute", n=number(round(now.per_second * 60)))


def _left(now: Progress) -> str:
    left = now.seconds_left()
    if now.state != S.SENDING or left is None or not now.overall.waiting:
        return "–"
    return duration(max(1, left))
