"""Engagement: which blast an act on a public page belongs to; the page's address names an appeal, never a blast."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.preferences import preferences_of
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.recruits import Recruit
from mobilizer.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Sharer:
    """The owner of a share code: 0 and empty where nobody owns it. `blast` is the one their share belongs to.

    An owner who wants nothing counted for them is not named: their link works, and nothing is counted.
    """

    member: int = 0
    language: str = ""
    blast: int = 0


def sharer(session: Session, code: str, appeal_id: int) -> Sharer:
    """Who owns a share code, and the latest blast of the appeal that was meant for them (0: none). One that is not
    counted by member is never it: nobody is to know whom it brought whom.

    The code of a record that was merged is that of the one who stays. Who joined by a friend's link after the mails had
    gone shares in the blast that brought them.
    """
    owner = select(Member.id, Member.language)
    merged = owner.join(MergedMember, MergedMember.into_id == Member.id).where(MergedMember.share_code == code)
    row = session.execute(owner.where(Member.share_code == code)).one_or_none() or session.execute(merged).one_or_none()
    if row is None:
        return Sharer()
    blast = session.scalars(
        select(Delivery.blast_id)
        .join(Blast, is_for(Blast.id, row.id))
        .where(Blast.appeal_id == appeal_id, Blast.frozen_tracking.not_in((Tracking.OFF, Tracking.SUMS)))
        .order_by(Delivery.id.desc())
        .limit(1)
    ).first()
    named = 0 if preferences_of(session, row.id).uncounted else row.id
    return Sharer(named, row.language, blast or _brought_by(session, row.id, appeal_id))


def _brought_by(session: Session, member_id: int, appeal_id: int) -> int:
    """The blast of an appeal that brought a recruit, or 0."""
    came = select(Recruit.blast_id).join(Blast, Blast.id == Recruit.blast_id)
    return session.scalar(came.where(Recruit.member_id == member_id, Blast.appeal_id == appeal_id)) or 0
