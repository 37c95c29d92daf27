"""Engagement: forgetting. Events go when they are old; the sums of their blasts stay as they were."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.engagement.acts import keep_sums
from mobilizer.engagement.events import RECORD_ASKED, Event, EventKind


def forget_acts(session: Session, seconds: float, most: int) -> int:
    """Forget what was done longer than `seconds` ago: of `most` people in one blast, or `most` acts of nobody known.

    Everything that somebody did in a blast goes at once, when the last of it is old enough: they were counted once, and
    stay counted once, also if they come back (acts). Returns how many events went; 0 when none is left to go.
    """
    old = Event.at < clock(-seconds)
    blasts = select(Blast.id).where(Blast.launched_at < clock(-seconds)).order_by(Blast.id)
    for blast_id in session.scalars(blasts).all():
        here = Event.blast_id == blast_id
        known = select(Event.member_id).where(here, Event.member_id.is_not(None)).group_by(Event.member_id)
        people = session.scalars(known.having(func.max(Event.at) < clock(-seconds)).limit(most)).all()
        if people and (gone := _forget(session, and_(here, old, Event.member_id.in_(people)))):
            first = update(Blast).where(Blast.id == blast_id, Blast.forgotten_at.is_(None))
            session.execute(first.values(forgotten_at=clock()))
            return gone
        if gone := _forget(session, _some(and_(here, old, Event.member_id.is_(None)), most)):
            return gone
    return _forget(session, _some(and_(Event.blast_id.is_(None), old), most))


def forget_requests(session: Session, seconds: float, most: int) -> int:
    """Forget that members asked for their record longer than `seconds` ago. Returns how many requests went."""
    asked = and_(Event.kind == EventKind.PREFERENCES, Event.channel == RECORD_ASKED, Event.at < clock(-seconds))
    for blast_id in (None, *session.scalars(select(Blast.id)).all()):  # each by the index
        if gone := _forget(session, _some(and_(Event.blast_id == blast_id, asked), most)):
            return gone
    return 0


def _some(which: ColumnElement[bool], most: int) -> ColumnElement[bool]:
    return Event.id.in_(select(Event.id).where(which).order_by(Event.id).limit(most))


def _forget(session: Session, which: ColumnElement[bool]) -> int:
    """Keep the sums of some events and let them go. Their rows are locked first: of two who come, one adds them."""
    ids = session.scalars(select(Event.id).where(which).order_by(Event.id).with_for_update()).all()
    if ids:
        keep_sums(session, which, which)
        session.execute(delete(Event).where(which).execution_options(synchronize_session=False))
    return len(ids)
