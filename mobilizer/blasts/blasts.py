"""Blasts: the blast, the lists it goes to, and what is frozen of it at launch."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.variants import FIRST
from mobilizer.audience.lists import MemberList
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.problems import Problem, read_problem
from mobilizer.tracking import Tracking

EVERYBODY = 2**32  # above the number of any member


class BlastState(StrEnum):
    """Where a blast stands; lifecycle.py has the one table of legal moves."""

    DRAFT = "draft"
    READY = "ready"
    ASKED = "asked"  # launched by one person, waits for a second one
    SCHEDULED = "scheduled"
    LEAVING = "leaving"  # launched; until scheduled_at it can be undone
    LAUNCHING = "launching"
    SENDING = "sending"
    PAUSED = "paused"  # by a person
    HELD = "held"  # by the software; hold_reason says why
    SENT = "sent"
    CANCELLED = "cancelled"


# Nobody has launched it, or nobody else has yet: its words are still as they are now.
UNFROZEN = (BlastState.DRAFT, BlastState.READY, BlastState.ASKED)


class Blast(Base):
    """One sending of an appeal to lists, minus exclusions: every member gets exactly one mail.

    While the blast is launching, `frozen_up_to` is the last member id the audience was frozen for; then EVERYBODY.
    `chain` is its fallback chain of language tags, ended by `default_language`; `narrowing` says who of its lists
    gets it (narrowing.py), and is empty if everyone does. `fallbacks` is what languages fell back to when its words
    were frozen (fallbacks.py).
    """

    __tablename__ = "blasts"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'ready', 'asked', 'scheduled', 'leaving', 'launching', 'sending', 'paused', 'held',"
            " 'sent', 'cancelled')",
            name="state",
        ),
    )

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    appeal_id: Mapped[int] = mapped_column(BigId, ForeignKey("appeals.id"), index=True)
    state: Mapped[str] = mapped_column(default=BlastState.DRAFT, index=True)
    revision: Mapped[int] = mapped_column(default=1)
    default_language: Mapped[str]
    chain: Mapped[list[Any]] = mapped_column(default=list)
    narrowing: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fallbacks: Mapped[dict[str, Any]] = mapped_column(default=dict)
    waits: Mapped[list[Any]] = mapped_column(
        default=list, doc="Languages whose people wait until it is approved, in place of falling back."
    )
    tracking: Mapped[str] = mapped_column(
        default=Tracking.PSEUDONYMOUS, server_default=Tracking.PSEUDONYMOUS, doc="What it wants counted: see modes.py."
    )
    discreet: Mapped[bool] = mapped_column(default=False, server_default=false())
    frozen_tracking: Mapped[str] = mapped_column(
        default="", server_default="", doc="What is counted in it, once its words are frozen."
    )
    frozen_discreet: Mapped[bool] = mapped_column(default=False, server_default=false())
    departure: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="How it leaves: see departure.py.")
    scheduled_at: Mapped[datetime | None] = mapped_column(doc="When it leaves: launched, or by the clock.")
    asked_by_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("users.id", ondelete="SET NULL"), doc="Who asked a second person to launch it."
    )
    launched_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None] = mapped_column(doc="When it last went on after a pause or a hold.")
    finished_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None] = mapped_column(doc="When the first acts in it were forgotten.")
    frozen_up_to: Mapped[int] = mapped_column(BigId, default=0)
    hold_reason: Mapped[str] = mapped_column(default="", doc="A problem, as problems.write_problem writes it.")
    retry_at: Mapped[datetime | None]
    troubles: Mapped[int] = mapped_column(default=0, doc="Relay troubles in a row.")
    created_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock())

    appeal: Mapped[Appeal] = relationship()
    targets: Mapped[list[BlastList]] = relationship(cascade="all, delete-orphan")

    @property
    def held_for(self) -> Problem | None:
        """Why the software holds the blast, or held its schedule."""
        return read_problem(self.hold_reason)


class BlastList(Base):
    """A list that a blast goes to (`included`) or stays away from."""

    __tablename__ = "blast_lists"

    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"), primary_key=True)
    list_id: Mapped[int] = mapped_column(BigId, ForeignKey("lists.id"), primary_key=True)
    included: Mapped[bool] = mapped_column(default=True)

    list: Mapped[MemberList] = relationship()


class Rendition(Base):
    """The appeal compiled for one language and variant, frozen for a blast: what message.compile made, as JSON text.

    `untracked` is the same for members who turned tracking off; empty where `compiled` is for them too.
    """

    __tablename__ = "renditions"

    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True, default=FIRST)
    content_hash: Mapped[str]
    compiled: Mapped[str]
    untracked: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(default=clock())


class Link(Base):
    """The n-th link of a blast. A click names n only, so nobody can make it point elsewhere.

    `kind` is 'url' (then `url` is where it goes), 'watch' or 'share': our own pages, made per member.
    """

    __tablename__ = "links"
    __table_args__ = (CheckConstraint("kind IN ('url', 'watch', 'share')", name="kind"),)

    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    url: Mapped[str] = mapped_column(default="")
