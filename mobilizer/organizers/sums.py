"""Organizers: what a viewer may know of numbers. Nobody is to be found in a sum, nor by taking sums apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

FEW = 5  # fewer people than this are not told from one another


class Kept(Enum):
    """What stands in place of a number: FEW are 1 to 4; BACK is kept back lest they be worked out."""

    FEW = "few"
    BACK = "back"


Cell = int | Kept


@dataclass(frozen=True, slots=True)
class Parts:
    """A total and what it falls into, as a viewer may see them."""

    total: Cell
    cells: tuple[Cell, ...]


def alone(count: int) -> Cell:
    """A number that is no part of another. Nobody is shown as nobody."""
    return Kept.FEW if 0 < count < FEW else count


def parts(counts: Sequence[int]) -> Parts:
    """The numbers of a whole that is their sum.

    Fewer than 5 become FEW. So that they can't be had by subtraction, the next larger ones are kept back, as many as it
    takes until each of the few could be 1, 2, 3 or 4; where that is not enough, the total is kept back too.
    """
    few = [place for place, count in enumerate(counts) if 0 < count < FEW]
    cells, total = [alone(count) for count in counts], sum(counts)
    if not few:
        return Parts(total, tuple(cells))
    lack = sum(FEW - 1 - counts[place] for place in few)  # by how much they could all be more
    for place in sorted(range(len(counts)), key=lambda place: counts[place]):
        if counts[place] < FEW:
            continue
        cells[place] = Kept.BACK
        lack -= counts[place] - FEW
        if lack <= 0:
            return Parts(total, tuple(cells))
    return Parts(Kept.FEW if total < FEW else Kept.BACK, tuple(cells))
