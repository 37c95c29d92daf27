"""Delivery: opening. Lets waves go whose moment has come, and stops the rest where the first few took it badly."""

from __future__ import annotations

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery import waves
from mobilizer.delivery.complaining import complaints
from mobilizer.delivery.progress import tallies_by_language, together
from mobilizer.delivery.waves import Kind, Wave
from mobilizer.problems import N_, Problem, write_problem

LATE_SECONDS = 3600.0
LATE = Problem("held.late_wave", N_("The time of a part of it was more than an hour ago: go on to send it now."))
# More of the first few than this, and the others stay at home. Below the least, a share says nothing.
MOST_BOUNCES, LEAST_BOUNCES = 0.05, 3
MOST_COMPLAINTS, LEAST_COMPLAINTS = 0.003, 2


def open_due(session: Session) -> None:
    """Open the held waves whose moment has come, but those that wait for the best variant. One that is an hour late
    holds its blast: a person decides, unless one has let it go on since."""
    still = or_(Blast.resumed_at.is_(None), Blast.resumed_at < Wave.opens_at)
    late = and_(Wave.opens_at < clock(-LATE_SECONDS), still)
    due = (
        select(Wave.blast_id, Wave.n, Wave.kind, late)
        .join(Blast, Blast.id == Wave.blast_id)
        .where(Blast.state == BlastState.SENDING, Wave.opened_at.is_(None), Wave.opens_at <= clock())
        .order_by(Wave.blast_id, Wave.n)
    )
    for blast_id, n, kind, is_late in session.execute(due).all():
        if is_late:
            lifecycle.hold(session, blast_id, LATE, retry_seconds=None)
        elif kind != Kind.WINNER:  # somebody has to look first who did best: engagement.winners
            waves.release(session, blast_id, n)


def watch_first(session: Session) -> None:
    """Hold the blasts whose first few bounced or complained too much: then the rest goes by a person's word alone."""
    waiting = (
        select(Wave)
        .join(Blast, Blast.id == Wave.blast_id)
        .where(
            Blast.state == BlastState.SENDING,
            Wave.kind.in_((Kind.REST, Kind.WINNER)),
            Wave.opened_at.is_(None),
            Wave.stopped_for == "",
        )
    )
    for rest in session.scalars(waiting).all():
        problem = _trouble(session, rest.blast_id)
        if problem is not None:
            rest.stopped_for, rest.opens_at = write_problem(problem), None
            session.flush()
            lifecycle.hold(session, rest.blast_id, problem, retry_seconds=None)


def _trouble(session: Session, blast_id: int) -> Problem | None:
    """What speaks against sending the rest. All that has an answer yet is of the first few: the others are held."""
    tally = together(tallies_by_language(session, [blast_id])[blast_id])
    answered = tally.accepted + tally.rejected
    if tally.rejected >= LEAST_BOUNCES and tally.rejected > MOST_BOUNCES * answered:
        message = N_("%(count)d of the first %(people)d mails were rejected: the others are held. Look at the causes.")
        return Problem("held.bounces", message, {"count": tally.rejected, "people": answered})
    called_spam = sum(complaints(session, blast_id).values()) if tally.accepted else 0
    if called_spam >= LEAST_COMPLAINTS and called_spam > MOST_COMPLAINTS * tally.accepted:
        message = N_("%(count)d of the first %(people)d people called it spam: the others are held.")
        return Problem("held.complaints", message, {"count": called_spam, "people": tally.accepted})
    return None
