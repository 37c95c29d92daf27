"""Segments: rules that draw by lot. A draw is known by its number: the same number draws the same people again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select, true

from mobilizer.audience.draws import PRIME, lot_of
from mobilizer.audience.mailable import mailable
from mobilizer.audience.members import Member
from mobilizer.blasts.drawn import is_drawn
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
