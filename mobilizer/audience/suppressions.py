"""Audience: addresses that must not be mailed. Keyed by the blind index, so a suppression outlives its member."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, clock


class SuppressedFor(StrEnum):
    """Why an address is suppressed."""

    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCES = "soft_bounces"
    COMPLAINT = "complaint"
    ERASED = "erased"
    MANUAL = "manual"


class Suppression(Base):
    """One address that must not be mailed, and why."""

    __tablename__ = "suppressions"
    __table_args__ = (
        CheckConstraint("reason IN ('hard_bounce', 'soft_bounces', 'complaint', 'erased', 'manual')", name="reason"),
    )

    address_key: Mapped[bytes] = mapped_column(primary_key=True)
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock())
