"""Transport: the relays that are configured, from `relays.toml` in the home folder or the SMTP settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mobilizer.settings import Settings, per_second
from mobilizer.transport.relay import Relay
from mobilizer.transport.relays_file import ProviderTable, RelaysError, RelayTable, read

__all__ = ["ProviderRule", "Relays", "RelaysError", "Route", "load_relays"]

RELAYS_FILE = "relays.toml"
MAIN = "main"
OTHERS_MAY_READ = 0o044


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
    """What is configured for a mailbox provider: further domains and MX names of it, and its rate."""

    name: str
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Relays:
    """All that is configured. `secrets` are the files that hold passwords, which nobody else should read."""

    routes: tuple[Route, ...]
    providers: tuple[ProviderRule, ...] = ()
    secrets: tuple[Path, ...] = ()

    def limits(self) -> dict[str, float]:
        """Messages a second by the names `pace.Pace` takes: relay:main, provider:gmail, relay:main/provider:gmail."""
        found = {f"relay:{route.name}": route.rate for route in self.routes}
        found |= {f"provider:{rule.name}": rule.rate for rule in self.providers}
        for route in self.routes:
            found |= {f"relay:{route.name}/provider:{name}": rate for name, rate in route.provider_rates.items()}
        return {name: rate for name, rate in found.items() if rate}

    def exposed(self) -> list[Path]:
        """The files with passwords that others on this machine may read."""
        return [path for path in self.secrets if path.stat().st_mode & OTHERS_MAY_READ]


def load_relays(settings: Settings) -> Relays:
    """The relays in force: those of `relays.toml`, else one, “main”, of the SMTP settings. Raises RelaysError."""
    path = settings.home / RELAYS_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Relays((_of_settings(settings),))
    except (OSError, UnicodeError) as error:
        raise RelaysError(f"{RELAYS_FILE} can't be read: {error}") from None
    try:
        tables = read(text)
    except (tomllib.TOMLDecodeError, RelaysError) as error:
        raise RelaysError(f"{RELAYS_FILE}: {error}") from None
    routes = tuple(_route(table, settings) for table in tables.relay) or (_of_settings(settings),)
    secrets = [path] * any(table.password for table in tables.relay)
    secrets += [settings.home / table.password_file for table in tables.relay if table.password_file]
    return Relays(routes, tuple(map(_rule, tables.provider)), tuple(secrets))


def _of_settings(settings: Settings) -> Route:
    return Route(
        MAIN,
        Relay(
            host=settings.smtp_host,
            port=settings.smtp_port,
            tls=settings.smtp_tls,
            user=settings.smtp_user,
            password=settings.smtp_password,
            helo=settings.helo_name,
            loopback_only=settings.loopback_only,
        ),
        connections=settings.smtp_connections,
        messages_per_connection=settings.smtp_messages_per_connection,
        rate=per_second(settings.smtp_rate),
    )


def _route(table: RelayTable, settings: Settings) -> Route:
    try:
        relay = Relay(
            host=table.host,
            port=table.port,
            tls=table.tls,
            user=table.user,
            password=_password(table, settings.home),
            helo=table.helo or settings.helo_name,
            loopback_only=settings.loopback_only,
        )
    except ValueError as error:
        raise RelaysError(f"{RELAYS_FILE}: relay “{table.name}”: {error}") from None
    return Route(
        table.name,
        relay,
        weight=table.weight,
        connections=table.connections,
        messages_per_connection=table.messages_per_connection,
        rate=per_second(table.rate),
        provider_rates={name: per_second(rate) for name, rate in table.provider_rates.items()},
    )


def _password(table: RelayTable, home: Path) -> str:
    if not table.password_file:
        return table.password
    try:
        return (home / table.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ValueError(f"password_file {table.password_file} can't be read: {reason}") from None


def _rule(table: ProviderTable) -> ProviderRule:
    return ProviderRule(table.name, tuple(table.domains), tuple(table.mx), per_second(table.rate))
