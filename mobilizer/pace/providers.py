"""Pace: which mailbox provider a recipient's domain belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mobilizer.pace.mailboxes import DOMAINS, is_somewhere, national

MOST_KEPT = 20_000  # domains that are remembered beside those we know

Answer = Callable[[str, str], None]


class Providers:
    """Names the provider of a domain: `gmail` for gmail.com and, once its MX is known, for any domain hosted there."""

    def __init__(
        self,
        more: Mapping[str, Sequence[str]] | None = None,
        look_up: Callable[[str, Answer], None] | None = None,
    ) -> None:
        """`more` are domains by provider, which come before those we know. `look_up` is asked for a domain that nothing
        is known of; it must not wait, and may answer later, from any thread, with the domain and its provider."""
        self._known = {domain: name for name, line in DOMAINS.items() for domain in line.split()}
        self._known |= {domain: name for name, domains in (more or {}).items() for domain in domains}
        self._found: dict[str, str] = {}
        self._look_up = look_up

    def of(self, domain: str) -> str:
        """The provider's name, "" for none we know (yet). `domain` in lower case. Never waits: an unknown domain's MX
        is looked up behind the scenes, so asking for a whole batch ahead of sending it makes the answers good."""
        name = self._known.get(domain)
        if name is None:
            name = self._found.get(domain)
        return self._meet(domain) if name is None else name

    def _meet(self, domain: str) -> str:
        if len(self._found) >= MOST_KEPT:
            self._found.clear()
        self._found[domain] = name = national(domain)
        if not name and self._look_up and is_somewhere(domain):
            self._look_up(domain, self._learn)
        return name

    def _learn(self, domain: str, name: str) -> None:
        if domain in self._found:
            self._found[domain] = name
