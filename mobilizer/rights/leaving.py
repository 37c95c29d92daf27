"""Rights: leaving by mail. Who writes to the address in List-Unsubscribe is off everything, as by the one click."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience import standing
from mobilizer.audience.members import Member
from mobilizer.audience.merged import who_stays
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.events import Event, EventKind
from mobilizer.keys import Keyring, Purpose


def leave_by(session: Session, keyring: Keyring, token: str) -> bool:
    """Take the member of an unsubscribe token off every list; False where it is none of ours.

    Said twice, or by somebody who is gone, it changes nothing; it works for ever, whatever became of blast and key.
    """
    ticket = keyring.read_token(Purpose.UNSUBSCRIBE, token)
    if ticket is None:
        return False
    number = who_stays(session, ticket.member, lock=True)
    if standing.leave_all(session, number):
        blast = session.scalar(select(Blast.id).where(Blast.id == ticket.blast))
        language = session.get_one(Member, number).language
        session.add(Event(kind=EventKind.UNSUBSCRIBE, member_id=number, blast_id=blast, language=language))
    return True
