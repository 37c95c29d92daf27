"""Web: which limits mail waits for, in words: what a provider or a relay was slowed to, and what it was set to."""

from __future__ import annotations

from mobilizer.delivery.limits import in_force
from mobilizer.pace.store import Standing
from mobilizer.settings import Settings
from mobilizer.web.reasons import provider_name
from mobilizer.web.relays import rate_words
from mobilizer.web.words import _


def slowed(settings: Settings) -> list[str]:
    """A sentence for each; none where nothing is limited, or where Redis, which knows it, is away."""
    return list(dict.fromkeys(_sentence(standing) for standing in in_force(settings)))


def _sentence(standing: Standing) -> str:
    who, rate = _who(standing.name), rate_words(standing.rate)
    if standing.slowed_since:
        return _("%(who)s: slowed to %(rate)s for a while, as the other side asked.", who=who, rate=rate)
    return _("%(who)s: no more than %(rate)s, as it was set.", who=who, rate=rate)


def _who(name: str) -> str:
    """The name of a limit as people say it: "relay:main/provider:gmail" is Gmail through main."""
    relay, _slash, provider = name.rpartition("/")
    if relay:
        return _(
            "%(provider)s through the relay %(relay)s",
            provider=provider_name(provider.partition(":")[2]),
            relay=relay.partition(":")[2],
        )
    kind, _colon, one = name.partition(":")
    if kind == "relay":
        return _("The relay %(relay)s", relay=one)
    return provider_name(one if kind == "provider" else "")
