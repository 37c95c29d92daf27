"""Delivery: claims. The statements that say yes or no to each message, and write down what became of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Table,
    and_,
    bindparam,
    case,
    false,
    func,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.preferences import Fewer, paused
from mobilizer.audience.suppressions import Suppression
from mobilizer.blasts.blasts import Blast, BlastList, BlastState
from mobilizer.db import Prepared, clock, numbers, one_of, reached, said
from mobilizer.delivery.fewer import had_this_month
from mobilizer.delivery.leases import Lease, open_rows
from mobilizer.delivery.ledger import LONGEST_WAIT, Batch, BatchState, Delivery, DeliveryState, is_open

# Waits after the 1st, 2nd ... definite "not now"; after the last of them 48 hours have passed and we give up.
BACKOFF_SECONDS = (300, 3600, 4 * 3600, 12 * 3600, 12 * 3600, 12 * 3600, 24900)
REPLY_LENGTH = 300

_DELIVERIES = cast(Table, Delivery.__table__)


class Person(NamedTuple):
    """One pending row with what its message is made of; the identity is still sealed. `joined_at` is UTC."""

    delivery: int
    member: int
    list_name: str
    list_slug: str
    address_key: bytes
    sealed: bytes
    country: str
    share_code: str
    tracking: bool
    tries: int
    joined_at: datetime
    attributes: dict[str, Any]


class Receipt(NamedTuple):
    """One message that the relay took: its row, what the relay said, who carried it and whose mailbox it was for."""

    delivery: int
    reply: str
    relay: str
    provider: str


class Settlement(NamedTuple):
    """What became of one message. A pending one that need not wait was not tried: the relay said nothing to it.

    `relay` and `provider` name who carried it and whose mailbox it was for.
    """

    delivery: int
    state: DeliveryState
    reason: str = ""
    code: int | None = None
    reply: str = ""
    wait_seconds: float = 0
    relay: str | None = None
    provider: str | None = None


def skip_the_left(session: Session, lease: Lease) -> int:
    """Settle as skipped, with the reason, every pending row of the batch whose member must not be mailed any more."""
    skipped = session.execute(
        update(Delivery)
        .where(*open_rows(lease), Delivery.state == DeliveryState.PENDING, _must_not() != "")
        .values(state=DeliveryState.SKIPPED, reason=_must_not(), settled_at=clock())
        .execution_options(synchronize_session=False)
        .returning(Delivery.id)
    )
    return len(skipped.all())


def due_people(connection: Connection, lease: Lease) -> tuple[list[Person], list[Settlement]]:
    """The batch's pending rows that are due, each with its member and the list that brought them in; and what to write
    for those of them whose member must not be mailed any more."""
    as_text = connection.dialect.name == "sqlite"  # which knows neither moments nor JSON
    people: list[Person] = []
    skipped: list[Settlement] = []
    for must_not, *known, joined_at, attributes in _DUE.run(connection, (lease.blast, lease.batch)):
        if must_not:
            skipped.append(Settlement(known[0], DeliveryState.SKIPPED, reason=must_not))
        else:
            moment = datetime.fromisoformat(joined_at) if as_text else joined_at
            values = _attributes(attributes) if as_text else attributes
            people.append(Person._make((*known, moment, values)))
    return people, skipped


def _attributes(stored: Any) -> Any:
    """JSON as SQLite keeps it: as text, but a number as a number. Most members have none: '{}'."""
    if stored == "{}":
        return {}
    return json.loads(stored) if isinstance(stored, str) else stored


def claim(connection: Connection, lease: Lease, deliveries: Collection[int], relay: str | None = None) -> set[int]:
    """Claim messages whose relay has said 354: the ids that may go out now.

    One statement checks all that can forbid it: the row is still pending, the lease is still ours, the blast
    is still sending, the member is still subscribed, not suppressed, and wants no fewer mails. It notes the relay too:
    if the answer is lost with us, that relay's log is where to look for it.
    """
    if not deliveries:
        return set()
    asked = (numbers(connection, deliveries), lease.batch, lease.epoch, lease.blast, relay)
    return {row[0] for row in _CLAIM.run(connection, asked)}


def settle(connection: Connection, lease: Lease, settlements: Sequence[Settlement]) -> None:
    """Write down the answers to claimed messages.

    A row that a later epoch has swept to `uncertain` is settled too, as long as the claim was ours and the answer
    final: it is evidence. "Not now" opens nothing again, for its batch may be done and its blast declared sent.
    """
    if settlements:
        _SETTLE.run_all(connection, [(*_row(s), lease.epoch) for s in settlements])


def accept(connection: Connection, lease: Lease, receipts: Sequence[Receipt]) -> None:
    """Write down the claimed messages that the relay took: what most settlements are, in fewer words.

    A yes is a fact, however late: it counts whatever was written since under a later epoch, where a person has had the
    row sent again. Who holds that one then gets no claim any more, or finds its own answer written by the first.
    """
    if receipts:
        _ACCEPT.run_all(connection, [(*receipt, lease.epoch) for receipt in receipts])


def settle_unclaimed(connection: Connection, lease: Lease, settlements: Sequence[Settlement]) -> None:
    """Write down answers to the recipient alone: nothing was claimed, so only a pending row under our lease changes."""
    if settlements:
        _SETTLE_UNCLAIMED.run_all(connection, [(*_row(s), lease.batch, lease.epoch) for s in settlements])


def _row(settlement: Settlement) -> tuple[object, ...]:
    """In the order of _ROW."""
    return (
        settlement.delivery,
        settlement.state.value,
        settlement.reason,
        settlement.code,
        settlement.reply[:REPLY_LENGTH],
        settlement.state is DeliveryState.PENDING,
        int(settlement.wait_seconds > 0),
        float(settlement.wait_seconds),
        settlement.relay,
        settlement.provider,
    )


def _gone() -> ColumnElement[bool]:
    return ~select(Member.id).where(Member.id == Delivery.member_id).correlate(Delivery).exists()


def _suppressed() -> ColumnElement[bool]:
    return (
        select(Suppression.address_key)
        .join(Member, Member.address_key == Suppression.address_key)
        .where(Member.id == Delivery.member_id)
        .correlate(Delivery)
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
            Subscription.standing == said(Standing.CONFIRMED),
        )
        .correlate(Delivery)
        .exists()
    )


def _must_not() -> ColumnElement[str]:
    """Why a member must not be mailed any more; '' if nothing speaks against it."""
    return case(
        (_gone(), said("erased")),
        (_suppressed(), said("suppressed")),
        (~_subscribed(), said("unsubscribed")),
        *_rests(),
        else_=said(""),
    )


def _rests() -> list[tuple[ColumnElement[bool], ColumnElement[str]]]:
    """Whether a member wants fewer mails than this would be, and the reason."""
    return [
        (paused(Delivery.member_id), said(Fewer.PAUSED)),
        (had_this_month(Delivery.member_id, Delivery.blast_id), said(Fewer.MONTHLY)),
    ]


# The statements of the hot path. They are compiled once; each run only hands its values to the driver.

# Why a member must not be mailed, asked of the rows that are joined anyway; seldom must the other lists be looked at.
_BY_THIS_LIST = and_(
    Subscription.standing == said(Standing.CONFIRMED),
    select(BlastList.list_id)
    .where(BlastList.blast_id == Delivery.blast_id, BlastList.list_id == Delivery.list_id, BlastList.included)
    .correlate(Delivery)
    .exists(),
)

_DUE = Prepared(
    select(
        case(
            (Member.id.is_(None), said("erased")),
            (Suppression.address_key.is_not(None), said("suppressed")),
            (and_(or_(Subscription.standing.is_(None), ~_BY_THIS_LIST), ~_subscribed()), said("unsubscribed")),
            *_rests(),
            else_=said(""),
        ),
        Delivery.id,
        Delivery.member_id,
        func.coalesce(MemberList.name, ""),
        func.coalesce(MemberList.slug, ""),
        Member.address_key,
        Member.sealed,
        func.coalesce(Member.country, ""),
        Member.share_code,
        Member.tracking.is_not(false()),
        Delivery.tries,
        func.coalesce(Subscription.joined_at, Member.created_at),
        Member.attributes,
    )
    # Outer joins: a member or a list that is gone must not keep a row from ever being worked.
    .outerjoin(Member, Member.id == Delivery.member_id)
    .outerjoin(Suppression, Suppression.address_key == Member.address_key)
    .outerjoin(MemberList, MemberList.id == Delivery.list_id)
    .outerjoin(
        Subscription,
        and_(Subscription.list_id == Delivery.list_id, Subscription.member_id == Delivery.member_id),
    )
    .where(
        Delivery.blast_id == bindparam("our_blast"),
        Delivery.batch_id == bindparam("our_batch"),
        is_open(),
        Delivery.state == said(DeliveryState.PENDING),
        or_(Delivery.next_at.is_(None), reached(Delivery.next_at, LONGEST_WAIT)),
    )
    .order_by(Delivery.id),
    "our_blast", "our_batch",
)  # fmt: skip

_LEASED = (
    select(Batch.id)
    .where(
        Batch.id == bindparam("our_batch"),
        Batch.epoch == bindparam("our_epoch"),
        Batch.state == said(BatchState.LEASED),
    )
    .exists()
)

_CLAIM = Prepared(
    update(_DELIVERIES)
    .where(
        one_of(_DELIVERIES.c.id, "these"),
        _DELIVERIES.c.state == said(DeliveryState.PENDING),
        _LEASED,
        select(Blast.id).where(Blast.id == bindparam("our_blast"), Blast.state == said(BlastState.SENDING)).exists(),
        ~_suppressed(),
        _subscribed(),
        *(not_(rests) for rests, _ in _rests()),
    )
    .values(state=DeliveryState.HANDING.value, epoch=bindparam("our_epoch"), relay=bindparam("carrier"))
    .returning(_DELIVERIES.c.id),
    "these", "our_batch", "our_epoch", "our_blast", "carrier",
)  # fmt: skip

_IN_HAND = and_(
    _DELIVERIES.c.epoch == bindparam("our_epoch"),
    or_(_DELIVERIES.c.state == said(DeliveryState.HANDING), _DELIVERIES.c.state == said(DeliveryState.UNCERTAIN)),
)

_ACCEPT = Prepared(
    update(_DELIVERIES)
    .where(
        _DELIVERIES.c.id == bindparam("this"),
        _DELIVERIES.c.epoch >= bindparam("our_epoch"),
        _DELIVERIES.c.state != said(DeliveryState.ACCEPTED),
    )
    .values(
        state=DeliveryState.ACCEPTED.value,
        reason="",
        code=None,
        reply=bindparam("new_reply"),
        next_at=None,
        settled_at=clock(),
        relay=bindparam("carrier"),
        provider=bindparam("addressee"),
    ),
    "this", "new_reply", "carrier", "addressee", "our_epoch",
)  # fmt: skip

_AGAIN = bindparam("again", type_=Boolean)

_ROW = (
    "this", "new_state", "new_reason", "new_code", "new_reply", "again", "tried", "wait", "carrier", "addressee",
)  # fmt: skip

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
        relay=bindparam("carrier"),
        provider=bindparam("addressee"),
    )
)

_SETTLE = Prepared(
    _WRITE.where(_IN_HAND, or_(_DELIVERIES.c.state == said(DeliveryState.HANDING), not_(_AGAIN))), *_ROW, "our_epoch"
)

_SETTLE_UNCLAIMED = Prepared(
    _WRITE.where(_DELIVERIES.c.state == said(DeliveryState.PENDING), _LEASED), *_ROW, "our_batch", "our_epoch"
)
