"""Engagement: one member's history. Every blast they were in, and what they did with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.merged import numbers_of
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, numbered
from mobilizer.engagement.events import Event

MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery to a member: of which blast, in which language, and what became of it."""

    blast_slug: str
    language: str
    caught_by: str
    state: str
    reason: str
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Done:
    """One thing a member did. `machine` names the rule that says a machine did it, or is empty; `link_n` is the link
    of the mail that was clicked, `channel` where they shared it or how far they watched, `times` how often at once."""

    kind: str
    at: datetime
    blast_slug: str | None
    machine: str
    link_n: int | None
    channel: str
    times: int


def received(session: Session, member_id: int) -> list[Received]:
    """Every delivery to a member, newest first; those to records that were merged into theirs, too."""
    theirs = [numbered(Blast.id, number) for number in numbers_of(session, member_id)]
    rows = session.execute(
        select(Blast.slug, Delivery).join(Delivery, Delivery.id.in_(theirs)).order_by(Delivery.id.desc())
    )
    return [Received(slug, row.language, row.caught_by, row.state, row.reason, row.settled_at) for slug, row in rows]


def done(session: Session, member_id: int, most: int | None = MOST_EVENTS) -> list[Done]:
    """The latest things a member did, newest first, `most` at most (None: all)."""
    rows = session.execute(
        select(Event, Blast.slug)
        .outerjoin(Blast, Blast.id == Event.blast_id)
        .where(Event.member_id == member_id)
        .order_by(Event.id.desc())
        .limit(most)
    )
    return [Done(e.kind, e.at, slug, e.machine, e.link_n, e.channel, e.times) for e, slug in rows]
