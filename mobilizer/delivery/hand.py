"""Delivery: hand. One lease at work: who waits, who is out, and what is yet to be written down."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from mobilizer.delivery.claims import Person, Receipt, Settlement
from mobilizer.delivery.leases import Lease
from mobilizer.delivery.loads import Loader


@dataclass(eq=False, slots=True)
class Hand:
    """One lease: who is waiting, how many messages are out, which ask for their claim, what is yet to be written."""

    lease: Lease
    loader: Loader
    waiting: list[Person]
    made_at_once: int = 1  # twice as many at each turn: at first all languages leave side by side
    out: int = 0
    took: bool = False  # the relay has taken one of its messages
    asked: dict[str, list[int]] = field(default_factory=dict)  # by relay
    receipts: list[Receipt] = field(default_factory=list)
    claimed: list[Settlement] = field(default_factory=list)
    unclaimed: list[Settlement] = field(default_factory=list)
    unmade: list[Settlement] = field(default_factory=list)  # in a row: they wait for one that can be made
    renewed: float = field(default_factory=time.monotonic)
    rest_seconds: float = 0.0  # when it is given back

    @property
    def busy(self) -> bool:
        """Whether there is something to write down or to ask for."""
        return bool(self.asked or self.receipts or self.claimed or self.unclaimed)

    @property
    def teaches(self) -> bool:
        """Whether more follows from what is to be written down than the rows themselves."""
        return bool(self.claimed or self.unclaimed or (self.receipts and not self.took))

    @property
    def finished(self) -> bool:
        """Whether nothing more will come of it, but for those who are put aside."""
        return not (self.waiting or self.out)
