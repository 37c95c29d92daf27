"""Audience: the member, and the identity that is sealed inside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text, true
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer.db import Base, BigId, Id, clock
from mobilizer.keys import Keyring


@dataclass(frozen=True, slots=True)
class Identity:
    """What is known of a person in clear words: a normalised address and a name, perhaps empty."""

    email: str
    name: str

    @property
    def domain(self) -> str:
        """The part of the address behind the @."""
        return self.email.rpartition("@")[2]


_RECRUITED = text("recruited_by_id IS NOT NULL")


class Member(Base):
    """A person on our lists. Address and name are one sealed value; `address_key` finds the row."""

    __tablename__ = "members"
    __table_args__ = (
        Index("ix_members_language", "language", "id"),
        # What is known of millions by their numbers is counted by language along this one, without reading the rows.
        Index("ix_members_number", "id", postgresql_include=["language"]).ddl_if(dialect="postgresql"),
        Index("ix_members_recruited_by_id", "recruited_by_id", sqlite_where=_RECRUITED, postgresql_where=_RECRUITED),
        # Old mails name a member by number: the number of one who was erased is never given again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Id]
    address_key: Mapped[bytes] = mapped_column(unique=True)
    domain_key: Mapped[bytes] = mapped_column(index=True)
    sealed: Mapped[bytes]
    language: Mapped[str]
    second_language: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str | None]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(default="")
    share_code: Mapped[str] = mapped_column(unique=True)
    tracking: Mapped[bool] = mapped_column(
        default=True, server_default=true(), doc="False: they asked that nothing of what they do is counted as theirs."
    )
    recruited_by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("members.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=clock())

    def identity(self, keyring: Keyring) -> Identity:
        """Open the sealed value. Raises keys.BadSeal."""
        return open_identity(keyring, self.sealed, self.address_key)


def seal_identity(keyring: Keyring, identity: Identity) -> tuple[bytes, bytes, bytes]:
    """(address_key, domain_key, sealed) of an identity; the seal is bound to the address key, so to its row."""
    address_key = keyring.address_key(identity.email)
    sealed = keyring.seal(f"{identity.email}\0{identity.name}", bound_to=address_key)
    return address_key, keyring.domain_key(identity.domain), sealed


def seal_all(keyring: Keyring, people: Iterable[tuple[bytes, str, str]]) -> list[bytes]:
    """The `sealed` of many people, each given as address key, address and name."""
    return keyring.seal_all([(f"{email}\0{name}", key) for key, email, name in people])


def open_identity(keyring: Keyring, sealed: bytes, address_key: bytes) -> Identity:
    """The identity inside a sealed value. Raises keys.BadSeal."""
    email, _, name = keyring.open(sealed, bound_to=address_key).partition("\0")
    return Identity(email, name)
