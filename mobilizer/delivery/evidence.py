"""Delivery: evidence. What is known of each uncertain message, for a person who must decide about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, and_, func, select
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import FIRST
from mobilizer.audience.members import Member, open_identity
from mobilizer.delivery.decisions import Which, undecided_rows
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState, LeaseRecord, is_not_sent
from mobilizer.installation import Installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.message.headers import wire_domain

PAGE = 50


@dataclass(frozen=True, slots=True)
class Evidence:
    """One uncertain message, and the `variant` that it was. `message_id` is what the relay's log has of it; `relay` and
    `worker` are who had it when its answer was lost, `said` what the system or the relay said then; `name` is None
    where the member has been erased, and empty where it was not asked for."""

    id: int
    member_id: int
    name: str | None
    language: str
    variant: str
    found_at: datetime | None
    relay: str | None
    reason: str
    said: str
    message_id: str
    batch: int
    lease: int
    worker: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """Evidence in the order in which the audience was frozen; `next` is the `after` of the next page."""

    lines: tuple[Evidence, ...]
    next: int | None


def undecided_page(
    session: Session, here: Installation, blast_id: int, which: Which, *, names: bool, after: int = 0, size: int = PAGE
) -> EvidencePage:
    """A page of the messages that wait for a decision, with or without the members' names."""
    asked = select(Delivery.id).where(undecided_rows(blast_id, which), Delivery.id > after)
    ids = session.scalars(asked.order_by(Delivery.id).limit(size + 1)).all()
    return EvidencePage(_evidence(session, here, ids[:size], names), ids[size - 1] if len(ids) > size else None)


def decided_count(session: Session, blast_id: int) -> int:
    """How many uncertain messages a person has let be as they are."""
    return session.scalar(
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.blast_id == blast_id,
            is_not_sent(),
            Delivery.state == DeliveryState.UNCERTAIN,
            Delivery.decided_at.is_not(None),
        )
    ) or 0  # fmt: skip


def reasons(session: Session, blast_id: int) -> Counter[str]:
    """The reasons of the undecided messages."""
    rows = session.execute(
        select(Delivery.reason, func.count()).where(undecided_rows(blast_id, Which())).group_by(Delivery.reason)
    )
    return Counter({row[0]: row[1] for row in rows})


def _evidence(session: Session, here: Installation, deliveries: Collection[int], names: bool) -> tuple[Evidence, ...]:
    rows = session.execute(
        select(Delivery, LeaseRecord.owner, Member.sealed, Member.address_key, Batch.variant)
        .outerjoin(Batch, Batch.id == Delivery.batch_id)
        .outerjoin(LeaseRecord, and_(LeaseRecord.batch_id == Delivery.batch_id, LeaseRecord.epoch == Delivery.epoch))
        .outerjoin(Member, Member.id == Delivery.member_id)
        .where(Delivery.id.in_(deliveries))
        .order_by(Delivery.id)
    )
    return tuple(_line(here, row, names) for row in rows)


def _line(
    here: Installation, found: Row[Delivery, str | None, bytes | None, bytes | None, str], names: bool
) -> Evidence:
    row, owner, sealed, address_key, variant = found
    name = None
    if sealed and address_key:
        name = open_identity(here.keyring, sealed, address_key).name if names else ""
    token = here.keyring.token(Purpose.MESSAGE, Ticket(row.member_id, row.blast_id))
    return Evidence(
        id=row.id,
        member_id=row.member_id,
        name=name,
        language=row.language,
        variant=variant or FIRST,
        found_at=row.settled_at,
        relay=row.relay,
        reason=row.reason,
        said=row.reply,
        message_id=f"<{token}@{wire_domain(here.settings.return_domain)}>",
        batch=row.batch_id,
        lease=row.epoch,
        worker=owner or "",
        decided_at=row.decided_at,
    )
