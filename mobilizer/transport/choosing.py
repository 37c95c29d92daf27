"""Transport: which relay takes the next connection. Weights, failover with backoff; a pure decider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mobilizer.transport.relays import Route

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 300.0


@dataclass(slots=True)
class _Turn:
    """Where a relay stands: its balance in the round-robin, and how long it is left alone."""

    route: Route
    balance: int = 0
    failures: int = 0
    down_until: float = float("-inf")


class Choice:
    """Chooses among relays by smooth weighted round-robin: of 5 + 1 + 1, never five in a row if it can be helped.

    Knows nothing of sockets or clocks: `now` is any monotonic number of seconds. Of one process only.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._turns = {route.name: _Turn(route) for route in routes}

    def choose(self, now: float, busy: Mapping[str, float]) -> Route | None:
        """The relay for the next connection; None if each is down or has all the connections it may have.

        `busy` says how many connections each has now, by name; a missing name has none.
        """
        able = [turn for turn in self._turns.values() if _is_able(turn, now, busy)]
        if not able:
            return None
        for turn in able:
            turn.balance += turn.route.weight
        # The first of equals: the order of the file decides, so the same asks give the same answers.
        best = max(able, key=lambda turn: turn.balance)
        best.balance -= sum(turn.route.weight for turn in able)
        return best.route

    def down(self, name: str, now: float) -> float:
        """Leave a relay alone after its trouble: 5 s, then twice as long each time, 5 min at most.

        Returns for how long. Trouble while it is left alone already (other connections of the same hour) adds nothing.
        """
        turn = self._turns[name]
        if now >= turn.down_until:
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**turn.failures)
            turn.failures = min(turn.failures + 1, 10)
            turn.down_until = now + pause
        return turn.down_until - now

    def up(self, name: str) -> None:
        """A relay works: it has taken a message. Its next trouble begins with the shortest pause again."""
        turn = self._turns[name]
        turn.failures, turn.down_until = 0, float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until some relay is no longer left alone; 0 if one is not now."""
        return max(0.0, min(turn.down_until for turn in self._turns.values()) - now)


def _is_able(turn: _Turn, now: float, busy: Mapping[str, float]) -> bool:
    return now >= turn.down_until and busy.get(turn.route.name, 0) < turn.route.connections
