"""Engagement: the event, one thing that someone did with a mail or a page."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, BigId, Id, clock

RECORD_ASKED = "record"  # the channel of a PREFERENCES event: a member asked for all we know of them
# The channels of a WATCH event: pressed play, and so many hundredths of the film were really played.
POINTS = ("start", "25", "50", "75", "95")
# "I watched it" was pressed: in a viewing that has told its start, and in one of which it is all that is known.
BUTTON, WORD = "button", "word"
# Seen to its end: the last of those, or the word of who watched it.
SEEN = ("95", BUTTON, WORD)


_STEPPED = text("step IS NOT NULL")


class EventKind(StrEnum):
    """What happened."""

    OPEN = "open"
    CLICK = "click"
    VISIT = "visit"  # of the watch page
    WATCH = "watch"
    SHARE = "share"
    JOIN = "join"
    UNSUBSCRIBE = "unsubscribe"
    RESUBSCRIBE = "resubscribe"
    PREFERENCES = "preferences"


class Event(Base):
    """One thing that someone did. No IP, no user agent: only its class, `agent`; `machine` is the verdict of the rules.

    `member_id` is who did it, if known; `via_id` the member whose share link brought the visitor, and `step` how many
    steps from the mail the visitor stood then: 1 for friends of those who had it, 2 for friends of these. What a
    crowd did in one moment is one event with its `times`.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('open', 'click', 'visit', 'watch', 'share', 'join', 'unsubscribe', 'resubscribe', 'preferences')",
            name="kind",
        ),
        Index("ix_events_blast_kind", "blast_id", "kind", "member_id"),
        Index("ix_events_member", "member_id"),
        Index("ix_events_via", "via_id", "kind", "at"),
        # All that a share tree asks of events, without reading the rows.
        Index(
            "ix_events_step",
            *("blast_id", "step", "kind", "machine", "channel", "times"),
            sqlite_where=_STEPPED,
            postgresql_where=_STEPPED,
        ),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock())
    times: Mapped[int] = mapped_column(default=1)
    blast_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"))
    member_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="SET NULL"))
    via_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="SET NULL"))
    step: Mapped[int | None]
    link_n: Mapped[int | None]
    language: Mapped[str] = mapped_column(default="")
    channel: Mapped[str] = mapped_column(default="")
    agent: Mapped[str] = mapped_column(
        default="", doc="Class of the program that asked (agents.py), never what it said of itself; empty: a browser."
    )
    machine: Mapped[str] = mapped_column(default="", doc="Name of the rule that says a machine did it, or empty.")


# One viewing sends a signal at each of its POINTS: the start stands for it, or the word where there was no start.
ONCE_A_VIEWING = (Event.kind != EventKind.WATCH) | Event.channel.in_(("start", WORD, ""))
# How many acts events stand for.
ACTS = func.coalesce(func.sum(Event.times), 0)
