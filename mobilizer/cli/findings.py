"""Face: what `mobilizer doctor` looks at. Each question gives findings: what is there, what is missing, the fix."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy import func, select

from mobilizer import jobs
from mobilizer.cli.relays import spoken
from mobilizer.cli.storage import Finding, storage
from mobilizer.db import Database
from mobilizer.delivery import heartbeats
from mobilizer.delivery.limits import pace_of
from mobilizer.engagement.damaged import ENDING, damaged
from mobilizer.installation import Installation, wrong_keys
from mobilizer.keys import load_keyring
from mobilizer.organizers.users import User
from mobilizer.pace.store import Away
from mobilizer.settings import Settings
from mobilizer.transport.outcomes import Trouble
from mobilizer.transport.relay import Timeouts
from mobilizer.transport.relays import RELAYS_FILE, Relays, RelaysError, Route, load_relays
from mobilizer.transport.smtp import Connection

LEAST_PYTHON = (3, 11)
OTHERS_MAY_READ = 0o077
QUICKLY = Timeouts(connect=5, command=10, dot=10)


def findings(settings: Settings) -> Iterator[Finding]:
    """Everything, from the ground up; what leans on something missing is left out. Changes nothing."""
    yield python()
    yield from home(settings)
    yield queue(settings)
    database = Database(settings.database)
    try:
        stored = list(storage(database))
        yield from stored
        if all(finding.level != "missing" for finding in stored) and (settings.home / "keys.json").exists():
            keyring = load_keyring(settings.home)
            if wrong_keys(keyring, database):
                yield Finding(
                    "missing", "Keys", "not those of this database", "Bring the keys.json that belongs to it."
                )
            yield from _people(Installation(settings, database, keyring))
    finally:
        database.close()
    yield from relays(settings)
    yield from sender(settings)


def python() -> Finding:
    """Which Python runs this."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < LEAST_PYTHON:
        return Finding("missing", "Python", version, "Mobilizer needs Python 3.11 or later.")
    return Finding("ok", "Python", version)


def home(settings: Settings) -> Iterator[Finding]:
    """The home folder, its keys, its media."""
    keys = settings.home / "keys.json"
    if not keys.exists():
        yield Finding("missing", "Keys", f"none in {settings.home}", "Run mobilizer db upgrade: it makes them.")
    elif keys.stat().st_mode & OTHERS_MAY_READ:
        yield Finding("missing", "Keys", "others on this machine may read them", f"chmod 600 {keys}")
    else:
        yield Finding("ok", "Keys", f"{keys}, readable by this user only; keep a backup elsewhere")
    if settings.media.is_dir() and os.access(settings.media, os.W_OK):
        yield Finding("ok", "Media", f"{settings.media} can be written")
    else:
        yield Finding("missing", "Media", f"{settings.media} can't be written", f"mkdir -p {settings.media}")
    if laid_aside := damaged(settings.home):
        where = laid_aside[0].parent / f"*{ENDING}"
        says = f"{len(laid_aside)} parcels were damaged or of another version, and are not counted"
        yield Finding(
            "warn", "Clicks", says, f"Let all processes be of one version. They are kept for a month: {where}"
        )


def _people(installation: Installation) -> Iterator[Finding]:
    with installation.database.read() as session:
        workers, reconcilers = heartbeats.alive(session, "worker"), heartbeats.alive(session, "reconciler")
        users = session.scalar(select(func.count()).select_from(User).where(User.disabled_at.is_(None))) or 0
    if workers:
        yield Finding("ok", "Workers", f"{workers} alive")
    else:
        yield Finding("missing", "Workers", "none alive: nothing is sent", "mobilizer worker, one for each core")
    if reconcilers:
        yield Finding("ok", "Reconciler", "alive")
    else:
        yield Finding("missing", "Reconciler", "not alive: nothing is queued again or finished", "mobilizer reconcile")
    if not users:
        yield Finding("warn", "Users", "nobody can sign in yet", "mobilizer users code, and open /set-up")


def queue(settings: Settings) -> Finding:
    """The Redis-protocol server."""
    where = urlsplit(settings.redis_url)
    place = f"{where.hostname or where.path}{f':{where.port}' if where.port else ''}"
    try:
        waiting = len(jobs.queued(settings))
    except (RedisError, ValueError):
        return Finding("missing", "Queue", f"no answer from {place}", "Start a Redis server, or correct REDIS_URL.")
    return Finding("ok", "Queue", f"{place} answers, {waiting} jobs waiting")


def relays(settings: Settings) -> Iterator[Finding]:
    """Each relay that is configured, and whether others may read its password."""
    try:
        found = load_relays(settings)
        exposed = found.exposed()
    except RelaysError as error:
        yield Finding("missing", "Relays", str(error), f"Correct {settings.home / RELAYS_FILE}; see docs/relays.md.")
        return
    for path in exposed:
        yield Finding("warn", "Relays", f"others on this machine may read {path}", f"chmod 600 {path}")
    for route in found.routes:
        yield relay(route, f"Relay {route.name}" if len(found.routes) > 1 else "Relay")
    yield from pace(settings, found)


def pace(settings: Settings, relays: Relays) -> Iterator[Finding]:
    """What goes slower than it may, because a relay or a provider said so."""
    with suppress(Away):
        for one in pace_of(settings, relays).state():
            if one.slowed_since:
                says = f"{one.name} was slowed to {spoken(one.rate)} ({one.why or 'while Redis was away'})"
                yield Finding("warn", "Pace", says, "It recovers by itself; mobilizer relays shows how far it is.")


def relay(route: Route, about: str) -> Finding:
    """Whether a relay takes our call, protected and signed in as configured. Sends nothing."""
    place = f"{route.relay.host}:{route.relay.port}"
    try:
        Connection.open(route.relay, QUICKLY).close()
    except Trouble as trouble:
        fix = "Correct MOBILIZER_SMTP_HOST, _PORT, _TLS, _USER or _PASSWORD, or relays.toml."
        return Finding("missing", about, f"{place}: {trouble.reason}", fix)
    return Finding("ok", about, f"{place} answers, protection: {route.relay.tls}")


def sender(settings: Settings) -> Iterator[Finding]:
    """Who the mail is from."""
    if settings.sender_domain.endswith(("localhost", "localdomain")):
        fix = "Set MOBILIZER_SENDER_ADDRESS to an address of yours."
        yield Finding("missing", "Sender", f"{settings.sender_address} is nobody's", fix)
    else:
        yield Finding("ok", "Sender", settings.sender_address)
    if settings.postal_address:
        yield Finding("ok", "Postal address", settings.postal_address)
    else:
        fix = "Set MOBILIZER_POSTAL_ADDRESS: the law asks for it in every mail."
        yield Finding("missing", "Postal address", "not set", fix)
    folder = settings.home / "dkim" / settings.sender_domain
    if keys := sorted(folder.glob("*.pem")):
        yield Finding("ok", "DKIM", f"signed by {keys[-1].stem} of {settings.sender_domain}")
    else:
        yield Finding("warn", "DKIM", "mails are not signed here", f"Let the relay sign, or put a key into {folder}/.")
    address = urlsplit(settings.base_url)
    if address.scheme == "https" or address.hostname in ("127.0.0.1", "localhost", "::1"):
        yield Finding("ok", "Address", settings.base_url)
    else:
        yield Finding("warn", "Address", f"{settings.base_url} is not https", "Set MOBILIZER_BASE_URL to an https one.")
