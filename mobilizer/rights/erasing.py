"""Rights: erasing a member. What names them goes; what is left are numbers of a blast, and a fingerprint."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember, numbers_of, who_stays
from mobilizer.audience.sign_ups import SignUp
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.drawn import forget
from mobilizer.delivery.ledger import Delivery, numbered
from mobilizer.engagement.acts import keep_sums_of
from mobilizer.engagement.events import Event
from mobilizer.keys import Keyring


def erase(session: Session, member_id: int) -> bool:
    """Erase the member that a number leads to, for good; False if there is none.

    Gone are their record and those merged into it, their lists and consents, and everything they did. The keyed
    fingerprints of their addresses stay among the suppressed, so that no import brings them back unasked; past blasts
    keep their sums; a delivery keeps its state and loses the relay's words. Mails that still wait are skipped:
    `claims.claim` asks at the last moment. Their number is never given again, so links in old mails lead to nobody.
    """
    member = _locked(session, member_id)
    if member is None:
        return False
    member_id = member.id
    merged = select(MergedMember.address_key).where(MergedMember.into_id == member_id)
    for address_key in (member.address_key, *session.scalars(merged)):
        suppress(session, address_key, SuppressedFor.ERASED)
        session.execute(delete(SignUp).where(SignUp.address_key == address_key))
        # What else was known of the address (it bounced, they complained) is theirs too.
        session.execute(
            update(Suppression).where(Suppression.address_key == address_key).values(reason=SuppressedFor.ERASED)
        )
    keep_sums_of(session, member_id)
    session.execute(delete(Event).where(Event.member_id == member_id))
    for number in numbers_of(session, member_id):
        session.execute(update(Delivery).where(Delivery.id.in_(select(numbered(Blast.id, number)))).values(reply=""))
    forget(session, member_id)
    session.delete(member)
    session.flush()
    return True


def is_address_of(session: Session, keyring: Keyring, member_id: int, address: str) -> bool:
    """Whether a normalised address is that of a member, or of a record merged into theirs."""
    key = keyring.address_key(address)
    own = select(Member.id).where(Member.id == member_id, Member.address_key == key)
    merged = select(MergedMember.into_id).where(MergedMember.into_id == member_id, MergedMember.address_key == key)
    return session.scalar(own.union_all(merged).limit(1)) is not None


def _locked(session: Session, number: int) -> Member | None:
    """The member that a number leads to, once nobody merges them any more, and as they are then."""
    own = session.get(Member, number, with_for_update=True, populate_existing=True)
    return own or session.get(Member, who_stays(session, number), with_for_update=True, populate_existing=True)
