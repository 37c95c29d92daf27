"""Audience: to suppress an address, and to ask whether it is."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.keeping import insert_new
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.db import Prepared, keys, one_of_keys

_AMONG = Prepared(
    select(Suppression.address_key, Suppression.reason).where(one_of_keys(Suppression.address_key, "keys")), "keys"
)


def suppress(session: Session, address_key: bytes, reason: SuppressedFor) -> None:
    """Let nothing more be sent to an address. The first reason stays: it says how it began."""
    insert_new(session, Suppression, [{"address_key": address_key, "reason": SuppressedFor(reason)}], ["address_key"])


def is_suppressed(session: Session, address_key: bytes) -> bool:
    """Whether an address must not be mailed."""
    return session.get(Suppression, address_key) is not None


def suppressed_among(session: Session, address_keys: Collection[bytes]) -> dict[bytes, SuppressedFor]:
    """Those of the addresses that must not be mailed, each with its reason."""
    connection = session.connection()
    rows = _AMONG.run(connection, (keys(connection, address_keys),))
    return {bytes(key): SuppressedFor(reason) for key, reason in rows}
