"""Rights: what of the story holds a member's record, so that it does not go with the import that brought them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import InstrumentedAttribute

from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, numbered
from mobilizer.engagement.events import Event


def held(member: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether a member has a mail in some blast, or has done something, or somebody came by their share link."""
    return (
        exists().where(Delivery.id == numbered(Blast.id, member))
        | exists().where(Event.member_id == member)
        | exists().where(Event.via_id == member)
    )
