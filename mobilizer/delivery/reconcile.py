"""Delivery: the reconciler's rules. Finds what is due from the database alone, and alone declares a blast sent."""

from __future__ import annotations

from sqlalchemy import Select, and_, exists, func, or_, select, true, update
from sqlalchemy.orm import Session

from mobilizer import failpoints
from mobilizer.audience.imports import Import
from mobilizer.audience.rehearsing import ImportRehearsal
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.launching import LONGEST_UNDO
from mobilizer.db import clock, reached
from mobilizer.delivery import holds
from mobilizer.delivery.leases import leasable, overdue
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState, is_open
from mobilizer.failpoints import Point
from mobilizer.problems import N_, Problem, write_problem

LATE_SECONDS = 3600.0
LATE = Problem("held.late", N_("Its time was more than an hour ago: send it now, or choose another time."))
REFUSED = Problem("held.refused", N_("Too many mails are rejected by policy: look at the replies, then go on."))


def launching(session: Session) -> list[int]:
    """Ids of the blasts whose audience is still being frozen."""
    return list(session.scalars(select(Blast.id).where(Blast.state == BlastState.LAUNCHING)))


def due_batches(session: Session, limit: int) -> list[int]:
    """Ids of batches that can be leased now: the longest due of each blast, language and variant first, side by
    side."""
    turn = func.row_number().over(
        partition_by=[Batch.blast_id, Batch.language, Batch.variant], order_by=[Batch.due_at, Batch.id]
    )
    ranked = select(Batch.id, Batch.due_at, turn.label("turn")).where(leasable()).subquery()
    return list(session.scalars(select(ranked.c.id).order_by(ranked.c.turn, ranked.c.due_at).limit(limit)))


def running_imports(session: Session) -> list[int]:
    """Ids of the imports that are under way, in either direction, or are to be rehearsed."""
    found = session.scalars(select(Import).where(Import.state.in_(("running", "undoing"))))
    rehearsed = select(ImportRehearsal.import_id).join(Import)
    asked = session.scalars(rehearsed.where(ImportRehearsal.sealed.is_(None), Import.state == "uploaded"))
    return [*(row.id for row in found if not row.paused), *asked]


def finish(session: Session) -> list[int]:
    """Declare sent every sending blast that has no open row left; their ids."""
    done: list[int] = []
    for blast_id in session.scalars(_all_final()).all():
        # Looked at once more while nobody can put a row back: it would never be sent.
        session.execute(select(Blast.id).where(Blast.id == blast_id).with_for_update())
        still = session.scalar(_all_final().where(Blast.id == blast_id)) is not None
        if still and lifecycle.move(session, blast_id, BlastState.SENT, finished_at=clock()):
            failpoints.reach(Point.FINISH_BEFORE_COMMIT)
            done.append(blast_id)
    return done


def retry_held(session: Session) -> None:
    """Let held blasts whose time has come try again."""
    held = select(Blast.id).where(Blast.state == BlastState.HELD, reached(Blast.retry_at, holds.RETRY_SECONDS))
    for blast_id in session.scalars(held).all():
        # A person may have paused it since it was looked up.
        lifecycle.resume(session, blast_id, start=(BlastState.HELD,))


def hold_refused(session: Session) -> None:
    """Hold the sending blasts of which too many messages are refused by policy."""
    for blast_id in session.scalars(select(Blast.id).where(Blast.state == BlastState.SENDING)).all():
        if holds.refused_by_policy(session, blast_id):
            lifecycle.hold(session, blast_id, REFUSED, retry_seconds=None)


def start_due(session: Session) -> None:
    """Launch the blasts whose moment has come; one that is an hour late goes by itself no more: a person decides."""
    leaving = and_(Blast.state == BlastState.LEAVING, reached(Blast.scheduled_at, LONGEST_UNDO))
    scheduled = and_(Blast.state == BlastState.SCHEDULED, Blast.scheduled_at <= clock())
    due = or_(leaving, scheduled)
    waiting = select(Blast.id, Blast.scheduled_at < clock(-LATE_SECONDS)).where(due)
    for blast_id, late in session.execute(waiting).all():
        if late:
            # Not held: nothing is frozen yet, so to go on from there would send to nobody.
            start, told = lifecycle.WAITS, write_problem(LATE)
            lifecycle.move(session, blast_id, BlastState.READY, start=start, only=due, hold_reason=told)
        else:
            lifecycle.launch_due(session, blast_id, due)


def settle_cancelled(session: Session) -> None:
    """What a cancelled blast has not started is skipped; what was in hand of nobody who still works is uncertain."""
    cancelled = select(Blast.id).where(Blast.state == BlastState.CANCELLED)
    worked = select(Batch.id).where(Batch.blast_id.in_(cancelled), Batch.state == BatchState.LEASED, ~overdue())
    for state, to, reason, where in (
        (DeliveryState.PENDING, DeliveryState.SKIPPED, "cancelled", true()),
        (DeliveryState.HANDING, DeliveryState.UNCERTAIN, "worker_lost", Delivery.batch_id.not_in(worked)),
    ):
        session.execute(
            update(Delivery)
            .where(Delivery.blast_id.in_(cancelled), is_open(), Delivery.state == state, where)
            .values(state=to, reason=reason, settled_at=clock())
            .execution_options(synchronize_session=False)
        )


def _all_final() -> Select[int]:
    open_row = exists().where(Delivery.blast_id == Blast.id, is_open())
    return select(Blast.id).where(Blast.state == BlastState.SENDING, ~open_row)
