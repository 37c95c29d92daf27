"""Rights: erasing a member. What names them goes; what is left are numbers of a blast, and a fingerprint."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, numbered
from mobilizer.engagement.acts import keep_sums_of
from mobilizer.engagement.events import Event


def erase(session: Session, member_id: int) -> bool:
    """Erase a member, for good; False if there is none of this number.

    Gone are their record, their lists and consents, and everything they did. The keyed fingerprint of their address
    stays among the suppressed, so that no import brings them back unasked; past blasts keep their sums; a delivery
    keeps its state and loses the relay's words. Mails that still wait are skipped: `claims.claim` asks at the last
    moment. Their number is never given again, so links in old mails lead to nobody.
    """
    member = session.get(Member, member_id, with_for_update=True)
    if member is None:
        return False
    suppress(session, member.address_key, SuppressedFor.ERASED)
    # What else was known of the address (it bounced, they complained) is theirs too.
    session.execute(
        update(Suppression).where(Suppression.address_key == member.address_key).values(reason=SuppressedFor.ERASED)
    )
    keep_sums_of(session, member_id)
    session.execute(delete(Event).where(Event.member_id == member_id))
    session.execute(update(Delivery).where(Delivery.id.in_(select(numbered(Blast.id, member_id)))).values(reply=""))
    session.delete(member)
    session.flush()
    return True
