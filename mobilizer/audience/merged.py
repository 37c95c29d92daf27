"""Audience: records that were merged. Their numbers, share codes and addresses lead to the one who stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.members import Identity, Member, open_identity
from mobilizer.codes import share_code
from mobilizer.db import Base, BigId, Prepared, clock, keys, one_of_keys
from mobilizer.keys import Keyring

SLICE = 500  # a statement may carry only so many parameters


class MergedMember(Base):
    """What is left of a record that was merged into the member `into_id`; it is gone when they are.

    `number` was the record's own: mails name it for ever. `dropped` are the consents that gave way to others of the one
    who stays: list, standing, joined_at, how, wording, wording_language, changed_at of each (moments in ISO 8601).
    """

    __tablename__ = "merged_members"

    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    into_id: Mapped[int] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), index=True)
    address_key: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]
    share_code: Mapped[str] = mapped_column(unique=True)
    dropped: Mapped[list[Any]] = mapped_column(default=list)
    merged_at: Mapped[datetime] = mapped_column(default=clock())


@dataclass(frozen=True, slots=True)
class Former:
    """A record that a member had beside their own, until it was merged into it."""

    number: int
    identity: Identity
    share_code: str
    merged_at: datetime
    dropped: tuple[dict[str, Any], ...]


_AMONG = Prepared(
    select(MergedMember.address_key, Member.address_key)
    .join(Member, Member.id == MergedMember.into_id)
    .where(one_of_keys(MergedMember.address_key, "keys")),
    "keys",
)


def who_stays(session: Session, number: int, *, lock: bool = False) -> int:
    """The number of the member that a number leads to: its own, or that of the one it was merged into. Of nobody's
    number, itself.

    With `lock`, in a session that writes, they stay who they are until its end: a merge under way is waited for.
    """
    own = select(Member.id).where(Member.id == number)
    if session.scalar(own.with_for_update(read=True, key_share=True) if lock else own) is not None:
        return number
    return stayed(session, [number]).get(number, number)


def stayed(session: Session, numbers: Iterable[int]) -> dict[int, int]:
    """Those of some numbers whose record was merged: number -> the number of the one who stays."""
    wanted = sorted(set(numbers))
    found: dict[int, int] = {}
    for start in range(0, len(wanted), SLICE):
        some = MergedMember.number.in_(wanted[start : start + SLICE])
        found.update(session.execute(select(MergedMember.number, MergedMember.into_id).where(some)).all())
    return found


def numbers_of(session: Session, member_id: int) -> list[int]:
    """Every number that leads to a member, their own first."""
    merged = select(MergedMember.number).where(MergedMember.into_id == member_id).order_by(MergedMember.number)
    return [member_id, *session.scalars(merged)]


def formers_of(session: Session, keyring: Keyring, member_id: int) -> list[Former]:
    """The records that were merged into a member's, in the order they were. Raises keys.BadSeal."""
    rows = select(MergedMember).where(MergedMember.into_id == member_id)
    return [
        Former(
            row.number,
            open_identity(keyring, row.sealed, row.address_key),
            row.share_code,
            row.merged_at,
            tuple(row.dropped),
        )
        for row in session.scalars(rows.order_by(MergedMember.merged_at, MergedMember.number))
    ]


def merged_among(session: Session, address_keys: Collection[bytes]) -> dict[bytes, bytes]:
    """Those of some addresses whose record was merged into another, each with the address of the one who stays; all by
    their keys."""
    connection = session.connection()
    rows = _AMONG.run(connection, (keys(connection, address_keys),))
    return {bytes(key): bytes(stays) for key, stays in rows}


def renew_share_codes(session: Session, member: Member) -> None:
    """Give a member a new share code: the old one, and those of records that were merged with theirs, are nobody's."""
    member.share_code = share_code()
    for former in session.scalars(select(MergedMember).where(MergedMember.into_id == member.id)):
        former.share_code = share_code()
    session.flush()
