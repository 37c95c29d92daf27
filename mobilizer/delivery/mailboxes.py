"""Delivery: mailboxes. Whose mailbox an address is, as far as the pace goes."""

from __future__ import annotations

from collections.abc import Callable

from mobilizer.pace.pace import Pace
from mobilizer.pace.providers import MOST_KEPT, Providers

DOMAIN = "domain:"


class Mailboxes:
    """Names the mailbox of an address: its provider; "" where none is known, but "domain:..." while that one is slowed.

    What is behind the colon is a keyed hash: Redis, which counts by such names, is told of no domain.
    """

    def __init__(self, providers: Providers, pace: Pace, key: Callable[[str], bytes]) -> None:
        """`key` hashes a domain with a secret."""
        self._providers = providers
        self._pace = pace
        self._key = key
        self._names: dict[str, str] = {}

    def of(self, address: str) -> str:
        """The mailbox of an address."""
        domain = address.rpartition("@")[2].lower()
        provider = self._providers.of(domain)
        if provider or not self._pace.slowed:
            return provider
        name = self._name(domain)
        return name if name in self._pace.slowed else ""

    def domain(self, address: str) -> str:
        """The name of an address's domain, whether or not it is slowed."""
        return self._name(address.rpartition("@")[2].lower())

    def _name(self, domain: str) -> str:
        if domain not in self._names:
            if len(self._names) >= MOST_KEPT:
                self._names.clear()
            self._names[domain] = DOMAIN + self._key(domain).hex()
        return self._names[domain]
