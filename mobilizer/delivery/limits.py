"""Delivery: limits. The pace and the mailbox providers of an installation, as its settings and relays have them."""

from __future__ import annotations

from redis import Redis

from mobilizer.delivery import heartbeats
from mobilizer.installation import Installation
from mobilizer.pace.lookups import Lookups, mail_servers
from mobilizer.pace.mailboxes import hosted
from mobilizer.pace.pace import Pace
from mobilizer.pace.providers import Providers
from mobilizer.pace.store import TIMEOUT_SECONDS, Away, Standing, Store
from mobilizer.settings import Settings
from mobilizer.transport.relays import Relays, RelaysError, load_relays


def pace_of(settings: Settings, relays: Relays, alive: int = 0) -> Pace:
    """The tokens of one process, made after its fork; `close()` it at the end. Connects when first asked.

    `alive` are the workers that the database knows of, where Redis may be away and can't say.
    """
    return Pace(Store.at(settings.redis_url), relays.limits(), max(settings.expected_workers, alive))


def pace_beside_others(installation: Installation, relays: Relays) -> Pace:
    """The same for a process that sends: its share without Redis is one among all workers that are alive."""
    with installation.database.read() as session:
        return pace_of(installation.settings, relays, heartbeats.alive(session, "worker"))


def in_force(settings: Settings) -> list[Standing]:
    """What limits the mail that leaves now, configured or slowed; nothing where that can't be known."""
    try:
        standings = pace_of(settings, load_relays(settings)).state()
    except (Away, RelaysError):
        return []
    return [standing for standing in standings if standing.rate]


def providers_of(installation: Installation, relays: Relays) -> Providers:
    """Who has which domain's mailboxes. Asks no DNS where the installation may not leave this machine."""
    domains = {rule.name: rule.domains for rule in relays.providers}
    if installation.settings.loopback_only:
        return Providers(domains)
    servers = {host: rule.name for rule in relays.providers for host in rule.mx}
    return Providers(domains, _lookups(installation, servers))


def _lookups(installation: Installation, servers: dict[str, str]) -> Lookups:
    redis = Redis.from_url(
        installation.settings.redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
    # What other names of servers gave is not what these would give: it is kept apart.
    known = ",".join(sorted(f"{host}={name}" for host, name in servers.items()))
    return Lookups(
        lambda domain: hosted(mail_servers(domain), servers),
        redis,
        lambda domain: installation.keyring.domain_key(f"{domain} {known}"),
    )
