"""Delivery: the ledger. One row per (blast, member); batches are the unit of queued work."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, BigId, Id, clock


class BatchState(StrEnum):
    """A batch is open (due at some time), leased to one worker for a while, or done."""

    OPEN = "open"
    LEASED = "leased"
    DONE = "done"


class Batch(Base):
    """Deliveries of one language, worked by one owner at a time. Each lease has a higher `epoch`."""

    __tablename__ = "batches"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'leased', 'done')", name="state"),
        Index("ix_batches_due", "state", "due_at"),
        Index("ix_batches_next", "blast_id", "state", "language", "due_at"),
    )

    id: Mapped[Id]
    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"))
    language: Mapped[str]
    state: Mapped[str] = mapped_column(default=BatchState.OPEN)
    epoch: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str] = mapped_column(default="")
    due_at: Mapped[datetime] = mapped_column(default=clock())
    lease_until: Mapped[datetime | None]
    size: Mapped[int] = mapped_column(default=0)  # its deliveries, of any state


class DeliveryState(StrEnum):
    """pending -> handing -> accepted | rejected | pending | uncertain; pending -> skipped."""

    PENDING = "pending"
    HANDING = "handing"  # claimed: the content may be on the wire
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    UNCERTAIN = "uncertain"  # the answer was lost; never resent by the software


FINAL = (DeliveryState.ACCEPTED, DeliveryState.REJECTED, DeliveryState.SKIPPED, DeliveryState.UNCERTAIN)

# Conditions of the partial indexes below, for rows that are open and for those that ended without being accepted.
_OPEN = "state IN ('pending', 'handing')"
_NOT_SENT = "state IN ('rejected', 'skipped', 'uncertain')"


class Delivery(Base):
    """What became of one member in one blast. `reason` says why a row is rejected, skipped or waiting.

    `caught_by` is the step of the fallback chain that chose `language`; `list_id` the list that brought
    the member in. `epoch` is that of the batch lease under which the row was last claimed. `relay` and `provider`
    name who carried the message and whose mailbox it was for (see pace.providers), once the relay has answered.
    `decided_at` is when a person let an uncertain row be as it is.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("blast_id", "member_id"),
        CheckConstraint(
            "state IN ('pending', 'handing', 'accepted', 'rejected', 'skipped', 'uncertain')", name="state"
        ),
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
        Index("ix_deliveries_member", "member_id"),
    )

    id: Mapped[Id]
    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"))
    member_id: Mapped[int] = mapped_column(BigId)
    batch_id: Mapped[int] = mapped_column(BigId, ForeignKey("batches.id", ondelete="CASCADE"))
    list_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("lists.id", ondelete="SET NULL"))
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
    return literal_column(f"deliveries.{_OPEN}")


def is_not_sent() -> ColumnElement[bool]:
    """Whether a row is final but not accepted, in the words of the index of such rows."""
    return literal_column(f"deliveries.{_NOT_SENT}")


class Heartbeat(Base):
    """A process of ours that is alive: workers and the reconciler, by their own word."""

    __tablename__ = "heartbeats"

    name: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str]
    beat_at: Mapped[datetime] = mapped_column(default=clock())
