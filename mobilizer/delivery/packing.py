"""Delivery: packing. Shares people out to batches of one group, by stretches of member numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

FINENESS = 4  # stretches that a batch is made of, at least: the last may not fit, so it is that much smaller at worst


G = TypeVar("G")


@dataclass(slots=True)
class Parcel(Generic[G]):
    """What becomes a batch: `size` people of a group, those from `first` up to the next parcel of that group."""

    group: G
    first: int
    size: int


def stretch(batch_size: int) -> int:
    """How many member numbers are counted together: so few that they fit into a batch, whoever they are."""
    return max(1, batch_size // FINENESS)


def pack(counted: Iterable[tuple[int, G, int]], batch_size: int) -> list[Parcel[G]]:
    """Parcels of `batch_size` people at most, from (first number of a stretch, group, people), in that order.

    The parcels of the groups take turns as their people do, so that they leave side by side.
    """
    parcels: list[Parcel[G]] = []
    filling: dict[G, Parcel[G]] = {}
    for first, group, people in counted:
        parcel = filling.get(group)
        if parcel is None or parcel.size + people > batch_size:
            parcel = filling[group] = Parcel(group, first, 0)
            parcels.append(parcel)
        parcel.size += people
    return parcels
