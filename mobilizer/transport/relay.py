"""Transport: the relay that takes our mail, and where it may be."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal

from mobilizer.problems import N_
from mobilizer.settings import HELO
from mobilizer.transport.outcomes import Trouble

Protection = Literal["none", "starttls", "tls"]
_HELO = re.compile(HELO)


@dataclass(frozen=True, slots=True)
class Relay:
    """Where to send and how. `tls` is never undercut; `helo` empty: this host's name or address."""

    host: str
    port: int
    tls: Protection = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    helo: str = ""
    loopback_only: bool = False

    def __post_init__(self) -> None:
        if self.helo and not _HELO.fullmatch(self.helo):
            raise ValueError("The name said in EHLO must be a host name or an address literal.")
        if "\0" in self.user + self.password:
            raise ValueError("A user name or password can't contain a NUL.")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds to wait: for the connection, for an answer to a command, for the answer after the final dot
    (RFC 5321 4.5.3.2)."""

    connect: float = 30
    command: float = 300
    dot: float = 600


def dial(relay: Relay, timeouts: Timeouts) -> socket.socket:
    """A connected socket, inside TLS already where the relay wants it from the first byte. Raises Trouble."""
    plain = _connect(relay, timeouts)
    return protect(plain, relay, timeouts) if relay.tls == "tls" else plain


def protect(plain: socket.socket, relay: Relay, timeouts: Timeouts) -> socket.socket:
    """The same connection inside TLS, the relay's certificate and name checked. Raises Trouble."""
    plain.settimeout(timeouts.connect)
    try:
        return ssl.create_default_context().wrap_socket(plain, server_hostname=relay.host)
    except (OSError, ValueError) as error:
        plain.close()
        # Hanging up or saying nothing is what an overloaded relay does: that may pass. All else will not.
        passing = not isinstance(error, ssl.SSLError | ValueError) or isinstance(error, ssl.SSLEOFError)
        raise Trouble(
            N_("The connection could not be protected (TLS): %(reason)s"), fatal=not passing, reason=_said(error)
        ) from None


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine itself; an IPv4 address inside IPv6 is judged as IPv4."""
    ip = ip_address(address.partition("%")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def own_name(relay: Relay, connected: socket.socket) -> str:
    """What we call ourselves: the set name, this host's full name, else its address literal (RFC 5321 4.1.4)."""
    host = socket.gethostname()
    if relay.helo or ("." in host and _HELO.fullmatch(host)):
        return relay.helo or host
    address = str(connected.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _connect(relay: Relay, timeouts: Timeouts) -> socket.socket:
    reason = "its name has no address"
    for family, address in _addresses(relay):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeouts.connect)
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except OSError as error:
            sock.close()
            reason = _said(error)
    raise Trouble(
        N_("No connection to the relay %(host)s:%(port)s: %(reason)s"), host=relay.host, port=relay.port, reason=reason
    )


def _addresses(relay: Relay) -> list[tuple[int, tuple[str, int]]]:
    try:
        found = socket.getaddrinfo(relay.host, relay.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Trouble(
            N_("The relay's name %(host)s could not be looked up: %(reason)s"), host=relay.host, reason=_said(error)
        ) from None
    if relay.loopback_only and not all(is_loopback(str(entry[4][0])) for entry in found):
        raise Trouble(
            N_("%(host)s is not this machine, and this installation may not send elsewhere."),
            fatal=True,
            host=relay.host,
        )
    return [(entry[0], entry[4]) for entry in found]  # type: ignore[misc]


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
