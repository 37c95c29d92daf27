"""Audience: lists, and each member's standing on them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.codes import share_code
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.tracking import Tracking


class MemberList(Base):
    """A list that members join and leave. `code` names it in addresses that must not say which it is."""

    __tablename__ = "lists"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str] = mapped_column(default=share_code, server_default="", index=True, unique=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    open: Mapped[bool] = mapped_column(default=False, server_default=false(), doc="Whether anybody may sign up.")
    tracking: Mapped[str] = mapped_column(
        default=Tracking.PSEUDONYMOUS,
        server_default=Tracking.PSEUDONYMOUS,
        doc="What is counted at most in the blasts that go to it.",
    )
    discreet: Mapped[bool] = mapped_column(
        default=False, server_default=false(), doc="Whether its mails and their pages hide what they are about."
    )
    created_at: Mapped[datetime] = mapped_column(default=clock())


class Standing(StrEnum):
    """A member's standing on a list; only `confirmed` is mailed."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    UNSUBSCRIBED = "unsubscribed"


class Subscription(Base):
    """One member on one list: when they came, how, by which wording in which language, and when they left."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("standing IN ('pending', 'confirmed', 'unsubscribed')", name="standing"),
        Index("ix_subscriptions_member", "member_id", "standing"),
        Index("ix_subscriptions_list_standing", "list_id", "standing", "member_id"),
        # Its key is all that it is looked up by.
        {"sqlite_with_rowid": False},
    )

    list_id: Mapped[int] = mapped_column(BigId, ForeignKey("lists.id", ondelete="CASCADE"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    standing: Mapped[str]
    joined_at: Mapped[datetime] = mapped_column(default=clock())
    how: Mapped[str] = mapped_column(default="")
    wording: Mapped[str] = mapped_column(default="")
    wording_language: Mapped[str] = mapped_column(default="", server_default="")
    changed_at: Mapped[datetime] = mapped_column(default=clock())
