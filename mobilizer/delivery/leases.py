"""Delivery: leases. A batch belongs to one owner for a while; every lease has a higher epoch than the one before."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import FIRST
from mobilizer.blasts.blasts import Blast, BlastState, Rendition
from mobilizer.db import clock, reached
from mobilizer.delivery.ledger import (
    LONGEST_WAIT,
    Batch,
    BatchState,
    Delivery,
    DeliveryState,
    LeaseRecord,
    is_not_sent,
    is_open,
)

LEASE_SECONDS = 120.0  # if nothing else is set
LONGEST_LEASE = 3600.0  # that can be set
WORKER_LOST = "worker_lost"  # the reason of a row whose answer was lost with its owner

log = structlog.get_logger()


Words = tuple[int, str, str]  # the key of a rendition


@dataclass(frozen=True, slots=True)
class Due:
    """A batch that can be leased now."""

    id: int
    blast: int
    language: str
    variant: str

    @property
    def rendition(self) -> Words:
        """What its messages are made of."""
        return self.blast, self.language, self.variant


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work one batch: void as soon as the batch has a higher epoch."""

    batch: int
    blast: int
    language: str
    epoch: int
    variant: str = FIRST

    @property
    def rendition(self) -> Words:
        """What its messages are made of: the key of their rendition."""
        return self.blast, self.language, self.variant


def leasable() -> ColumnElement[bool]:
    """Whether a batch can be leased now: its blast is sending, and it is due or its owner's time is over."""
    sending = select(Blast.id).where(Blast.id == Batch.blast_id, Blast.state == BlastState.SENDING).exists()
    due = and_(Batch.state == BatchState.OPEN, reached(Batch.due_at, LONGEST_WAIT))
    return and_(sending, or_(due, overdue()))


def overdue() -> ColumnElement[bool]:
    """Whether a batch is leased to someone whose time is over."""
    return and_(Batch.state == BatchState.LEASED, reached(Batch.lease_until, LONGEST_LEASE))


def open_rows(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    """The conditions of the lease's rows that are not final."""
    return (Delivery.blast_id == lease.blast, Delivery.batch_id == lease.batch, is_open())


def take(session: Session, batch_id: int, owner: str, seconds: float = LEASE_SECONDS) -> Lease | None:
    """Lease a batch of a sending blast, and sweep what an earlier owner left behind. None if it can't be had: also
    where somebody has its row locked, who may be cut off, for whoever asks has others' answers to write down."""
    free = select(Batch.id).where(Batch.id == batch_id, leasable()).with_for_update(skip_locked=True)
    row = session.execute(
        update(Batch)
        .where(Batch.id == free.scalar_subquery())
        .values(state=BatchState.LEASED, epoch=Batch.epoch + 1, owner=owner, lease_until=clock(seconds))
        .execution_options(synchronize_session=False)
        .returning(Batch.id, Batch.blast_id, Batch.language, Batch.epoch, Batch.variant)
    ).one_or_none()
    if row is None:
        return None
    lease = Lease(*row)
    session.execute(insert(LeaseRecord).values(batch_id=lease.batch, epoch=lease.epoch, owner=owner))
    if lease.epoch > 1:  # else there was no earlier owner
        sweep(session, lease)
    return lease


def sweep(session: Session, lease: Lease) -> int:
    """Rows that an earlier epoch had in hand become uncertain, never pending: their content may have arrived."""
    swept = session.execute(
        update(Delivery)
        .where(
            *open_rows(lease),
            Delivery.state == DeliveryState.HANDING,
            Delivery.epoch < lease.epoch,
        )
        .values(state=DeliveryState.UNCERTAIN, reason=WORKER_LOST, settled_at=clock())
        .execution_options(synchronize_session=False)
        .returning(Delivery.id)
    ).all()
    if swept:
        log.warning("swept", blast=lease.blast, batch=lease.batch, epoch=lease.epoch, uncertain=len(swept))
    return len(swept)


def forget(session: Session, seconds: float, most: int) -> int:
    """Forget who took which batch longer than `seconds` ago, `most` of it at once; not where an answer was lost, or may
    be, in their hands. Returns how much went."""
    theirs = (
        Delivery.blast_id == Batch.blast_id,
        Delivery.batch_id == LeaseRecord.batch_id,
        Delivery.epoch == LeaseRecord.epoch,
    )
    lost = exists().where(*theirs, is_not_sent(), Delivery.state == DeliveryState.UNCERTAIN)
    in_hand = exists().where(*theirs, is_open(), Delivery.state == DeliveryState.HANDING)
    which = (LeaseRecord.batch_id, LeaseRecord.epoch)
    old = select(*which).join(Batch).where(LeaseRecord.taken_at < clock(-seconds), ~lost, ~in_hand).limit(most)
    gone = delete(LeaseRecord).where(tuple_(*which).in_(old)).returning(LeaseRecord.batch_id)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def renew(session: Session, lease: Lease, seconds: float = LEASE_SECONDS) -> bool:
    """Keep the lease for another while. False if another owner has it, or its blast is sending no more."""
    sending = select(Blast.id).where(Blast.id == lease.blast, Blast.state == BlastState.SENDING).exists()
    return _update_mine(session, lease, sending, lease_until=clock(seconds))


def has_open_rows(session: Session, lease: Lease) -> bool:
    """Whether anything of the batch is not final."""
    return bool(session.scalar(select(select(Delivery.id).where(*open_rows(lease)).exists())))


def give_back(session: Session, lease: Lease, delay_seconds: float = 0) -> bool:
    """End the lease: the batch is done if no row is open, else open again when its first row is due."""
    # Counted while nobody else can put rows of the batch back: a done batch is never looked at again.
    session.execute(select(Batch.id).where(Batch.id == lease.batch).with_for_update())
    count, waiting, soonest = session.execute(
        select(
            func.count(),
            func.count(Delivery.next_at),
            func.min(Delivery.next_at),
        ).where(*open_rows(lease))
    ).one()
    if not count:
        return _update_mine(session, lease, state=BatchState.DONE, lease_until=None)
    later = soonest if waiting == count and not delay_seconds else clock(delay_seconds)
    return _update_mine(session, lease, state=BatchState.OPEN, due_at=later, lease_until=None)


def next_of_each(session: Session) -> list[Due]:
    """Of each sending blast's each rendition, the open batch that has been due longest."""
    renditions = session.execute(
        select(Rendition.blast_id, Rendition.language, Rendition.variant)
        .join(Blast, Blast.id == Rendition.blast_id)
        .where(Blast.state == BlastState.SENDING)
    )
    found = [session.execute(_first_of(*words)).one_or_none() for words in renditions.all()]
    return [Due(*row) for row in found if row is not None]


def _first_of(blast: int, language: str, variant: str) -> Select[int, int, str, str]:
    return (
        select(Batch.id, Batch.blast_id, Batch.language, Batch.variant)
        .where(
            Batch.blast_id == blast,
            Batch.state == BatchState.OPEN,
            Batch.language == language,
            Batch.variant == variant,
            reached(Batch.due_at, LONGEST_WAIT),
        )
        .order_by(Batch.due_at, Batch.id)
        .limit(1)
    )


def _update_mine(session: Session, lease: Lease, *where: ColumnElement[bool], **values: object) -> bool:
    mine = session.execute(
        update(Batch)
        .where(Batch.id == lease.batch, Batch.epoch == lease.epoch, Batch.state == BatchState.LEASED, *where)
        .values(**values)
        .execution_options(synchronize_session=False)
        .returning(Batch.id)
    ).all()
    return bool(mine)
