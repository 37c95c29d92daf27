"""Engagement: tiers. Everyone is in one, by the last thing that they, no machine, did with a mail; of whom
nobody knows whether they did anything, nobody says that they are quiet or inactive (known.py)."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, not_

from mobilizer.audience.members import Member
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.known import all_known

ACTIVE_DAYS = 90
QUIET_DAYS = 365
NEW_DAYS = 30
# What counts as having done something with a mail.
ACTS = (EventKind.OPEN, EventKind.CLICK, EventKind.WATCH, EventKind.SHARE)


class Tier(StrEnum):
    """How much we hear of someone."""

    ACTIVE = "active"  # did something in the last ACTIVE_DAYS
    QUIET = "quiet"  # did something in the last QUIET_DAYS, and nothing in the last ACTIVE_DAYS
    NEW = "new"  # became a member in the last NEW_DAYS, and has done nothing yet in QUIET_DAYS
    INACTIVE = "inactive"  # became one before, and has done nothing in QUIET_DAYS


def is_of(tier: Tier, now: datetime) -> ColumnElement[bool]:
    """The condition on Member of being in a tier."""
    match tier:
        case Tier.ACTIVE:
            return _acted(now, ACTIVE_DAYS)
        case Tier.QUIET:
            return and_(_acted(now, QUIET_DAYS), not_(_acted(now, ACTIVE_DAYS)), all_known(now, ACTIVE_DAYS))
        case Tier.NEW:
            return and_(Member.created_at >= now - timedelta(days=NEW_DAYS), not_(_acted(now, QUIET_DAYS)))
        case Tier.INACTIVE:
            old = Member.created_at < now - timedelta(days=NEW_DAYS)
            return and_(old, not_(_acted(now, QUIET_DAYS)), all_known(now, QUIET_DAYS))


def _acted(now: datetime, days: int) -> ColumnElement[bool]:
    person = (Event.member_id == Member.id, Event.kind.in_(ACTS), Event.machine == "")
    return exists().where(*person, Event.at >= now - timedelta(days=days)).correlate(Member)
