"""Pace: one name as one process knows it: its rate, the tokens it has leased, and what it has seen go through."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from mobilizer.pace.scripts import BURST_SECONDS, GROWN_SECONDS, GROWTH, LEAST_PART, LEAST_RATE

MOST_LEASED = 100
FIRST_LEASED = 8  # by a process of which nobody knows yet how fast it is
LEASE_PART = 0.5  # of a second's tokens: the most that one process takes away from the others at once
LEASED_SECONDS = 1.0  # a token that was not used for so long is worth nothing
SLICE_PART = 0.05  # of a second's tokens: an empty bucket is not asked again before it has so many
LOT_SECONDS = 0.02  # who asks first is drawn by lot: else the same process would win every time
LEAST_WAIT = 0.001  # seconds; less would be lost in the rounding of clocks
LONGEST_WAIT_SECONDS = 10.0  # a rate may be raised meanwhile


@dataclass(slots=True)
class Bucket:
    """Tokens of one name. `rate` 0 is no limit. Times are of the process's own clock, `given_at` of Redis's."""

    name: str
    limit: float = 0.0
    rate: float = field(init=False)
    tokens: float = 0.0
    good_until: float = 0.0
    given: int = 0
    given_at: int = 0
    ask_at: float = 0.0
    taken: int = 0
    well: int = 0
    slowed: float = float("-inf")
    grown: float = float("-inf")
    slowed_alone: bool = False
    slowed_from: float = 0.0
    filled: float = 0.0
    counted: int = 0
    _seen_rate: float = 0.0
    _size: float = FIRST_LEASED

    def __post_init__(self) -> None:
        self.rate = self.limit

    def lease_size(self) -> int:
        """How many tokens are leased at a time: as many as this process uses up, at least one.

        Who sends fast gets 50 to 100 in one round trip. But never more than half a second's worth: of a rate below 100
        a second that is fewer than 50, and of a slow one so few that no machine has all while another has none.
        """
        return int(max(1, min(self._size, MOST_LEASED, self.rate * LEASE_PART)))

    def leased(self, count: int, given_at: int, now: float) -> None:
        """Note a lease of so many tokens, asked for at `now`, and learn from what became of the one before: it was too
        large where some were left when their time was over, too small where all were gone in half of it."""
        if self.given and self.tokens >= 1:
            self._size = max(1.0, self.given - self.tokens)
        elif self.given and now < self.good_until - LEASED_SECONDS / 2:
            self._size = min(MOST_LEASED, 2 * self._size)
        self.tokens, self.given, self.given_at = count, count, given_at
        # Its time runs from before the question: Redis answered later, so it never counts for longer than it may.
        self.good_until = now + LEASED_SECONDS

    def set_rate(self, rate: float) -> None:
        """The rate in force by Redis's word; the configured one is never passed."""
        self.rate = min(rate, self.limit) if self.limit else rate

    def empty(self) -> None:
        """Forget what was leased, and ask anew."""
        self.tokens = self.ask_at = self.good_until = 0.0
        self.given = 0

    def wait_for(self, level: float, now: float) -> float:
        """Seconds until a bucket at `level` is worth asking again; it is not asked before."""
        wanted = max(1.0, min(MOST_LEASED, self.rate * SLICE_PART))
        wait = min(LONGEST_WAIT_SECONDS, max(0.0, wanted - level) / self.rate) if self.rate else 0.0
        wait += LOT_SECONDS * random.random()  # noqa: S311 - fairness, no secret
        self.ask_at = now + wait
        return wait

    def measure(self, seconds: float) -> None:
        """Note how many a second went through since the last time, `seconds` ago."""
        self._seen_rate = (self.taken - self.counted) / seconds
        self.counted = self.taken

    def measured(self, seconds: float) -> float:
        """Messages a second of late; `seconds` since the last `measure`."""
        return max(self._seen_rate, (self.taken - self.counted) / max(1.0, seconds))

    # -- without Redis ---------------------------------------------------------------------------

    def slow_alone(self, measured: float, now: float) -> None:
        """Halve the rate by our own word only; Redis is told when it is back."""
        before = self.rate or measured
        self.slowed_from = max(self.slowed_from, before) if self.slowed_alone else before
        self.rate = min(before, max(LEAST_RATE, LEAST_PART * self.slowed_from, before / 2))
        self.grown = self.filled = now
        self.slowed_alone = True

    def fill_alone(self, part: float, now: float) -> float:
        """Fill up from our own share of the rate; seconds until there is a token, 0 if there is one."""
        self._grow_alone(now)
        share = self.rate * part
        self.tokens = min(max(1.0, share * BURST_SECONDS), self.tokens + max(0.0, now - self.filled) * share)
        self.filled, self.good_until = now, float("inf")
        wait = min(LONGEST_WAIT_SECONDS, max(LEAST_WAIT, (1 - self.tokens) / share)) if self.tokens < 1 else 0.0
        self.ask_at = now + wait
        return wait

    def _grow_alone(self, now: float) -> None:
        seconds = now - max(self.grown, self.slowed)
        if self.well and self.rate != self.limit and seconds >= 1:
            self.set_rate(self.rate * GROWTH ** min(seconds, GROWN_SECONDS))
            self.grown, self.well = now, 0
