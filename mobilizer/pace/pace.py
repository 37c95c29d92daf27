"""Pace: tokens. Every message takes one of each of its names; a name that has none left says how long to wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class Pace:
    """The rates of one process, shared with all others through Redis. Not for several threads at once.

    Names are "relay:main", "provider:gmail", "relay:main/provider:gmail". Over any T seconds all processes together
    take at most rate x (T + 1 s) + one second's worth (and at least one) of a name.
    """

    def __init__(
        self, store: object, limits: Mapping[str, float], workers: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`limits` in messages a second; `workers` shares are reckoned with, at least, while Redis is away."""
        raise NotImplementedError

    def take(self, *names: str) -> float:
        """0.0, and one token of each name is taken; else nothing is, and so many seconds later it is worth asking."""
        raise NotImplementedError

    def slower(self, name: str, why: str = "") -> None:
        """A relay said that we are too fast: halve the rate, for all processes, once a second at most.

        `why` is the reply; of it only code and status ("421 4.7.28") are kept.
        """
        raise NotImplementedError

    def well(self, name: str) -> None:
        """A message was accepted: what was slowed recovers by 2 % a second while it goes well."""
        raise NotImplementedError

    def close(self) -> None:
        """Give back what was leased and not used."""
        raise NotImplementedError
