"""Pace: look-ups of domains behind the scenes, remembered in Redis for a day under a keyed hash of the domain.

A DNS that is silent holds nobody up for long: that is remembered too, and so is how long it was waited for.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from mobilizer.pace.providers import Answer

KEPT_SECONDS = 86_400
MOST_WAITING = 20_000
AT_ONCE = 100
IDLE_SECONDS = 10.0
DNS_SECONDS = 3.0
SILENT_SECONDS = 3600  # that the DNS did not answer is remembered for
MOST_SILENT_SECONDS = 30.0  # of waiting for no answer; then who sends asks no more
SILENT = "?"
PREFIX = "mobilizer:provider:"

Resolver = Callable[[str], str]  # a domain's provider; raises NoAnswer


class NoAnswer(Exception):
    """The DNS did not say whether there is an MX: ask another time."""


class Lookups:
    """One thread that looks up what it is asked for, and ends when nobody asks. Call it as `Providers` does."""

    def __init__(self, resolve: Resolver, redis: Redis | None, key: Callable[[str], bytes]) -> None:
        """`key` hashes a domain with a secret; `redis` None remembers nothing."""
        self._resolve, self._redis, self._key = resolve, redis, key
        self._waited = 0.0  # seconds, for no answer
        self._waiting: queue.Queue[tuple[str, Answer]] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def __call__(self, domain: str, answer: Answer) -> None:
        """Look a domain up and answer later; what is too much is left out, and such a domain stays unknown."""
        with suppress(queue.Full):
            self._waiting.put_nowait((domain, answer))
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="mx", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        with suppress(queue.Empty):
            while True:
                asked = [self._waiting.get(timeout=IDLE_SECONDS)]
                while len(asked) < AT_ONCE and not self._waiting.empty():
                    asked.append(self._waiting.get_nowait())
                self._answer(asked)

    def _answer(self, asked: list[tuple[str, Answer]]) -> None:
        keys = [PREFIX + self._key(domain).hex() for domain, _ in asked]
        for (domain, answer), key, name in zip(asked, keys, self._remembered(keys), strict=True):
            with suppress(NoAnswer):
                found = self._fresh(domain, key) if name is None else name
                if found != SILENT:
                    answer(domain, found)

    def _remembered(self, keys: list[str]) -> Iterable[str | None]:
        remembered: Any = [None] * len(keys)
        if self._redis is not None:
            with suppress(RedisError, OSError):
                remembered = self._redis.mget(keys)
        return [one.decode() if isinstance(one, bytes) else one for one in remembered]

    def _fresh(self, domain: str, key: str) -> str:
        """Ask the DNS. Raises NoAnswer; at once, where too long was waited for none."""
        if self._waited > MOST_SILENT_SECONDS:
            raise NoAnswer("too many")
        began = time.monotonic()
        try:
            name = self._resolve(domain)
        except NoAnswer:
            self._waited += time.monotonic() - began
            self._remember(key, SILENT, SILENT_SECONDS)
            raise
        self._remember(key, name, KEPT_SECONDS)
        return name

    def _remember(self, key: str, name: str, seconds: int) -> None:
        if self._redis is not None:
            with suppress(RedisError, OSError):
                self._redis.set(key, name, ex=seconds)


def mail_servers(domain: str) -> list[str]:
    """The names of a domain's mail servers by its MX records, the preferred first. Raises NoAnswer."""
    return [str(mx.exchange) for mx in sorted(_records(domain, "MX"), key=lambda mx: mx.preference)]


def texts(name: str) -> list[str]:
    """The TXT records of a name, each with its strings put together (RFC 7208, 3.3). Raises NoAnswer."""
    return [b"".join(record.strings).decode("ascii", "replace") for record in _records(name, "TXT")]


def _records(name: str, kind: str) -> list[Any]:
    import dns.exception
    import dns.resolver

    try:
        return list(dns.resolver.resolve(name, kind, lifetime=DNS_SECONDS))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, UnicodeError) as error:
        raise NoAnswer(type(error).__name__) from None
