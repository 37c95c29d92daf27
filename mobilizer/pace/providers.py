"""Pace: which mailbox provider a recipient's domain belongs to."""

from __future__ import annotations


class Providers:
    """Names the provider of a domain: `gmail` for gmail.com and, once its MX is known, for any domain hosted there."""

    def of(self, domain: str) -> str:
        """The provider's name, "" for none we know (yet). `domain` in lower case. Never waits: an unknown domain's MX
        is looked up behind the scenes, so asking for a whole batch ahead of sending it makes the answers good."""
        raise NotImplementedError
