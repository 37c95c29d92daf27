"""Web: the arithmetic of the charts. Segments of a bar in percent, points of a line; templates draw the SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SLIVER = 0.6  # percent: what is not nothing is never drawn as nothing


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar: `start` and `width` in percent of the whole bar."""

    kind: str
    people: int
    start: float
    width: float


def segments(parts: Iterable[tuple[str, int]], whole: int) -> tuple[Segment, ...]:
    """Lay the parts of a `whole` one after another; empty parts are left out, tiny ones stay visible."""
    counted = [(kind, people) for kind, people in parts if people > 0]
    if not counted or whole <= 0:
        return ()
    widths = [max(SLIVER, 100 * people / whole) for _, people in counted]
    # What the slivers were given is taken from the widest part, so that the bar never runs over.
    over = sum(widths) - min(100.0, 100 * sum(people for _, people in counted) / whole)
    widest = widths.index(max(widths))
    widths[widest] = max(SLIVER, widths[widest] - max(0.0, over))
    laid, start = [], 0.0
    for (kind, people), width in zip(counted, widths, strict=True):
        laid.append(Segment(kind, people, round(start, 2), round(width, 2)))
        start += width
    return tuple(laid)


def line(values: Sequence[int], top: int, width: int, height: int) -> str:
    """The points of an SVG polyline: values from left to right, nothing at the bottom and `top` at the top."""
    step = width / max(1, len(values) - 1)
    return " ".join(f"{at * step:.1f},{height - height * share(value, top):.1f}" for at, value in enumerate(values))


def share(part: int, whole: int) -> float:
    """A part of a whole as a number from 0 to 1; nothing of nothing is 0."""
    return part / whole if whole > 0 else 0.0
