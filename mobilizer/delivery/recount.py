"""Delivery: what this process remembers between two looks at a blast, so that to watch it costs little."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.orm import Session

WINDOW_SECONDS, LEAST_SECONDS = 30.0, 3.0
CHEAP_SECONDS, PATIENCE = 0.05, 20.0
REMEMBERED = 64

V = TypeVar("V")


def place(session: Session, blast_id: int) -> Hashable:
    """A blast of a database, as the key of a memory."""
    return session.get_bind().engine.url, blast_id


@dataclass(slots=True)
class Pulse:
    """How fast blasts go: what was final at each look of the last half minute."""

    _looks: dict[Hashable, deque[tuple[float, int]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def rate(self, key: Hashable, final: int, since_launch: float | None, now: float | None = None) -> float:
        """Messages settled a second; at the first looks the mean since launch, which was so many seconds ago. None: it
        has stood still since, so that the mean says nothing, and the rate is 0.0 until it is known."""
        moment = time.monotonic() if now is None else now
        with self._lock:
            looks = self._looks.setdefault(key, deque())
            looks.append((moment, final))
            while looks[0][0] < moment - WINDOW_SECONDS:
                looks.popleft()
            _forget(self._looks)
            before, had = looks[0]
        if moment - before >= LEAST_SECONDS:
            return max(final - had, 0) / (moment - before)
        return final / max(since_launch, 1.0) if since_launch is not None else 0.0

    def rest(self, key: Hashable) -> None:
        """It stands still: what was seen before says nothing about how fast it will go."""
        with self._lock:
            self._looks.pop(key, None)


@dataclass(frozen=True, slots=True)
class Counted(Generic[V]):
    """What was counted, and how many seconds ago."""

    value: V
    age: float


@dataclass(slots=True)
class _Known(Generic[V]):
    value: V
    at: float
    cost: float

    def is_good(self) -> bool:
        return self.cost > CHEAP_SECONDS and time.monotonic() - self.at < PATIENCE * self.cost

    def told(self) -> Counted[V]:
        return Counted(self.value, time.monotonic() - self.at)


@dataclass(slots=True)
class Recount(Generic[V]):
    """Remembers what is dear to count: a count that took long is good for twenty times as long.

    So however many look and however big the blast, a process gives it a twentieth of its time at most.
    """

    _known: dict[Hashable, _Known[V]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, key: Hashable, count: Callable[[], V]) -> Counted[V]:
        """The count, made anew if it was cheap or is old. Who comes while it is made anew gets the old one."""
        known = self._known.get(key)
        if known is not None and (known.is_good() or self._lock.locked()):
            return known.told()
        with self._lock:
            meanwhile = self._known.get(key)
            if meanwhile is not None and meanwhile is not known:
                return meanwhile.told()
            began = time.monotonic()
            value = count()
            now = time.monotonic()
            self._known.pop(key, None)
            self._known[key] = _Known(value, now, now - began)
            _forget(self._known)
        return Counted(value, 0.0)


PULSE = Pulse()


def _forget(memory: dict[Hashable, V]) -> None:
    """Let go of what came first where there is too much."""
    while len(memory) > REMEMBERED:
        del memory[next(iter(memory))]
