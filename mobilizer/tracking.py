"""Ground: tracking modes, how much the links of a mail tell of who follows them (docs/adr)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Tracking(StrEnum):
    """What is counted of opens and clicks, the strictest first."""

    OFF = "off"  # nothing: links lead straight to where they go
    SUMS = "sums"  # how often in each language; nobody knows by whom
    PSEUDONYMOUS = "pseudonymous"  # by whom, as a number that only our database knows


def strictest(modes: Iterable[str]) -> Tracking:
    """The one of some modes that counts least; of none, the usual one. Raises ValueError."""
    order = list(Tracking)
    return min((Tracking(mode) for mode in modes), key=order.index, default=Tracking.PSEUDONYMOUS)
