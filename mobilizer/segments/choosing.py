"""Segments: whom a blast goes to. Its narrowing, made one condition on Member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, true
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.narrowing import CannotChoose, Chosen, Narrowing, narrowing_of
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.problems import N_, Problem
from mobilizer.segments import follow_ups
from mobilizer.segments.deeds import InBlast
from mobilizer.segments.follow_ups import FollowUp
from mobilizer.segments.keeping import usable_rules
from mobilizer.segments.segments import Segment
from mobilizer.segments.tree import All, BadRules, drawings

# Mails that were sent, may have been, or will be.
COUNTED = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN, DeliveryState.HANDING, DeliveryState.PENDING)


def whom(session: Session, blast: Blast) -> Chosen | None:
    """How a blast is narrowed: as of now, and from its launch on as of its launch. None if it is not.

    Raises blasts.narrowing.CannotChoose where one of its segments is gone, or names what is gone, or where nobody can
    say any more whom it follows up.
    """
    if not blast.narrowing:
        return None
    narrowing = narrowing_of(blast.narrowing)
    now = blast.launched_at or datetime.now(UTC)
    inside, outside = (_rules(session, numbers) for numbers in (narrowing.segments, narrowing.without))
    drawn = {name: people for rules in (*inside, *outside) for name, people in drawings(rules, now)}
    fits = _fits(narrowing, inside, outside, now)
    if narrowing.follows:
        kind = FollowUp(narrowing.follow_up)
        fits = and_(fits, follow_ups.fits(session, kind, narrowing.follows, now, but=blast.id))
    return Chosen(fits, _spared(narrowing, now), drawn)


def _fits(narrowing: Narrowing, inside: Sequence[All], outside: Sequence[All], now: datetime) -> ColumnElement[bool]:
    """In the chosen segments, and left out by none of the others."""
    chosen = [rules.where(now) for rules in inside]
    away = [*(rules.where(now) for rules in outside), *(InBlast(earlier).where(now) for earlier in narrowing.earlier)]
    together = and_ if narrowing.every else or_
    return and_(together(*chosen) if chosen else true(), *map(not_, away))


def _rules(session: Session, numbers: Sequence[int]) -> list[All]:
    """The rules of segments. Raises blasts.narrowing.CannotChoose."""
    return [_rules_of(session, number) for number in numbers]


def _rules_of(session: Session, number: int) -> All:
    segment = session.get(Segment, number)
    if segment is None:
        message = N_("One of the segments of this blast is gone. Choose its people again.")
        raise CannotChoose(Problem("audience.segment_gone", message))
    try:
        return usable_rules(session, segment.rules)
    except BadRules as bad:
        message = N_("The segment “%(name)s” can't be used: one of its rules has to be mended. Open it to see which.")
        raise CannotChoose(Problem("audience.segment_broken", message, {"name": segment.name})) from bad


def _spared(narrowing: Narrowing, now: datetime) -> ColumnElement[bool] | None:
    """Who was sent as many blasts as the cap allows already, by the days on which they were launched."""
    if not narrowing.most:
        return None
    sent = (
        select(func.count())
        .select_from(Blast)
        .join(Delivery, Delivery.id == numbered(Blast.id, Member.id))
        .where(
            Blast.launched_at >= now - timedelta(days=narrowing.days),
            Delivery.state.in_(COUNTED),
        )
        .correlate(Member)
        .scalar_subquery()
    )
    return sent >= narrowing.most
