"""Delivery: claims. The statements that say yes or no to each message, and write down what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Boolean, ColumnElement, Float, Row, Table, and_, bindparam, case, func, not_, or_, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.blasts.blasts import Blast, BlastList, BlastState
from mobilizer.db import clock
from mobilizer.delivery.leases import Lease, open_rows
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState

# Waits after the 1st, 2nd ... definite "not now"; after the last of them 48 hours have passed and we give up.
BACKOFF_SECONDS = (300, 3600, 4 * 3600, 12 * 3600, 12 * 3600, 12 * 3600, 24900)
REPLY_LENGTH = 300

_DELIVERIES = cast(Table, Delivery.__table__)


@dataclass(frozen=True, slots=True)
class Person:
    """One pending row with what its message is made of; the identity is still sealed."""

    delivery: int
    member: int
    list_name: str
    list_slug: str
    joined_at: datetime
    address_key: bytes
    sealed: bytes
    country: str
    attributes: dict[str, Any]
    share_code: str
    tries: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one message. A pending one that need not wait was not tried: the relay said nothing to it."""

    delivery: int
    state: DeliveryState
    reason: str = ""
    code: int | None = None
    reply: str = ""
    wait_seconds: float = 0


def skip_the_left(session: Session, lease: Lease) -> int:
    """Settle as skipped, with the reason, every pending row of the batch whose member must not be mailed any more."""
    skipped = 0
    for reason, must_not in (("erased", _gone()), ("suppressed", _suppressed()), ("unsubscribed", ~_subscribed())):
        skipped += len(
            session.execute(
                update(Delivery)
                .where(*open_rows(lease), Delivery.state == DeliveryState.PENDING, must_not)
                .values(state=DeliveryState.SKIPPED, reason=reason, settled_at=clock())
                .execution_options(synchronize_session=False)
                .returning(Delivery.id)
            ).all()
        )
    return skipped


def due_people(session: Session, lease: Lease) -> list[Person]:
    """The batch's pending rows that are due, each with its member and the list that brought them in."""
    rows: Sequence[Row[Any]] = session.execute(
        select(
            Delivery.id,
            Delivery.member_id,
            func.coalesce(MemberList.name, ""),
            func.coalesce(MemberList.slug, ""),
            func.coalesce(Subscription.joined_at, Member.created_at),
            Member.address_key,
            Member.sealed,
            func.coalesce(Member.country, ""),
            Member.attributes,
            Member.share_code,
            Delivery.tries,
        )
        .join(Member, Member.id == Delivery.member_id)
        # Outer joins: a list that is gone must not keep a row from ever being worked.
        .outerjoin(MemberList, MemberList.id == Delivery.list_id)
        .outerjoin(
            Subscription,
            and_(Subscription.list_id == Delivery.list_id, Subscription.member_id == Delivery.member_id),
        )
        .where(
            *open_rows(lease),
            Delivery.state == DeliveryState.PENDING,
            or_(Delivery.next_at.is_(None), Delivery.next_at <= clock()),
        )
        .order_by(Delivery.id)
    ).all()
    return [Person(*row) for row in map(tuple, rows)]


def claim(session: Session, lease: Lease, deliveries: Collection[int]) -> set[int]:
    """Claim messages whose relay has said 354: the ids that may go out now.

    One statement checks all that can forbid it: the row is still pending, the lease is still ours, the blast
    is still sending, the member is still subscribed and not suppressed.
    """
    if not deliveries:
        return set()
    return set(session.connection().scalars(_CLAIM, {**_ours(lease), "deliveries": list(deliveries)}))


def settle(session: Session, lease: Lease, settlements: Sequence[Settlement]) -> None:
    """Write down the answers to claimed messages.

    A row that a later epoch has swept to `uncertain` is settled too, as long as the claim was ours and the answer
    final: it is evidence. "Not now" opens nothing again, for its batch may be done and its blast declared sent.
    """
    if settlements:
        session.connection().execute(_SETTLE, [_row(lease, settlement) for settlement in settlements])


def settle_unclaimed(session: Session, lease: Lease, settlements: Sequence[Settlement]) -> None:
    """Write down answers to the recipient alone: nothing was claimed, so only a pending row under our lease changes."""
    if settlements:
        session.connection().execute(_SETTLE_UNCLAIMED, [_row(lease, settlement) for settlement in settlements])


def _ours(lease: Lease) -> dict[str, object]:
    return {"our_batch": lease.batch, "our_blast": lease.blast, "our_epoch": lease.epoch}


def _row(lease: Lease, settlement: Settlement) -> dict[str, object]:
    return {
        **_ours(lease),
        "this": settlement.delivery,
        "new_state": settlement.state,
        "new_reason": settlement.reason,
        "new_code": settlement.code,
        "new_reply": settlement.reply[:REPLY_LENGTH],
        "again": settlement.state == DeliveryState.PENDING,
        "tried": int(settlement.wait_seconds > 0),
        "wait": settlement.wait_seconds,
    }


def _gone() -> ColumnElement[bool]:
    return ~select(Member.id).where(Member.id == Delivery.member_id).exists()


def _suppressed() -> ColumnElement[bool]:
    return (
        select(Suppression.address_key)
        .join(Member, Member.address_key == Suppression.address_key)
        .where(Member.id == Delivery.member_id)
        .exists()
    )


def _subscribed() -> ColumnElement[bool]:
    """Whether the member is still confirmed on a list that the blast goes to."""
    return (
        select(Subscription.member_id)
        .join(BlastList, and_(BlastList.list_id == Subscription.list_id, BlastList.included))
        .where(
            BlastList.blast_id == Delivery.blast_id,
            Subscription.member_id == Delivery.member_id,
            Subscription.standing == Standing.CONFIRMED,
        )
        .exists()
    )


# The three statements of the hot path are built once; each run only binds its values.

_LEASED = (
    select(Batch.id)
    .where(
        Batch.id == bindparam("our_batch"),
        Batch.epoch == bindparam("our_epoch"),
        Batch.state == BatchState.LEASED,
    )
    .exists()
)

_CLAIM = (
    update(_DELIVERIES)
    .where(
        _DELIVERIES.c.id.in_(bindparam("deliveries", expanding=True)),
        _DELIVERIES.c.state == DeliveryState.PENDING,
        _LEASED,
        select(Blast.id).where(Blast.id == bindparam("our_blast"), Blast.state == BlastState.SENDING).exists(),
        ~_suppressed(),
        _subscribed(),
    )
    .values(state=DeliveryState.HANDING, epoch=bindparam("our_epoch"))
    .returning(_DELIVERIES.c.id)
)

_AGAIN = bindparam("again", type_=Boolean)

_WRITE = (
    update(_DELIVERIES)
    .where(_DELIVERIES.c.id == bindparam("this"))
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        code=bindparam("new_code"),
        reply=bindparam("new_reply"),
        tries=_DELIVERIES.c.tries + bindparam("tried"),
        next_at=case((_AGAIN, clock(bindparam("wait", type_=Float)))),
        settled_at=case((_AGAIN, None), else_=clock()),
    )
)

_IN_HAND = or_(
    _DELIVERIES.c.state == DeliveryState.HANDING, and_(_DELIVERIES.c.state == DeliveryState.UNCERTAIN, not_(_AGAIN))
)

_SETTLE = _WRITE.where(_DELIVERIES.c.epoch == bindparam("our_epoch"), _IN_HAND)

_SETTLE_UNCLAIMED = _WRITE.where(_DELIVERIES.c.state == DeliveryState.PENDING, _LEASED)
