"""Engagement: ranges. How far a share that was counted among some people may be off by chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

_95 = 1.959964  # standard deviations that 95 % of a normal distribution lie within


@dataclass(frozen=True, slots=True)
class Range:
    """Where a share most likely lies, both from 0 to 1: 95 of 100 such ranges hold the true one."""

    low: float
    high: float

    def meets(self, other: Range) -> bool:
        """Whether both may be about the same share."""
        return self.low <= other.high and other.low <= self.high


def range_of(part: int, whole: int) -> Range | None:
    """The 95 % score interval of a proportion (Wilson 1927), which holds for small numbers too; None of nobody.

    Raises ValueError where the part is no part of the whole.
    """
    if whole <= 0:
        return None
    if not 0 <= part <= whole:
        raise ValueError(f"{part} is no part of {whole}")
    share, square = part / whole, _95 * _95
    middle = share + square / (2 * whole)
    reach = _95 * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    # At both ends rounding would lead a hair beyond what can be.
    return Range(max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))
