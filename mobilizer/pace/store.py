"""Pace: the buckets that all processes share, in Redis. One call is one round trip of a quarter second at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from mobilizer.pace.scripts import FORGOTTEN_SECONDS, GIVE_BACK, LEASE, LOOK, SLOWER

T = TypeVar("T")

TIMEOUT_SECONDS = 0.25
PROCESS_SECONDS = 30  # a process that has not looked for so long is gone
PREFIX = "mobilizer:pace:"
_PROCESSES, _SLOWED, _COUNTS = "mobilizer:paces", "mobilizer:slowed", "mobilizer:counts:"


class Away(Exception):
    """Redis does not answer, or not in time."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of one bucket. `limit` is the configured rate, 0 for none."""

    name: str
    limit: float
    well: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """How many tokens of each bucket were given, when by Redis's clock, and each bucket's rate and level after it."""

    count: int
    given_at: int
    buckets: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Look:
    """How many processes there are, and what is slowed to which rate."""

    processes: int
    slowed: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """How one name stands, for people. Rates are messages a second; `limit` 0: none configured, `rate` 0: no limit now.

    `slowed_since` is None while it goes at its full rate; `trouble_at` and `why` stay for a day after the last trouble.
    """

    name: str
    limit: float
    rate: float
    slowed_since: datetime | None = None
    trouble_at: datetime | None = None
    why: str = ""
    times: int = 0


class Store:
    """Redis, as the pace uses it. Every method raises Away. `clock` (microseconds) stands in for Redis's in tests."""

    def __init__(self, redis: Redis, clock: Callable[[], int] | None = None) -> None:
        self._redis: Any = redis
        self._clock = clock
        self._lease, self._give_back, self._slower, self._look = map(
            redis.register_script, (LEASE, GIVE_BACK, SLOWER, LOOK)
        )

    @classmethod
    def at(cls, url: str, clock: Callable[[], int] | None = None) -> Store:
        """The store at an address; connects when first used, and never tries twice."""
        return cls(
            Redis.from_url(
                url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            ),
            clock,
        )

    def lease(self, wanted: Sequence[Wanted], count: int) -> Lease:
        """Up to `count` tokens of each bucket, of all the same number; none of any if one has none."""
        more = [part for one in wanted for part in (one.limit, int(one.well))]
        answer = self._run(self._lease, [PREFIX + one.name for one in wanted], count, *more)
        numbers = [float(part) for part in answer[2:]]
        return Lease(int(answer[0]), int(answer[1]), tuple(zip(numbers[::2], numbers[1::2], strict=True)))

    def give_back(self, unused: Sequence[tuple[str, float, int, int]]) -> None:
        """Tokens that were not used: name, limit, how many, and when they were given."""
        more = [part for _, *parts in unused for part in parts]
        self._run(self._give_back, [PREFIX + name for name, *_ in unused], *more)

    def slower(self, name: str, limit: float, measured: float, why: str) -> float:
        """Halve a rate; the new one. What all processes sent of late is where it starts from, `measured` at least."""
        return float(self._run(self._slower, [PREFIX + name, _SLOWED, _COUNTS], limit, measured, why, name))

    def look(self, process: str, sent: Mapping[str, int]) -> Look:
        """Say that this process is here and what it has sent since its last look; see what is slowed."""
        counts = [part for name in sent for part in (name, sent[name])]
        answer = self._run(self._look, [_PROCESSES, _SLOWED, _COUNTS], process, PROCESS_SECONDS, PREFIX, *counts)
        return Look(int(answer[0]), dict(zip(answer[1::2], map(float, answer[2::2]), strict=True)))

    def leave(self, process: str) -> None:
        """This process is no longer here."""
        self._asked(lambda: self._redis.zrem(_PROCESSES, process))

    def standings(self, limits: Mapping[str, float]) -> list[Standing]:
        """How every limited or lately slowed name stands, the configured ones first. Changes nothing."""
        return self._asked(lambda: list(self._standings(limits)))

    def _standings(self, limits: Mapping[str, float]) -> Iterator[Standing]:
        slowed = [name for name in self._redis.zrange(_SLOWED, 0, -1) if name not in limits]
        names = [*limits, *sorted(slowed)]
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for name in names:
                pipe.hmget(PREFIX + name, "rate", "since", "slowed", "why", "times")
            (seconds, _), *found = pipe.execute()
        for name, (rate, since, last, why, times) in zip(names, found, strict=True):
            is_slowed = bool(rate) and int(last) / 1e6 > seconds - FORGOTTEN_SECONDS
            yield Standing(
                name,
                limits.get(name, 0.0),
                float(rate) if is_slowed else limits.get(name, 0.0),
                _moment(since) if is_slowed else None,
                _moment(last),
                why or "",
                int(times or 0) if is_slowed else 0,
            )

    def _run(self, script: Callable[..., Any], keys: list[str], *more: float | str) -> Any:
        now = self._clock() if self._clock else ""
        return self._asked(lambda: script(keys=keys, args=[now, *more]))

    def _asked(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (RedisError, OSError) as error:
            raise Away(type(error).__name__) from None


def _moment(microseconds: str | None) -> datetime | None:
    return datetime.fromtimestamp(int(microseconds) / 1e6, UTC) if microseconds else None
