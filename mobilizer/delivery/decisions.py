"""Delivery: decisions. The only way back for a row that is final or waits: a person says so, and it is counted.

Rows are changed first, then their batches are locked and opened, so that whoever ends a lease at the same moment
either has done it before, or counts the rows as open.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery.causes import Cause, Kind, rows_of
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState, is_not_sent

# Where rows may be put back: whatever is frozen and not over for good.
GOES_ON = (BlastState.SENDING, BlastState.PAUSED, BlastState.HELD, BlastState.SENT)
STANDS_STILL = (BlastState.PAUSED, BlastState.HELD)  # there they go when the blast goes on
BATCHES_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Which:
    """Which of a blast's undecided messages: all, those of a reason, or one."""

    reason: str | None = None
    delivery: int | None = None


def undecided_rows(blast_id: int, which: Which) -> ColumnElement[bool]:
    """Whether a row is uncertain and nobody has decided about it."""
    conditions = [
        Delivery.blast_id == blast_id,
        is_not_sent(),
        Delivery.state == DeliveryState.UNCERTAIN,
        Delivery.decided_at.is_(None),
    ]
    if which.reason is not None:
        conditions.append(Delivery.reason == which.reason)
    if which.delivery is not None:
        conditions.append(Delivery.id == which.delivery)
    return and_(*conditions)


def count(session: Session, blast_id: int, which: Which) -> int:
    """How many messages a decision would be about."""
    return session.scalar(select(func.count()).select_from(Delivery).where(undecided_rows(blast_id, which))) or 0


def leave(session: Session, blast_id: int, which: Which) -> int:
    """Let uncertain messages be as they are: they stay uncertain and are asked about no more. How many."""
    _lock(session, blast_id)
    return len(_change(session, undecided_rows(blast_id, which), decided_at=clock()))


def resend(session: Session, blast_id: int, which: Which) -> int:
    """Send uncertain messages once more, by a person's decision: who got the first one gets it twice. How many."""
    return _put_back(session, blast_id, undecided_rows(blast_id, which), reason="resent")


def retry(session: Session, blast_id: int, cause: Cause) -> int:
    """Try now what waits for its next try, or once more what was refused (but for no such address). How many.

    Nobody can get it twice: the answer to each was a definite no. Who has left or is suppressed since is skipped.
    """
    if cause.kind == Kind.DEFERRED:
        return _put_back(session, blast_id, rows_of(blast_id, cause))
    return _put_back(session, blast_id, rows_of(blast_id, cause), reason="retried", tries=0)


def _put_back(session: Session, blast_id: int, rows: ColumnElement[bool], **values: object) -> int:
    """Make rows pending and due, their batches open, and a blast that was sent send again, in one transaction."""
    if _lock(session, blast_id) not in GOES_ON:
        return 0
    put = _change(session, rows, state=DeliveryState.PENDING, next_at=None, settled_at=None, decided_at=None, **values)
    _open(session, set(put))
    if put:
        lifecycle.reopen(session, blast_id)
    return len(put)


def _lock(session: Session, blast_id: int) -> str | None:
    """Keep the blast as it is until the end of the transaction: one decision at a time, and nobody declares it sent."""
    return session.scalar(select(Blast.state).where(Blast.id == blast_id).with_for_update())


def _change(session: Session, rows: ColumnElement[bool], **values: object) -> list[int]:
    """Change rows and give the batch of each; one whose late answer is just being written down is left alone."""
    mine = select(Delivery.id).where(rows).with_for_update(skip_locked=True)
    changed = session.scalars(
        update(Delivery)
        .where(Delivery.id.in_(mine))
        .values(**values)
        .execution_options(synchronize_session=False)
        .returning(Delivery.batch_id)
    ).all()
    session.expire_all()
    return list(changed)


def _open(session: Session, batch_ids: Collection[int]) -> None:
    """Make batches due, also those that were done. A leased one opens when its owner gives it back."""
    ordered = sorted(batch_ids)
    for start in range(0, len(ordered), BATCHES_AT_ONCE):
        some = ordered[start : start + BATCHES_AT_ONCE]
        session.scalars(select(Batch.id).where(Batch.id.in_(some)).order_by(Batch.id).with_for_update()).all()
        session.execute(
            update(Batch)
            .where(Batch.id.in_(some), Batch.state != BatchState.LEASED)
            .values(state=BatchState.OPEN, due_at=clock())
            .execution_options(synchronize_session=False)
        )
