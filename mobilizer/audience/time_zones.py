"""Audience: time zones. Those of the IANA's database that somebody's clock can go by."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

# This machine's own, what stands where none is set, and copies of all others: no place is called so.
NOWHERE = frozenset({"localtime", "Factory", "posixrules"})
COPIES = ("posix/", "right/", "SystemV/")


@cache
def time_zones() -> frozenset[str]:
    """The name of every time zone, as in “America/Mexico_City”."""
    return frozenset(name for name in available_timezones() if name not in NOWHERE and not name.startswith(COPIES))
