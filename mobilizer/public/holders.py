"""Public: the holder of a mail's token. Who they are to a page: a member, their blast, and the language to speak."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.merged import who_stays
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.http import installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.public.tongues import MEMBER, asked_language, browser_language, first_of


@dataclass(frozen=True, slots=True)
class Holder:
    """`member` is None for a proof and for a member who is gone; `blast` is 0 when the blast is gone.

    `mailed_in` is the language of the mail that carried the token, or empty.
    """

    member: Member | None
    blast: int
    mailed_in: str

    @property
    def language(self) -> str:
        """The page's language: asked for in the address, else the member's, else the mail's, else the browser's."""
        if asked := asked_language():
            return asked
        own = [self.member.language, self.member.second_language] if self.member else []
        return first_of([*own, self.mailed_in], MEMBER) or browser_language(MEMBER)


def ticket_of(purpose: Purpose, token: str) -> Ticket | None:
    """The ticket of a token that was signed for this purpose."""
    return installation().keyring.read_token(purpose, token)


def followed(session: Session, ticket: Ticket, *, lock: bool = False) -> Ticket:
    """The ticket of who it is for today: of a record that was merged, the member who stays (see merged.who_stays)."""
    return replace(ticket, member=who_stays(session, ticket.member, lock=lock)) if ticket.member else ticket


def holder_of(session: Session, ticket: Ticket) -> Holder:
    """Who holds a ticket. Works for a member or a blast that has been deleted."""
    member = session.get(Member, ticket.member)
    blast = session.scalars(select(Blast.id).where(Blast.id == ticket.blast)).one_or_none()
    mailed_in = session.scalars(select(Delivery.language).where(is_for(ticket.blast, ticket.member))).one_or_none()
    return Holder(member, blast or 0, mailed_in or "")
