"""Notices: noting. Finds, from the blasts as they are, what has happened and is not noted yet.

Derived and not written by whoever moves a blast: no road to a state can forget it, and noting twice notes once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.keeping import insert_new
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery.ledger import Delivery, DeliveryState, is_not_sent
from mobilizer.delivery.reconcile import LATE
from mobilizer.notices.notices import Kind, MailState, Notice, NoticeMail
from mobilizer.notices.wishes import readers

HOUR = timedelta(hours=1)
OLD_SECONDS = 24 * 3600.0  # what ended longer ago is no news: an upgrade must not tell of it
FREEZING_SECONDS = 600.0
EVIDENCE_SECONDS = 300.0  # an answer that comes late still settles an uncertain mail

S = BlastState
_ENDED_LATELY = and_(Blast.state.in_([S.SENT, S.CANCELLED]), Blast.finished_at > clock(-OLD_SECONDS))
# What tells one hold from the next: when the blast last went on.
_WENT_ON: ColumnElement[datetime] = func.coalesce(Blast.resumed_at, Blast.launched_at, Blast.created_at)


def note(session: Session) -> list[int]:
    """Note what has happened, each thing once, with a mail to each organizer who wants one. Ids of the new notices."""
    found = [(kind, *row) for kind, happened in _happened().items() for row in session.execute(happened).all()]
    return [_note(session, kind, blast_id, occurrence, reason) for kind, blast_id, occurrence, reason in found]


def _happened() -> dict[Kind, Select[Any]]:
    """For each kind the blasts that it has happened to, when, and why, as far as that is not noted."""
    return {
        Kind.HELD: _new(Kind.HELD, _WENT_ON, Blast.state == S.HELD),
        Kind.FINISHED: _new(Kind.FINISHED, Blast.finished_at, Blast.state == S.SENT, _ENDED_LATELY),
        Kind.UNCERTAIN: _uncertain(),
        Kind.LATE: _new(
            Kind.LATE, Blast.scheduled_at, Blast.state == S.READY, Blast.hold_reason.startswith(f'["{LATE.code}"')
        ),
        Kind.STUCK: _new(
            Kind.STUCK, Blast.launched_at, Blast.state == S.LAUNCHING, Blast.launched_at < clock(-FREEZING_SECONDS)
        ),
    }


def _new(kind: Kind, occurrence: Any, *where: ColumnElement[bool]) -> Select[Any]:
    return select(Blast.id, occurrence, Blast.hold_reason).where(*where, ~_noted(kind, Blast.id, occurrence))


def _uncertain() -> Select[Any]:
    """The newest uncertain mail of each blast is the occurrence: fewer of them later are nothing new."""
    newest = (
        select(Delivery.blast_id, func.max(Delivery.settled_at).label("at"))
        .join(Blast, Blast.id == Delivery.blast_id)
        .where(
            or_(Blast.state.in_([S.SENDING, S.PAUSED, S.HELD]), _ENDED_LATELY),
            is_not_sent(),
            Delivery.state == DeliveryState.UNCERTAIN,
            Delivery.decided_at.is_(None),
            Delivery.settled_at < clock(-EVIDENCE_SECONDS),
        )
        .group_by(Delivery.blast_id)
        .subquery()
    )
    return select(newest.c.blast_id, newest.c.at, literal("")).where(
        ~_noted(Kind.UNCERTAIN, newest.c.blast_id, newest.c.at)
    )


def _noted(kind: Kind, blast_id: Any, occurrence: Any) -> ColumnElement[bool]:
    return (
        select(Notice.id)
        .where(Notice.blast_id == blast_id, Notice.kind == kind, Notice.occurrence >= occurrence)
        .exists()
    )


def _note(session: Session, kind: Kind, blast_id: int, occurrence: datetime, reason: str) -> int:
    unique = {"blast_id": blast_id, "kind": kind, "occurrence": occurrence}
    # Two reconcilers may find it at once: the second one's rows are there already, and stay as they are.
    insert_new(session, Notice, [{**unique, "reason": reason}], list(unique))
    notice_id = session.scalars(select(Notice.id).filter_by(**unique)).one()
    same = select(Notice.id).where(Notice.blast_id == blast_id, Notice.kind == kind)
    session.execute(
        update(NoticeMail)
        .where(NoticeMail.notice_id.in_(same.where(Notice.id < notice_id)), NoticeMail.state == MailState.WAITING)
        .values(state=MailState.DROPPED)
        .execution_options(synchronize_session=False)
    )
    mails = [
        {"notice_id": notice_id, "user_id": user_id, "next_at": _when(session, user_id, same)}
        for user_id in readers(session, kind, blast_id)
    ]
    insert_new(session, NoticeMail, mails, ["notice_id", "user_id"])
    return notice_id


def _when(session: Session, user_id: int, same: Select[int]) -> datetime:
    """At most one mail an hour about the same: this one waits for the hour after the last to be over."""
    sent = func.max(NoticeMail.sent_at)
    last, now = session.execute(
        select(sent, clock()).where(NoticeMail.user_id == user_id, NoticeMail.notice_id.in_(same))
    ).one()
    return max(now, last + HOUR) if last else now
