"""Delivery: holds. What the relay's answers teach: when a blast holds itself, and which addresses are suppressed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery.claims import Settlement
from mobilizer.delivery.ledger import Delivery, DeliveryState, is_for, is_not_sent, member_of, of_blast
from mobilizer.problems import N_, Problem
from mobilizer.transport.outcomes import Trouble, Verdict

RETRY_SECONDS = 300.0
FULL_TIMES, FULL_DAYS = 3, 15
POLICY_SHARE, POLICY_LEAST = 0.02, 20
NO_ROOM = Problem(
    "held.no_room",
    N_("The disk of the database is full. What becomes of a mail can't be written down, so none is sent."),
)


def note_trouble(session: Session, blast_id: int, trouble: Trouble, hold_after: int) -> None:
    """Count the relay's trouble against the blast; after `hold_after` in a row, or a fatal one, hold it.

    A hold after troubles is tried again by itself; one that a person must mend waits for that person.
    """
    troubles = session.scalar(
        update(Blast)
        .where(Blast.id == blast_id)
        .values(troubles=Blast.troubles + 1)
        .execution_options(synchronize_session=False)
        .returning(Blast.troubles)
    )
    if trouble.fatal:
        lifecycle.hold(session, blast_id, trouble.problem, retry_seconds=None)
    elif troubles is not None and troubles >= hold_after:
        lifecycle.hold(session, blast_id, trouble.problem, retry_seconds=RETRY_SECONDS)


def note_full_disk(session: Session, blast_id: int) -> None:
    """Hold a blast at once, to be tried again by itself: each answer that can't be written down leaves a doubt.

    Raises as any write does where there is no room for this one either: then nothing can be leased or frozen, and the
    blast stands still as it is.
    """
    lifecycle.hold(session, blast_id, NO_ROOM, RETRY_SECONDS, start=(BlastState.SENDING, BlastState.LAUNCHING))


def forgive(session: Session, blast_id: int) -> None:
    """A message was accepted: it ends a row of troubles."""
    session.execute(
        update(Blast)
        .where(Blast.id == blast_id, Blast.troubles > 0)
        .values(troubles=0)
        .execution_options(synchronize_session=False)
    )


def learn(session: Session, settlements: Sequence[Settlement]) -> None:
    """Draw what follows from refusals: a hard no suppresses the address, and so does a mailbox that stays full."""
    for settled in settlements:
        if settled.state == DeliveryState.REJECTED and settled.reason == Verdict.HARD:
            _suppress(session, settled.delivery, SuppressedFor.HARD_BOUNCE)
        elif settled.reason == Verdict.FULL and _full_too_often(session, settled.delivery):
            _suppress(session, settled.delivery, SuppressedFor.SOFT_BOUNCES)


def refused_by_policy(session: Session, blast_id: int) -> bool:
    """Whether so many of a blast's messages are refused by policy that it should be held.

    Those before it was last let go on are known: a person has looked at them.
    """
    resumed_at = select(Blast.resumed_at).where(Blast.id == blast_id).scalar_subquery()
    since = or_(resumed_at.is_(None), resumed_at > clock(), Delivery.settled_at > resumed_at)
    lately = select(func.count()).where(since)
    by_policy = (Delivery.state == DeliveryState.REJECTED, Delivery.reason == Verdict.POLICY)
    refused = session.scalar(lately.where(Delivery.blast_id == blast_id, is_not_sent(), *by_policy)) or 0
    if refused < POLICY_LEAST:
        return False
    settled = Delivery.state.in_([DeliveryState.ACCEPTED, DeliveryState.REJECTED])
    return refused > POLICY_SHARE * (session.scalar(lately.where(of_blast(blast_id), settled)) or 0)


def _suppress(session: Session, delivery_id: int, reason: SuppressedFor) -> None:
    key = session.scalar(select(Member.address_key).where(Member.id == member_of(delivery_id)))
    if key is not None:
        suppress(session, key, reason)


def _full_too_often(session: Session, delivery_id: int) -> bool:
    """Whether a full mailbox refused the last FULL_TIMES mails of FULL_DAYS days, with none accepted between."""
    lately = session.scalars(
        select(Delivery.reason)
        .join(Blast, is_for(Blast.id, member_of(delivery_id)))
        .where(
            Delivery.state.in_([DeliveryState.ACCEPTED, DeliveryState.REJECTED]),
            Delivery.settled_at > clock(-FULL_DAYS * 86400),
        )
        .order_by(Delivery.settled_at.desc(), Delivery.id.desc())
        .limit(FULL_TIMES)
    ).all()
    return len(lately) == FULL_TIMES and set(lately) == {Verdict.FULL.value}
