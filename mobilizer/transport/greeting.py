"""Transport: the start of an SMTP session. EHLO, protection and sign-in, never less than asked for."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from mobilizer.problems import N_
from mobilizer.transport.losses import Lost
from mobilizer.transport.outcomes import Trouble
from mobilizer.transport.relay import Relay, Timeouts, dial, is_loopback, own_name, protect
from mobilizer.transport.wire import Reply, Wire


@dataclass(frozen=True, slots=True)
class Offers:
    """What the relay said it can do (RFC 5321 2.2): keyword -> parameters, both in capitals."""

    keywords: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.keywords

    @property
    def mechanisms(self) -> frozenset[str]:
        """The ways to sign in."""
        return frozenset(self.keywords.get("AUTH", "").split())

    @property
    def largest(self) -> int:
        """The most bytes a message may have (RFC 1870); 0: not said."""
        size = self.keywords.get("SIZE", "").strip()
        return int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0


def greet(relay: Relay, timeouts: Timeouts) -> tuple[Wire, Offers]:
    """A session that is ready for its first message. Raises Trouble; then nothing is left open."""
    wire = Wire(dial(relay, timeouts))
    try:
        return _greeted(wire, relay, timeouts)
    except Lost as lost:
        raise Trouble(
            N_("The relay %(host)s could not be greeted: %(reason)s"), host=relay.host, reason=lost.reason
        ) from None
    except Trouble:
        wire.close()
        raise


def _greeted(wire: Wire, relay: Relay, timeouts: Timeouts) -> tuple[Wire, Offers]:
    banner = wire.read(timeouts.command)
    if banner.code != 220:
        raise Trouble(N_("The relay refused the connection: %(reply)s"), said=banner)
    offers = _introduce(wire, relay, timeouts)
    if relay.tls == "starttls":
        wire = _start_tls(wire, offers, relay, timeouts)
        # What was offered in clear may have been tampered with: it is forgotten (RFC 3207 4.2).
        offers = _introduce(wire, relay, timeouts)
    if relay.user:
        _sign_in(wire, offers, relay, timeouts)
    return wire, offers


def _introduce(wire: Wire, relay: Relay, timeouts: Timeouts) -> Offers:
    name = own_name(relay, wire.socket)
    reply = _ask(wire, f"EHLO {name}", timeouts)
    if reply.kind == 2:
        return Offers({key: more for line in reply.lines[1:] for key, more in [_offer(line)]})
    if reply.code != 421 and reply.kind == 5:
        reply = _ask(wire, f"HELO {name}", timeouts)
    if reply.kind != 2:
        raise Trouble(N_("The relay refused our name “%(name)s”: %(reply)s"), name=name, said=reply)
    return Offers()


def _offer(line: str) -> tuple[str, str]:
    # "AUTH=PLAIN" is how servers older than the standard said "AUTH PLAIN".
    line = line.upper()
    keyword, _, more = ("AUTH " + line[5:] if line.startswith("AUTH=") else line).partition(" ")
    return keyword, more


def _start_tls(wire: Wire, offers: Offers, relay: Relay, timeouts: Timeouts) -> Wire:
    if "STARTTLS" not in offers:
        raise Trouble(N_("The relay offers no protection (STARTTLS), and nothing is sent in clear."), fatal=True)
    reply = _ask(wire, "STARTTLS", timeouts)
    if reply.code != 220:
        raise Trouble(
            N_("The relay refused to protect the connection (STARTTLS): %(reply)s"),
            fatal=reply.code != 421,
            said=reply,
        )
    if not wire.quiet():
        raise Trouble(N_("Something spoke in clear after STARTTLS was agreed."), fatal=True)
    return Wire(protect(wire.socket, relay, timeouts))


def _sign_in(wire: Wire, offers: Offers, relay: Relay, timeouts: Timeouts) -> None:
    if relay.tls == "none" and not is_loopback(str(wire.socket.getpeername()[0])):
        raise Trouble(
            N_("A password is never sent in clear: set the relay's protection to starttls or tls."), fatal=True
        )
    if "PLAIN" in offers.mechanisms:
        reply = _ask(wire, "AUTH PLAIN " + _base64("\0".join(("", relay.user, relay.password))), timeouts)
    elif "LOGIN" in offers.mechanisms:
        reply = _ask(wire, "AUTH LOGIN", timeouts)
        for word in (relay.user, relay.password):
            reply = _ask(wire, _base64(word), timeouts) if reply.code == 334 else reply
    else:
        raise Trouble(N_("The relay offers no way to sign in that we know (PLAIN or LOGIN)."), fatal=True)
    if reply.kind != 2:
        raise Trouble(N_("The relay refused our sign-in: %(reply)s"), fatal=reply.kind != 4, said=reply)


def _ask(wire: Wire, command: str, timeouts: Timeouts) -> Reply:
    wire.write(command.encode("ascii") + b"\r\n", timeouts.command)
    return wire.read(timeouts.command)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
