"""Delivery: packing. Shares people out to batches of one language, by stretches of member numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

FINENESS = 4  # stretches that a batch is made of, at least: the last may not fit, so it is that much smaller at worst


@dataclass(slots=True)
class Parcel:
    """What becomes a batch: `size` people of a language, those from `first` up to the next parcel of that language."""

    language: str
    first: int
    size: int


def stretch(batch_size: int) -> int:
    """How many member numbers are counted together: so few that they fit into a batch, whoever they are."""
    return max(1, batch_size // FINENESS)


def pack(counted: Iterable[tuple[int, str, int]], batch_size: int) -> list[Parcel]:
    """Parcels of `batch_size` people at most, from (first number of a stretch, language, people), in that order.

    The parcels of the languages take turns as their people do, so that they leave side by side.
    """
    parcels: list[Parcel] = []
    filling: dict[str, Parcel] = {}
    for first, language, people in counted:
        parcel = filling.get(language)
        if parcel is None or parcel.size + people > batch_size:
            parcel = filling[language] = Parcel(language, first, 0)
            parcels.append(parcel)
        parcel.size += people
    return parcels
