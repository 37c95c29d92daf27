"""Pace: complaints. Whom to slow where mail for domains of no known provider is told that we are too fast."""

from __future__ import annotations

import time
from collections.abc import Callable

AGAIN_SECONDS = 60.0  # a domain that says so twice in this time is slowed
SEVERAL, AT_ONCE_SECONDS = 5, 10.0  # so many domains in this time: it is the relay that says so


class Complaints:
    """What was said of late, by relay and domain. One small domain neither slows a relay, nor at its first word itself:
    the message that it was said to waits anyway."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: dict[str, dict[str, float]] = {}

    def told(self, relay: str, domain: str) -> list[str]:
        """Note that mail for a domain through a relay was told so; which of the two names to slow."""
        now = self._clock()
        lately = {one: at for one, at in self._at.get(relay, {}).items() if at > now - AGAIN_SECONDS}
        slower = [domain] if domain in lately else []
        lately[domain] = now
        self._at[relay] = lately
        if sum(at > now - AT_ONCE_SECONDS for at in lately.values()) >= SEVERAL:
            slower.append(relay)
        return slower
