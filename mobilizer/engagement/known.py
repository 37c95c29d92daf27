"""Engagement: what is known. Who is not counted seems to have done nothing, and may have done everything."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, not_, or_

from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.tracking import Tracking

_DARK = Blast.frozen_tracking.in_((Tracking.OFF, Tracking.SUMS))


def all_known(now: datetime, days: int | None = None) -> ColumnElement[bool]:
    """Whether all is known that a Member did with mails in the last `days`, or ever: they have not turned tracking off,
    and got no mail since then that was not counted by member."""
    of_then: tuple[ColumnElement[bool], ...] = ()
    if days is not None:
        since = now - timedelta(days=days)
        of_then = (or_(Blast.finished_at.is_(None), Blast.finished_at >= since), Delivery.settled_at >= since)
    in_the_dark = (
        exists()
        .where(
            _DARK,
            Delivery.id == numbered(Blast.id, Member.id),
            Delivery.state == DeliveryState.ACCEPTED,
            *of_then,
        )
        .correlate(Member)
    )
    # Asked once, and of most installations no: then no member is looked up.
    any_dark = exists().where(_DARK)
    return and_(Member.tracking, not_(and_(any_dark, in_the_dark)))
