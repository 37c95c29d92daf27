"""Delivery: the ledger. One row per (blast, member); batches are the unit of queued work."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, overload

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    SQLColumnExpression,
    false,
    literal_column,
    text,
)
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.appeals.variants import FIRST
from mobilizer.blasts.blasts import EVERYBODY
from mobilizer.db import Base, BigId, Id, clock

Number = int | SQLColumnExpression[int] | SQLColumnExpression[int | None]


class BatchState(StrEnum):
    """A batch is held until its wave opens, open (due at some time), leased to one worker for a while, or done."""

    HELD = "held"
    OPEN = "open"
    LEASED = "leased"
    DONE = "done"


class Batch(Base):
    """Deliveries of one language and variant, worked by one owner at a time. Each lease has a higher `epoch`.

    `wave` is the part of the audience that it belongs to (waves.py), 0 for what goes at once. One that is held for its
    language knows what its people get `otherwise`, and by which step of the fallback chain. One that is held for the
    best variant has that in place of the first wording once it is chosen.
    """

    __tablename__ = "batches"
    __table_args__ = (
        CheckConstraint("state IN ('held', 'open', 'leased', 'done')", name="state"),
        Index("ix_batches_due", "state", "due_at"),
        Index("ix_batches_next", "blast_id", "state", "language", "variant", "due_at"),
    )

    id: Mapped[Id]
    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"))
    language: Mapped[str]
    variant: Mapped[str] = mapped_column(default=FIRST)
    state: Mapped[str] = mapped_column(default=BatchState.OPEN)
    epoch: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime] = mapped_column(default=clock())
    lease_until: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(default=0)  # its deliveries, of any state
    wave: Mapped[int] = mapped_column(default=0)
    otherwise: Mapped[str] = mapped_column(default="")
    otherwise_by: Mapped[str] = mapped_column(default="")


class LeaseRecord(Base):
    """Who had a batch under which epoch. A row knows the epoch of its claim, and so who was lost with its answer."""

    __tablename__ = "leases"

    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    taken_at: Mapped[datetime] = mapped_column(default=clock())


class DeliveryState(StrEnum):
    """pending -> handing -> accepted | rejected | pending | uncertain; pending -> skipped."""

    PENDING = "pending"
    HANDING = "handing"  # claimed: the content may be on the wire
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"  # the answer was lost; never resent by the software


FINAL = (DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SKIPPED, DeliveryState.UNCERTAIN)

MEMBERS = EVERYBODY
LONGEST_WAIT = 12 * 3600.0  # seconds that a row, and so its batch, is ever put off for


@overload
def numbered(blast: int, member: int) -> int: ...
@overload
def numbered(blast: Number, member: Number) -> Any: ...
def numbered(blast: Number, member: Number) -> Any:
    """The number of a member's delivery: made of the two it belongs to, so that nobody can be in a blast twice."""
    return blast * MEMBERS + member


def member_of(delivery_id: int) -> int:
    """The member that a delivery of this number is for."""
    return delivery_id % MEMBERS


def of_blast(blast_id: int, after: int = 0) -> ColumnElement[bool]:
    """Whether a row is of a blast, and its number above `after`: what finds rows of any state."""
    return Delivery.id.between(max(numbered(blast_id, 0), after + 1), numbered(blast_id, MEMBERS - 1))


def is_for(blast: Number, member: Number) -> ColumnElement[bool]:
    """Whether a row is the one of a blast for a member."""
    if isinstance(member, int) and not 0 <= member < MEMBERS:
        return false()  # or it would be somebody's in another blast
    return Delivery.id == numbered(blast, member)


def _number(context: DefaultExecutionContext) -> int:
    values: dict[str, int] = context.get_current_parameters()  # type: ignore[no-untyped-call]
    return numbered(values["blast_id"], values["member_id"])


def _one_of(*states: DeliveryState) -> str:
    """Not IN (...): for a list of words SQLite fills a table anew with every row that it writes."""
    return " OR ".join(f"state = '{state}'" for state in states)


# Conditions of the partial indexes below, for rows that are open and for those that ended without being accepted.
_OPEN = _one_of(DeliveryState.PENDING, DeliveryState.HANDING)
_NOT_SENT = _one_of(DeliveryState.REJECTED, DeliveryState.SKIPPED, DeliveryState.UNCERTAIN)


class Delivery(Base):
    """What became of one member in one blast. `reason` says why a row is rejected, skipped or waiting.

    `caught_by` is the step of the fallback chain that chose `language`; `list_id` the list that brought
    the member in. `epoch` is that of the batch lease under which the row was last claimed. `relay` and `provider`
    name who carries the message, since its claim, and whose mailbox it was for (see pace.providers), once the relay
    has answered.
    `decided_at` is when a person let an uncertain row be as it is. No foreign keys: a row outlives its member and its
    list, nothing deletes a blast, and PostgreSQL would look up three rows for each that a launch writes.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        # The primary key is the promise: one row for a blast and a member.
        CheckConstraint(f"id = blast_id * {MEMBERS} + member_id", name="number"),
        CheckConstraint(f"member_id BETWEEN 0 AND {MEMBERS - 1}", name="member"),
        CheckConstraint(_one_of(*DeliveryState), name="state"),
        # Open rows are few and looked for all the time; accepted ones are many and are only counted, as the rest.
        Index("ix_deliveries_open", "blast_id", "batch_id", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
        Index(
            "ix_deliveries_not_sent",
            "blast_id",
            "state",
            "reason",
            "language",
            sqlite_where=text(_NOT_SENT),
            postgresql_where=text(_NOT_SENT),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, default=_number)
    blast_id: Mapped[int] = mapped_column(BigId)
    member_id: Mapped[int] = mapped_column(BigId)
    batch_id: Mapped[int] = mapped_column(BigId)
    list_id: Mapped[int | None] = mapped_column(BigId)
    language: Mapped[str]
    caught_by: Mapped[str]
    state: Mapped[str] = mapped_column(default=DeliveryState.PENDING)
    epoch: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    code: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")
    reply: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]
    relay: Mapped[str | None]
    provider: Mapped[str | None]
    decided_at: Mapped[datetime | None]


# Without a type: of a Boolean SQLite would be asked whether it "= 1", and then it uses no partial index.


def is_open() -> ColumnElement[bool]:
    """Whether a row is pending or handing, in the very words of the index of open rows: without them it goes unused."""
    return _said(_OPEN)


def is_not_sent() -> ColumnElement[bool]:
    """Whether a row is final but not accepted, in the words of the index of such rows."""
    return _said(_NOT_SENT)


def _said(condition: str) -> ColumnElement[bool]:
    return literal_column(f"({condition.replace('state', 'deliveries.state')})")


class Heartbeat(Base):
    """A process of ours that is alive: workers and the reconciler, by their own word."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    beat_at: Mapped[datetime] = mapped_column(default=clock())
