"""Audience: draws. What each member draws by lot; a draw is known by its number, and the same one is the same again."""

from __future__ import annotations

import hashlib

from sqlalchemy import ColumnElement

from mobilizer.audience.members import Member

PRIME = 2**31 - 1  # a product of two numbers below it, and once more, fits in 64 bits
DEGREE = 3


def lot_of(draw: int) -> ColumnElement[int]:
    """What a member draws, from 0 to below PRIME.

    A polynomial modulo a prime: both databases can count it, and any four members fall independently of each other
    (Carter and Wegman, 1979).
    """
    first, *rest = coefficients(draw)
    number = Member.id % PRIME
    lot: ColumnElement[int] = number * first
    for each in rest[:-1]:
        lot = (lot % PRIME + each) * number
    return (lot + rest[-1]) % PRIME


def coefficients(draw: int) -> list[int]:
    """What a draw multiplies with: numbers below PRIME, the first not zero."""
    digest = hashlib.blake2b(draw.to_bytes(8), key=b"mobilizer draw", digest_size=8 * (DEGREE + 1)).digest()
    parts = [int.from_bytes(digest[at : at + 8]) for at in range(0, len(digest), 8)]
    return [1 + parts[0] % (PRIME - 1), *(part % PRIME for part in parts[1:])]
