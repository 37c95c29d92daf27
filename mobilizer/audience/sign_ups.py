"""Audience: the sign-up, somebody's wish to join a list that waits for their own confirmation. No member yet."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.audience.members import Identity, open_identity
from mobilizer.db import Base, BigId, Id, clock
from mobilizer.keys import Keyring


class SignUp(Base):
    """An address that somebody typed into a list's form, with the exact wording they agreed to and its language.

    `next_at` is when its letter (to confirm, later to welcome) is tried; None while a worker has it in hand, and once
    it went. When it is confirmed, who they are lies with the member and `sealed` is empty. It is so, too, where the
    mailbox had its letters already and none goes.
    """

    __tablename__ = "sign_ups"
    # Links name a sign-up by number: that of one that is gone is never given again.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[Id]
    list_id: Mapped[int] = mapped_column(BigId, ForeignKey("lists.id", ondelete="CASCADE"))
    address_key: Mapped[bytes] = mapped_column(index=True)
    sealed: Mapped[bytes | None]
    language: Mapped[str]
    wording: Mapped[str]
    wording_language: Mapped[str]
    via_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="SET NULL"))
    blast_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="SET NULL"))
    channel: Mapped[str] = mapped_column(default="", server_default="")
    asked_at: Mapped[datetime] = mapped_column(default=clock(), index=True)
    confirmed_at: Mapped[datetime | None]
    member_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="CASCADE"), index=True)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(default=clock(), index=True)

    def identity(self, keyring: Keyring) -> Identity:
        """Who signed up, until they confirm. Raises keys.BadSeal."""
        return open_identity(keyring, self.sealed or b"", self.address_key)


class AskedAddress(Base):
    """How often a mailbox was asked to confirm, and when last: whoever types it in, its owner is not pestered."""

    __tablename__ = "asked_addresses"

    address_key: Mapped[bytes] = mapped_column(primary_key=True)
    letters: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(default=clock())
