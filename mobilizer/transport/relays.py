"""Transport: the relays that are configured, from `relays.toml` in the home folder or the SMTP settings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from mobilizer.settings import Credential, HeloName, Host, Rate, Settings, per_second
from mobilizer.transport.relay import Protection, Relay

RELAYS_FILE = "relays.toml"
MAIN = "main"

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]


class RelaysError(ValueError):
    """What is wrong with `relays.toml`: a line each, with the place in the file."""


@dataclass(frozen=True, slots=True)
class Route:
    """A relay as it is configured: where it is, and how much it is given.

    `weight` is its part among the others. `connections` are those of one worker. `messages_per_connection` 0 means as
    many as it takes; rates are messages a second of all workers together, 0 is no limit.
    """

    name: str
    relay: Relay
    weight: int = 1
    connections: int = 20
    messages_per_connection: int = 0
    rate: float = 0.0
    provider_rates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderRule:
    """What is configured for a mailbox provider: further domains and MX names of it, its rate, and the connections of
    one worker that may carry its mail at once (0: any number)."""

    name: str
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    rate: float = 0.0
    connections: int = 0


@dataclass(frozen=True, slots=True)
class Relays:
    """All that is configured. `secrets` are the files that hold passwords, which nobody else should read."""

    routes: tuple[Route, ...]
    providers: tuple[ProviderRule, ...] = ()
    secrets: tuple[Path, ...] = ()

    def limits(self) -> dict[str, float]:
        """Messages a second by the names that `pace.Pace` takes: relay:main, provider:gmail, relay:main/provider:gmail."""
        found = {f"relay:{route.name}": route.rate for route in self.routes}
        found |= {f"provider:{rule.name}": rule.rate for rule in self.providers}
        for route in self.routes:
            found |= {f"relay:{route.name}/provider:{name}": rate for name, rate in route.provider_rates.items()}
        return {name: rate for name, rate in found.items() if rate}


def load_relays(settings: Settings) -> Relays:
    """The relays in force. Without a `[[relay]]` there is one, “main”, of the SMTP settings. Raises RelaysError."""
    raise NotImplementedError
