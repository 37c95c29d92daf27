"""Rights: requests. Who asked for their record and is still to get the mail with the link; tried for a day."""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import ForeignKey, delete, false, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.db import Base, BigId, clock
from mobilizer.delivery.letters import HOUR_SECONDS, wait_seconds

GIVEN_UP_SECONDS = 24 * HOUR_SECONDS

log = structlog.get_logger()


class RecordRequest(Base):
    """A member asked for their record, and the mail with the link has not gone yet. `next_at` is when it is tried; None
    while a worker has it in hand. Where that worker dies the mail may have gone: it is not sent a second time.
    `discreet` is what was asked for where nothing says whose it is: the mail does not either."""

    __tablename__ = "record_requests"

    member_id: Mapped[int] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=clock(), index=True)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(default=clock(), index=True)
    discreet: Mapped[bool] = mapped_column(default=False, server_default=false())


def ask(session: Session, member_id: int, *, discreet: bool = False) -> None:
    """Note that a member asked, in place of what they asked before."""
    settle(session, member_id)
    session.add(RecordRequest(member_id=member_id, discreet=discreet))
    session.flush()


def due(session: Session, limit: int) -> list[int]:
    """Members whose mail can go now, who waits longest first."""
    asked = select(RecordRequest.member_id).where(RecordRequest.next_at <= clock())
    return list(session.scalars(asked.order_by(RecordRequest.next_at).limit(limit)))


def take(session: Session, member_id: int) -> bool:
    """Take a request in hand, if it is due and nobody else has it."""
    taken = (
        update(RecordRequest)
        .where(RecordRequest.member_id == member_id, RecordRequest.next_at <= clock())
        .values(tries=RecordRequest.tries + 1, next_at=None)
        .execution_options(synchronize_session=False)
        .returning(RecordRequest.member_id)
    )
    return session.scalar(taken) is not None


def put_back(session: Session, member_id: int) -> None:
    """The mail definitely did not go: it is tried again later, and later still each time."""
    request = session.get(RecordRequest, member_id, with_for_update=True)
    if request is not None:
        request.next_at = clock(wait_seconds(request.tries))


def settle(session: Session, member_id: int) -> None:
    """Nothing is left to be done."""
    session.execute(delete(RecordRequest).where(RecordRequest.member_id == member_id))


def give_up(session: Session) -> int:
    """Forget the requests of a day ago; how many. They can ask again."""
    late = delete(RecordRequest).where(RecordRequest.asked_at < clock(-GIVEN_UP_SECONDS))
    members = session.scalars(late.returning(RecordRequest.member_id)).all()
    for member in members:
        log.warning("record_link_given_up", member=member)
    return len(members)
