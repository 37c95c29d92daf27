"""Segments: the segment, rules that are saved by a name; and how many people fit, language by language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience import headcounts
from mobilizer.audience.mailable import mailable, mailable_as_counted
from mobilizer.audience.members import Member
from mobilizer.db import Base, BigId, Id, clock, joined_in_order
from mobilizer.segments.tree import All, disjoint, drawings

MOST_PIECES = 4  # that a count is made in; beyond it one look at everybody costs less


class Segment(Base):
    """A saved audience. `rules` is what tree.read_rules reads: who fits them is looked up anew each time."""

    __tablename__ = "segments"
    # A blast names a segment by number: that of one which is gone is never given again.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    rules: Mapped[list[Any]]
    created_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock())
    changed_at: Mapped[datetime] = mapped_column(default=clock())


def count(session: Session, rules: All, now: datetime) -> list[tuple[str, int]]:
    """(language, people), most first, of those who fit and can be mailed: confirmed on a list and not suppressed.

    Who of the members counted ahead can be mailed is as of audience.headcounts.as_of.
    """
    up_to = headcounts.counted_up_to(session)
    people = Counter(_counted(session, rules.where(now), Member.id >= up_to, mailable()))
    if up_to:
        with joined_in_order(session):
            for each in _taken_apart(session, rules, now):
                people.update(_counted(session, each.where(now), Member.id < up_to, mailable_as_counted()))
    return sorted(people.items(), key=lambda one: (-one[1], one[0]))


def _counted(session: Session, *conditions: ColumnElement[bool]) -> dict[str, int]:
    rows = session.execute(select(Member.language, func.count()).where(*conditions).group_by(Member.language))
    return {language: number for language, number in rows}  # noqa: C416 - rows, not pairs


def _taken_apart(session: Session, rules: All, now: datetime) -> Sequence[All]:
    """Rules to count one after the other: together they find whom `rules` finds, each of them once."""
    if session.get_bind().dialect.name != "postgresql" or any(drawings(rules, now)):
        return (rules,)
    apart = tuple(islice(disjoint(rules), MOST_PIECES + 1))
    return apart if len(apart) <= MOST_PIECES else (rules,)
