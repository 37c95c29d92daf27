"""Delivery: the ledger, listed. Every row by state and reason, a page at a time; sums of several blasts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import FIRST
from mobilizer.audience.members import Member, open_identity
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState, of_blast
from mobilizer.delivery.progress import Tally, tallies_by_language, together
from mobilizer.keys import Keyring

PAGE = 50
HELD = "held"
WAITING = (DeliveryState.PENDING, DeliveryState.HANDING)


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery as a line of a table. `name` is None where the member has been erased since; `state` is HELD where
    their wave waits (waves.py). `variant` is the one that they get; who waits for the best one has none yet."""

    id: int
    member_id: int
    name: str | None
    language: str
    caught_by: str
    variant: str
    state: str
    reason: str
    code: int | None
    reply: str
    tries: int
    next_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Deliveries in the order in which they were frozen; `next` is the `after` of the next page, None on the last."""

    lines: tuple[DeliveryLine, ...]
    next: int | None


def tallies(session: Session, blast_ids: Sequence[int]) -> dict[int, Tally]:
    """What became of each of these blasts' people, by state."""
    return {blast_id: together(languages) for blast_id, languages in tallies_by_language(session, blast_ids).items()}


def deliveries_page(
    session: Session,
    keyring: Keyring,
    blast_id: int,
    *,
    states: Sequence[str] = (),
    reason: str | None = None,
    language: str = "",
    after: int = 0,
    size: int = PAGE,
) -> DeliveryPage:
    """A page of a blast's deliveries after the id `after`, of all states and reasons or of the given ones only."""
    asked = (
        select(Delivery, Batch, Member.sealed, Member.address_key)
        .outerjoin(Batch, Batch.id == Delivery.batch_id)
        .outerjoin(Member, Member.id == Delivery.member_id)
        .where(of_blast(blast_id, after))
        .order_by(Delivery.id)
        .limit(size + 1)
    )
    if states:
        asked = asked.where(Delivery.state.in_(states))
    if reason is not None:
        asked = asked.where(Delivery.reason == reason)
    if language:
        asked = asked.where(Delivery.language == language)
    rows = session.execute(asked).all()
    lines = tuple(_line(keyring, *row) for row in rows[:size])
    return DeliveryPage(lines, lines[-1].id if len(rows) > size else None)


def _line(
    keyring: Keyring, row: Delivery, batch: Batch | None, sealed: bytes | None, address_key: bytes | None
) -> DeliveryLine:
    name = open_identity(keyring, sealed, address_key).name if sealed and address_key else None
    held = batch is not None and batch.state == BatchState.HELD
    return DeliveryLine(
        id=row.id,
        member_id=row.member_id,
        name=name,
        language=row.language,
        caught_by=row.caught_by,
        variant=FIRST if batch is None or held else batch.variant,
        state=HELD if row.state == DeliveryState.PENDING and held else row.state,
        reason=row.reason,
        code=row.code,
        reply=row.reply,
        tries=row.tries,
        next_at=row.next_at,
        settled_at=row.settled_at,
    )
