"""Faces: how often one may try. Counted in Redis; where it can't be counted, signing in is refused."""

from __future__ import annotations

import hashlib
import time
from ipaddress import IPv4Address, ip_address

from flask import Flask, g, request
from flask_limiter import Limiter
from limits import parse
from redis.exceptions import RedisError

from mobilizer.http import installation

SIGN_IN_BY_BROWSER = "20 per minute; 100 per hour"
SIGN_IN_BY_ACCOUNT = "10 per 15 minutes"
FIRST_RUN = "10 per 15 minutes"
INVITATIONS = "30 per minute; 200 per hour"

DAY_SECONDS = 24 * 3600


def whence() -> str:
    """A name for where a request comes from that does not tell the network address."""
    return _blind(_network(request.remote_addr or ""))


def whom() -> str:
    """A name for the account that a sign-in is for, known or not."""
    return _blind(request.form.get("email", "").strip().lower())


def own() -> str:
    """A name for whoever is signed in, or still owes the second half of it."""
    return _blind(f"user {g.me.id if g.me else g.half_id}")


limiter = Limiter(key_func=whence, strategy="moving-window", swallow_errors=False)


def install_limits(app: Flask, storage: str) -> None:
    """Count in a Redis-protocol server, or in 'memory://' (one process only)."""
    if storage.startswith("unix://"):
        storage = "redis+" + storage
    app.config.update(RATELIMIT_STORAGE_URI=storage, RATELIMIT_HEADERS_ENABLED=False)
    limiter.init_app(app)


def within(*limits: str) -> bool:
    """Count one more try from where this request comes, and say whether it is within the limits ("30 per hour").

    What is not counted, with Redis away, is let through: whoever asks this has another bound behind it.
    """
    try:
        hits = [limiter.limiter.hit(parse(limit), request.endpoint or "", whence()) for limit in limits]
        return all(hits)  # each is counted, whatever the others say
    except RedisError:
        return True


def _network(address: str) -> str:
    """An IPv4 address; of IPv6 the network of 64 bits, for one machine has every address of it (RFC 4291, 2.5.4)."""
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return address
    return str(known.ipv4_mapped or known.packed[:8].hex())


def _blind(text: str) -> str:
    """Another name each day, so that nobody is known by it for longer than a day; Redis forgets it as soon."""
    key, today = installation().keyring.cookie_secret, int(time.time() // DAY_SECONDS)
    return hashlib.blake2b(f"{today} {text}".encode(), key=key, digest_size=16, person=b"limit").hexdigest()
