"""Delivery: reports. What one slice of work came to: its line in the log, and what is counted up for the metrics."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from mobilizer.delivery.claims import Settlement
from mobilizer.delivery.ledger import DeliveryState

DEFERRED = "deferred"
OUTCOMES = (
    DeliveryState.ACCEPTED.value,
    DeliveryState.REJECTED.value,
    DeliveryState.SKIPPED.value,
    DEFERRED,
    DeliveryState.UNCERTAIN.value,
)


@dataclass(slots=True)
class Report:
    """One slice. `outcomes` are those of its messages; `commits` are those that claimed or settled some."""

    blasts: set[int] = field(default_factory=set)
    batches: int = 0
    commits: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def leased(self, blast: int) -> None:
        """A batch of a blast was taken in hand."""
        self.blasts.add(blast)
        self.batches += 1

    def accepted(self, count: int) -> None:
        """Messages that the relay took."""
        self.outcomes[DeliveryState.ACCEPTED.value] += count

    def settled(self, settlements: Iterable[Settlement]) -> None:
        """Other messages whose outcome is written down. One that the relay said nothing to is none."""
        for one in settlements:
            if one.state != DeliveryState.PENDING:
                self.outcomes[one.state.value] += 1
            elif one.wait_seconds:
                self.outcomes[DEFERRED] += 1

    @property
    def seconds(self) -> float:
        """How long it has been at work."""
        return time.monotonic() - self.began

    def line(self) -> dict[str, object]:
        """For the log."""
        seconds, sent = self.seconds, sum(self.outcomes.values())
        return {
            "blasts": sorted(self.blasts),
            "batches": self.batches,
            **{outcome: self.outcomes[outcome] for outcome in OUTCOMES},
            "commits": self.commits,
            "seconds": round(seconds, 3),
            "per_second": round(sent / seconds, 1) if seconds else 0.0,
        }

    def counts(self) -> dict[str, float]:
        """For the counters."""
        return {**self.outcomes, "slices": 1, "slice_seconds": self.seconds, "commits": self.commits}
