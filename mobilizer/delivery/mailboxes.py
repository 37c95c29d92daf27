"""Delivery: mailboxes. Whose mailbox an address is, as far as the pace goes."""

from __future__ import annotations

from mobilizer.pace.providers import Providers


class Mailboxes:
    """Names the provider of an address, "" for one that is not known."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers

    def of(self, address: str) -> str:
        """The mailbox of an address."""
        return self._providers.of(address.rpartition("@")[2].lower())
