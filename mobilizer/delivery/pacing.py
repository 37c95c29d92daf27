"""Delivery: the pace and the mailbox providers of an installation, as its settings and relays have them."""

from __future__ import annotations

from mobilizer.installation import Installation
from mobilizer.pace.pace import Pace
from mobilizer.pace.providers import Providers
from mobilizer.settings import Settings
from mobilizer.transport.relays import Relays


def pace_of(settings: Settings, relays: Relays) -> Pace:
    """The tokens of one process, made after its fork; `close()` it at the end. Connects when first asked."""
    raise NotImplementedError


def providers_of(installation: Installation, relays: Relays) -> Providers:
    """Who has which domain's mailboxes. Asks no DNS where the installation may not leave this machine."""
    raise NotImplementedError
