"""Delivery: who called a mail spam. Counted for a blast whose mail they have, from the day of its launch."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered


def complaints(session: Session, blast_id: int) -> dict[str, int]:
    """How many of those who have the mail have complained since it was launched, by the language that they got."""
    launched_at = select(Blast.launched_at).where(Blast.id == blast_id).scalar_subquery()
    rows = session.execute(
        select(Delivery.language, func.count())
        .select_from(Suppression)
        .join(Member, Member.address_key == Suppression.address_key)
        .join(Delivery, Delivery.id == numbered(blast_id, Member.id))
        .where(
            Suppression.reason == SuppressedFor.COMPLAINT,
            Suppression.created_at >= launched_at,
            Delivery.state == DeliveryState.ACCEPTED,
        )
        .group_by(Delivery.language)
    )
    return {language: people for language, people in rows}  # noqa: C416 - rows, not pairs
