"""Delivery: acceptance. When a relay took the mail of each."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered


def accepted_at(session: Session, blast_id: int, members: Collection[int]) -> dict[int, float]:
    """When a relay took the mail of each of some members, in seconds since 1970; without those whose it did not."""
    of_them: ColumnElement[bool] = Delivery.id.in_([numbered(blast_id, member) for member in members])
    asked = select(Delivery.member_id, Delivery.settled_at).where(
        of_them, Delivery.state == DeliveryState.ACCEPTED, Delivery.settled_at.is_not(None)
    )
    return {member: at.timestamp() for member, at in session.execute(asked) if at}
