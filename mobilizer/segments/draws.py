"""Segments: rules that draw by lot. A draw is known by its number: the same number draws the same people again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

<<<<<<< HEAD
from sqlalchemy import ColumnElement, Select, exists, select, true

from mobilizer.audience.draws import PRIME, lot_of
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.blasts.drawn import is_drawn
=======
from sqlalchemy import ColumnElement, select, true

from mobilizer.audience.mailable import mailable
from mobilizer.audience.members import Member
>>>>>>> 06af3bb (Who can't be mailed is kept ahead; a stretch is counted in one pass; bench audience checks its books)
from mobilizer.problems import N_
from mobilizer.segments.kinds import DRAW, PEOPLE, SHARE, told
from mobilizer.segments.rules import Rule, rule


@rule("drawn")
@dataclass(frozen=True, slots=True)
class Drawn(Rule):
    """A share of all members drawn by lot: the same people whenever the number of the draw is the same."""

    share: int = told(SHARE)
    draw: int = told(DRAW)
    SAYS = (
        N_("Is among the %(share)s drawn by lot in draw %(draw)s"),
        N_("Is not among the %(share)s drawn by lot in draw %(draw)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return lot_of(self.draw) < PRIME * self.share // 100


@rule("drawn_few")
@dataclass(frozen=True, slots=True)
class DrawnFew(Rule):
    """So many people drawn by lot, or all where there are fewer: of whom the other rules of its group find.

    Where the group asks for any of its rules, of everybody. Only who can be mailed is drawn. The first launch that goes
    by a draw makes it for good: from then on the opposite is everybody but those who were drawn.
    """

    people: int = told(PEOPLE)
    draw: int = told(DRAW)
    SAYS = (
        N_("Is among %(people)s people drawn by lot in draw %(draw)s"),
        N_("Is not among %(people)s people drawn by lot in draw %(draw)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:
        return is_drawn(self.name(), self.of(true(), now))

    def name(self, others: Iterable[object] = ()) -> str:
        """What a draw is known by once it is made: of whom the other rules of its group find, in any order of them."""
        told = json.dumps([self.people, self.draw, *sorted(json.dumps(one, sort_keys=True) for one in others)])
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()

    def of(self, others: ColumnElement[bool], now: datetime) -> Select[int]:
        """Who is drawn of whom a condition on Member fits. Nobody who came after `now` takes another's place."""
        return (
            select(Member.id)
            .where(others, mailable(), Member.created_at <= now)
            .order_by(lot_of(self.draw), Member.id)
            .limit(self.people)
            .correlate(None)
        )


<<<<<<< HEAD
def mailable() -> ColumnElement[bool]:
    """Confirmed on a list, and not suppressed."""
    confirmed = exists().where(Subscription.member_id == Member.id, Subscription.standing == Standing.CONFIRMED)
    suppressed = exists().where(Suppression.address_key == Member.address_key)
    return confirmed.correlate(Member) & ~suppressed.correlate(Member)
=======
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
>>>>>>> 06af3bb (Who can't be mailed is kept ahead; a stretch is counted in one pass; bench audience checks its books)
