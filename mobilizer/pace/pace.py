"""Pace: tokens. Every message takes one of each of its names; a name that has none left says how long to wait."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence

from mobilizer.pace.bucket import LEAST_WAIT, Bucket
from mobilizer.pace.store import Away, Standing, Store, Wanted

LOOK_SECONDS = 2.0
AWAY_SECONDS = 5.0  # between two tries to reach a Redis that does not answer
LEAST_MEASURED = 1.0  # messages a second: whoever is slowed before it got going starts from here

_CODE = re.compile(r"([245]\d\d)?[ -]?([245]\.\d{1,3}\.\d{1,3})?")


class _Buckets(dict[str, Bucket]):
    """Buckets by name; one that was not configured has no limit, until it is slowed."""

    def __missing__(self, name: str) -> Bucket:
        return self.setdefault(name, Bucket(name))


class Pace:
    """The rates of one process, shared with all others through Redis. Not for several threads at once.

    Names are "relay:main", "provider:gmail", "relay:main/provider:gmail" and "domain:" with a hash. Over any T seconds
    all processes together take at most rate x (T + 1 s) of a name, and one second's worth more (one token at least).
    While Redis is away each process keeps to its share: the rate divided by the processes last seen, or by `workers`
    if that is more. `slowed` are the names that are slowed, as far as this process knows.
    """

    def __init__(
        self, store: Store, limits: Mapping[str, float], workers: int = 1, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`limits` in messages a second; `workers` shares are reckoned with, at least, while Redis is away."""
        self._store = store
        self._limits = {name: limit for name, limit in limits.items() if limit}
        self._buckets = _Buckets({name: Bucket(name, limit) for name, limit in self._limits.items()})
        self._limited = bool(self._limits)
        self._least_workers = workers
        self._workers = workers
        self._clock = clock
        self.slowed: set[str] = set()
        self._me = secrets.token_hex(8)
        self._away = False
        self._looked = clock()
        self._look_at = self._looked

    def take(self, *names: str) -> float:
        """0.0, and one token of each name is taken; else nothing is, and so many seconds later it is worth asking."""
        now = self._clock()
        if now >= self._look_at:
            self._look(now)
        if self._limited:
            limited = [bucket for name in names if (bucket := self._buckets[name]).rate]
            short = [bucket for bucket in limited if bucket.tokens < 1 or now >= bucket.good_until]
            if short and (wait := self._refill(short, limited, now)):
                return wait
            for bucket in limited:
                bucket.tokens -= 1
        for name in names:
            self._buckets[name].taken += 1
        return 0.0

    def is_short(self, name: str) -> bool:
        """Whether it is this name that has no token now, as far as is known."""
        bucket, now = self._buckets[name], self._clock()
        return bucket.tokens < 1 and now < bucket.ask_at

    def slower(self, name: str, why: str = "") -> None:
        """A relay said that we are too fast: halve the rate, for all processes, once a second at most.

        A name without a limit gets one, from the rate measured of late. `why` is the reply; of it only code and
        status ("421 4.7.28") are kept, for its words may name a person.
        """
        bucket, now = self._buckets[name], self._clock()
        if now - bucket.slowed < 1:
            return
        bucket.slowed = now
        self.slowed.add(name)
        bucket.empty()
        self._limited = True
        if not self._away:
            try:
                bucket.set_rate(self._tell_slower(bucket, self._measured(bucket, now), _code(why)))
                return
            except Away:
                self._lose(now)
        bucket.slow_alone(self._measured(bucket, now) * self._workers, now)

    def well(self, name: str) -> None:
        """A message was accepted: what was slowed recovers by 2 % a second while it goes well."""
        self._buckets[name].well += 1

    def state(self) -> list[Standing]:
        """How every limited or lately slowed name stands, for people. Raises store.Away."""
        return self._store.standings(self._limits)

    def close(self) -> None:
        """Give back what was leased and not used; after it this process counts no more."""
        now = self._clock()
        unused = [
            (bucket.name, bucket.limit, int(bucket.tokens), bucket.given_at)
            for bucket in self._buckets.values()
            if bucket.tokens >= 1 and now < bucket.good_until
        ]
        try:
            if not self._away:
                self._store.leave(self._me)
                if unused:
                    self._store.give_back(unused)
        except Away:
            pass  # they expire by themselves
        for bucket in self._buckets.values():
            bucket.empty()

    def _refill(self, short: Sequence[Bucket], limited: Sequence[Bucket], now: float) -> float:
        """Tokens for whoever is short of them; seconds to wait if there are none for one of them."""
        wait = max(bucket.ask_at for bucket in short) - now
        if wait > 0:
            return wait
        if not self._away:
            try:
                return self._lease(short, min(bucket.lease_size() for bucket in limited), now)
            except Away:
                self._lose(now)
        part = 1 / max(self._workers, self._least_workers)
        return max(bucket.fill_alone(part, now) for bucket in short)

    def _lease(self, short: Sequence[Bucket], count: int, now: float) -> float:
        """As many of one as of the other: of a fast relay no more is leased than a slow provider can take."""
        lease = self._store.lease([Wanted(b.name, b.limit, bool(b.well)) for b in short], count)
        wait = 0.0 if lease.count else LEAST_WAIT
        for bucket, (rate, level) in zip(short, lease.buckets, strict=True):
            bucket.set_rate(rate)
            bucket.well = 0
            bucket.leased(lease.count, lease.given_at, now)
            if level < 1:
                wait = max(wait, bucket.wait_for(level, now))
        return 0.0 if lease.count else wait

    def _look(self, now: float) -> None:
        """Every other second: say that we are here, see who else is, and what is slowed."""
        try:
            self._tell_what_was_slowed_alone()
            sent = {b.name: b.taken - b.counted for b in self._buckets.values() if b.taken > b.counted}
            seen = self._store.look(self._me, sent)
        except Away:
            self._lose(now)
            return
        if self._away:
            self._start_anew(now)
        self._away, self._workers = False, seen.processes
        self.slowed = set(seen.slowed)
        for name in seen.slowed:
            self._buckets[name].set_rate(seen.slowed[name])
        for bucket in self._buckets.values():
            bucket.measure(max(1.0, now - self._looked))
            if bucket.name not in seen.slowed:
                bucket.rate = bucket.limit
        self._looked, self._look_at = now, now + LOOK_SECONDS
        self._limited = any(bucket.rate for bucket in self._buckets.values())

    def _tell_what_was_slowed_alone(self) -> None:
        for bucket in self._buckets.values():
            if bucket.slowed_alone:
                bucket.set_rate(self._tell_slower(bucket, 2 * bucket.rate, ""))
                bucket.slowed_alone = False

    def _lose(self, now: float) -> None:
        """Redis is away: each process keeps to its share, and asks again in a while."""
        self._look_at = now + AWAY_SECONDS
        if not self._away:
            self._start_anew(now)
        self._away = True

    def _start_anew(self, now: float) -> None:
        """Forget what is leased: tokens of the one way are not used on top of those of the other."""
        for bucket in self._buckets.values():
            bucket.empty()
            bucket.filled = now

    def _tell_slower(self, bucket: Bucket, measured: float, why: str) -> float:
        return self._store.slower(bucket.name, bucket.limit, measured, why)

    def _measured(self, bucket: Bucket, now: float) -> float:
        """Messages a second of this process, of late."""
        return max(LEAST_MEASURED, bucket.measured(now - self._looked))


def _code(reply: str) -> str:
    found = _CODE.match(reply)
    return found[0].strip(" -") if found else ""
