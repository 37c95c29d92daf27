"""Delivery: pacing. Which message may go now: each takes a token of its relay and of the recipient's provider."""

from __future__ import annotations

import time
from collections import deque
from math import inf

from mobilizer.delivery.hands import Hand, Hands
from mobilizer.delivery.lanes import Load
from mobilizer.pace.pace import Pace
from mobilizer.pace.providers import Providers
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Verdict
from mobilizer.transport.relays import Route

MOST_PARKED = 100  # messages, made and waiting for their provider

Names = tuple[str, ...]


class Pacing:
    """Gives out the messages of the leases in hand as fast as the pace allows; one whose provider must wait is parked,
    and others go first. `parked` counts them."""

    def __init__(self, hands: Hands, pace: Pace, providers: Providers) -> None:
        self._hands = hands
        self._pace = pace
        self._providers = providers
        self._parked: dict[str, deque[tuple[Hand, Load]]] = {}  # by provider; none is empty
        self.parked = 0
        self._not_before: dict[tuple[str, str], float] = {}  # by relay and provider
        self._names: dict[tuple[str, str], Names] = {}

    @property
    def wait(self) -> float:
        """Seconds until a parked message may go; infinite where there is none."""
        if not self.parked:
            return inf
        soonest = (at for (_, provider), at in self._not_before.items() if provider in self._parked)
        return max(0.0, min(soonest, default=0.0) - time.monotonic())

    def next(self, route: Route) -> tuple[Hand, Load] | None:
        """A message that may go over a relay now."""
        if self._parked:
            for provider in list(self._parked):
                if self._may_go(route, provider):
                    return self._unpark(provider)
        while self.parked < MOST_PARKED and (following := self._hands.next()) is not None:
            load = following[1]
            load.provider = self._providers.of(load.recipient.rpartition("@")[2].lower())
            if load.provider not in self._parked and self._may_go(route, load.provider):
                return following
            self._parked.setdefault(load.provider, deque()).append(following)
            self.parked += 1
        return None

    def learn(self, route: Route, provider: str, answer: object) -> None:
        """Go slower where an answer says that we are too fast, and faster again where messages are accepted."""
        names = self._names_of(route, provider)
        if isinstance(answer, Accepted):
            for name in names:
                self._pace.well(name)
        elif isinstance(answer, Deferred | Rejected) and answer.code and answer.verdict == Verdict.RATE:
            # Where we know whose mailbox it is, it is they who are too busy for us; else it may be the relay itself.
            self._pace.slower(names[-1] if provider else names[0], f"{answer.code} {answer.reply}")

    def let_go(self) -> None:
        """Put back what is parked: its rows were never claimed."""
        while self._parked:
            self._hands.put_back(*self._unpark(next(iter(self._parked))))

    def close(self) -> None:
        """Give back the tokens that were not used."""
        self._pace.close()

    def _may_go(self, route: Route, provider: str) -> bool:
        key = (route.name, provider)
        if self._not_before and self._not_before.get(key, 0.0) > time.monotonic():
            return False
        wait = self._pace.take(*self._names_of(route, provider))
        if wait:
            self._not_before[key] = time.monotonic() + wait
        return not wait

    def _names_of(self, route: Route, provider: str) -> Names:
        key = (route.name, provider)
        if key not in self._names:
            relay, mailbox = f"relay:{route.name}", f"provider:{provider}"
            self._names[key] = (relay, mailbox, f"{relay}/{mailbox}") if provider else (relay,)
        return self._names[key]

    def _unpark(self, provider: str) -> tuple[Hand, Load]:
        queue = self._parked[provider]
        if len(queue) == 1:
            del self._parked[provider]
        self.parked -= 1
        return queue.popleft()
