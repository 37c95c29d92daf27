"""Engagement: ranges. How far a share that was counted among some people may be off by chance."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

_95 = 1.959964  # standard deviations that 95 % of a normal distribution lie within


@dataclass(frozen=True, slots=True)
class Range:
    """Where a share most likely lies, both from 0 to 1: 95 of 100 such ranges hold the true one."""

    low: float
    high: float

    def meets(self, other: Range) -> bool:
        """Whether both may be about the same share."""
        return self.low <= other.high and other.low <= self.high


def range_of(part: int, whole: int, deviations: float = _95) -> Range | None:
    """The 95 % score interval of a proportion (Wilson 1927), which holds for small numbers too; None of nobody. Of so
    many `deviations` of a normal distribution, where it is to be another one.

    Raises ValueError where the part is no part of the whole.
    """
    if whole <= 0:
        return None
    if not 0 <= part <= whole:
        raise ValueError(f"{part} is no part of {whole}")
    share, square = part / whole, deviations * deviations
    middle = share + square / (2 * whole)
    reach = deviations * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    scale = 1 + square / whole
    # At both ends rounding would lead a hair beyond what can be.
    return Range(max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale))


def differ(one: tuple[int, int], other: tuple[int, int], variants: int = 2) -> bool:
    """Whether two shares, each a part and its whole, differ by more than chance would have it: whether the 95 %
    interval of their difference (Newcombe 1998, his tenth) leaves out zero. Of more than two `variants` any two may
    differ by chance, and the interval is so much wider (Bonferroni)."""
    more, less = sorted((one, other), key=lambda each: each[0] / each[1] if each[1] else 0.0, reverse=True)
    high, low = (range_of(*each, _deviations(variants)) for each in (more, less))
    if high is None or low is None:
        return False
    top, bottom = more[0] / more[1], less[0] / less[1]
    return top - bottom > sqrt((top - high.low) ** 2 + (low.high - bottom) ** 2)


def least_difference(share: float, people: int, variants: int = 2) -> float:
    """The smallest difference between two variants that can be told from chance, where about such a `share` of so many
    `people` of each do something; from 0 to 1."""
    return min(1.0, _deviations(variants) * sqrt(2 * share * (1 - share) / people))


def _deviations(variants: int) -> float:
    pairs = variants * (variants - 1) // 2
    return NormalDist().inv_cdf(1 - 0.025 / pairs)
