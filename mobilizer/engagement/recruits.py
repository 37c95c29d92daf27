"""Engagement: recruits. Who joined through whose share link, in which blast and how many steps from its mail.

The step is written down as somebody joins: the tree needs no walk afterwards, and has no circles, for whoever joins
brought nobody before. It names nobody once its member is gone.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.members import Member
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.delivery.ledger import Delivery, numbered


class Recruit(Base):
    """One person who joined through a share link of a blast.

    `generation` is 1 for whoever came through somebody who had the mail itself, 2 for whoever came through those, and
    so on. `via_language` and `via_country` are of the one who brought them, as they were then.
    """

    __tablename__ = "recruits"
    __table_args__ = (
        # All that a share tree asks of recruits, without reading the rows.
        Index("ix_recruits_blast", "blast_id", "generation", "via_language", "via_country", "channel"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    member_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="SET NULL"), unique=True)
    via_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="SET NULL"), index=True)
    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"))
    generation: Mapped[int]
    via_language: Mapped[str]
    via_country: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    joined_at: Mapped[datetime] = mapped_column(default=clock())


def recruited(session: Session, member_id: int, via_id: int, blast_id: int, channel: str) -> None:
    """Write down that a new member came through another's share link of a blast. A link's owner who is gone by now
    brought nobody."""
    via = session.execute(select(Member.language, Member.country).where(Member.id == via_id)).one_or_none()
    if via is None:
        return
    before = select(Recruit.generation).where(Recruit.member_id == via_id, Recruit.blast_id == blast_id)
    session.add(
        Recruit(
            member_id=member_id,
            via_id=via_id,
            blast_id=blast_id,
            generation=(session.scalar(before) or 0) + 1,
            via_language=via.language,
            via_country=via.country or "",
            channel=channel,
        )
    )
    session.flush()


def steps_of(session: Session, pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """For some pairs of a member and a blast: how many steps from the blast's mail that member's friends stand."""
    found = dict.fromkeys(pairs, 1)
    members = sorted({member for member, _blast in pairs})
    asked = select(Recruit.member_id, Recruit.blast_id, Recruit.generation)
    for start in range(0, len(members), 500):  # a statement may carry only so many parameters
        for member, blast, generation in session.execute(
            asked.where(Recruit.member_id.in_(members[start : start + 500]))
        ):
            if member and (member, blast) in found:
                found[member, blast] = generation + 1
    return found


def merge_recruits(session: Session, gone: int, stays: int) -> None:
    """Let the recruits of a record that is merged be those of the one who stays; one who came twice came once.

    Who had the mail of the blast stands where it is: that they came by a share too, as somebody else, stays in the sums
    and names nobody. So nobody comes through whom they brought.
    """
    session.execute(update(Recruit).where(Recruit.via_id == gone).values(via_id=stays))
    session.execute(update(Recruit).where(Recruit.member_id == stays, Recruit.via_id == stays).values(via_id=None))
    if session.scalar(select(Recruit.id).where(Recruit.member_id == stays)) is None:
        had_it = select(Delivery.id).where(Delivery.id.in_([numbered(Recruit.blast_id, one) for one in (gone, stays)]))
        session.execute(update(Recruit).where(Recruit.member_id == gone, ~had_it.exists()).values(member_id=stays))
