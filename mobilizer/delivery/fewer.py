"""Delivery: fewer mails. Who has paused theirs, or had the one of the month: asked when mails are counted and, since
what is queued may wait for long, once more before each of them goes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, SQLColumnExpression, literal, or_, select
from sqlalchemy.orm import aliased

from mobilizer.audience.members import Member
from mobilizer.audience.preferences import Preferences, paused
from mobilizer.blasts.blasts import Blast
from mobilizer.db import BigId, Prepared, clock, numbers, one_of, said
from mobilizer.delivery.ledger import Delivery, DeliveryState, member_of, numbered

MONTH_SECONDS = 30 * 86_400.0
_SENT = (DeliveryState.HANDING, DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)


def had_this_month(member: SQLColumnExpression[int], but: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether the member of a number wants one mail a month and has had that of another blast than `but`, or may have:
    it is on its way, or its answer was lost."""
    other = aliased(Delivery)
    sent = (
        select(other.id)
        .join(Blast, other.id == numbered(Blast.id, Preferences.member_id))
        .where(
            Blast.id != but,
            Blast.launched_at.is_not(None),
            or_(Blast.finished_at.is_(None), Blast.finished_at > clock(-MONTH_SECONDS)),
            or_(*(other.state == said(state) for state in _SENT)),
            or_(other.settled_at.is_(None), other.settled_at > clock(-MONTH_SECONDS)),
        )
        .correlate_except(other, Blast)
        .exists()
    )
    wants = select(Preferences.member_id).where(Preferences.member_id == member, Preferences.monthly, sent)
    return wants.correlate_except(Preferences).exists()


def rests(blast_id: int) -> ColumnElement[bool]:
    """Whether a Member gets nothing of a blast now, for they want fewer mails."""
    return or_(paused(Member.id), had_this_month(Member.id, literal(blast_id, BigId)))


def take_turns(connection: Connection, deliveries: Collection[int]) -> None:
    """Let nobody else claim a mail for those of these people who want one a month, until this transaction ends: two
    workers with a blast each must not both send it. SQLite has one writer at a time anyway."""
    if deliveries and connection.dialect.name == "postgresql":
        _HELD.run(connection, (numbers(connection, map(member_of, deliveries)),))


# In the order of their numbers: two who want the same people must not wait for each other.
_HELD = Prepared(
    select(Preferences.member_id)
    .where(one_of(Preferences.member_id, "people"), Preferences.monthly)
    .order_by(Preferences.member_id)
    .with_for_update(key_share=True),
    "people",
)
