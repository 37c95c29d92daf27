"""Delivery: testers, the people of our own to whom proofs go. Sealed like members, and no members."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.db import Base, Id
from mobilizer.keys import Keyring
from mobilizer.problems import N_, Problem

MOST_TESTERS = 20


class ProofTester(Base):
    """A saved tester: the address sealed, and found by its blind index."""

    __tablename__ = "proof_testers"

    id: Mapped[Id]
    address_key: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Tester:
    """A tester in clear words."""

    id: int
    address: str


def testers(session: Session, keyring: Keyring) -> list[Tester]:
    """Every saved tester, oldest first."""
    return [
        Tester(row.id, keyring.open(row.sealed, bound_to=row.address_key))
        for row in session.scalars(select(ProofTester).order_by(ProofTester.id))
    ]


def add_tester(session: Session, keyring: Keyring, address: str) -> list[Problem]:
    """Save a tester; nothing happens if they are there. Or say what is wrong, and save nothing."""
    try:
        known = normalise(address)
    except BadAddress as bad:
        return [bad.problem]
    key = keyring.address_key(known)
    if session.scalar(select(ProofTester.id).where(ProofTester.address_key == key)):
        return []
    if (session.scalar(select(func.count()).select_from(ProofTester)) or 0) >= MOST_TESTERS:
        message = N_("There are %(most)d testers, and that is enough. Take one away first.")
        return [Problem("proof.too_many_testers", message, {"most": MOST_TESTERS}, where="address")]
    session.add(ProofTester(address_key=key, sealed=keyring.seal(known, bound_to=key)))
    session.flush()
    return []


def drop_tester(session: Session, number: int) -> None:
    """Take a tester away."""
    session.execute(delete(ProofTester).where(ProofTester.id == number))
