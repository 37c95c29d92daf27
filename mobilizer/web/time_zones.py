"""Web: times as an organizer types them, in the zone they live in, and as moments."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

from babel import dates
from flask import session
from markupsafe import Markup

from mobilizer.audience.time_zones import time_zones
from mobilizer.blasts import departure
from mobilizer.blasts.departure import is_skipped
from mobilizer.web.words import _, locale

KEY = "zone"
# Names kept for old programs: every place has one with its continent.
OLD = ("Etc/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")


@cache
def zones() -> dict[str, tuple[str, ...]]:
    """Every time zone by its continent, UTC before all."""
    found: dict[str, list[str]] = {}
    for name in sorted(time_zones()):
        if "/" in name and not name.startswith(OLD):
            found.setdefault(name.partition("/")[0], []).append(name)
    return {"UTC": ("UTC",), **{continent: tuple(names) for continent, names in found.items()}}


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name to choose."""
    return name in zones().get(name.partition("/")[0], ())


def own_zone() -> str:
    """The zone that this browser chose last, or none."""
    chosen = session.get(KEY, "")
    return chosen if isinstance(chosen, str) and is_zone(chosen) else ""


def remember_zone(name: str) -> None:
    """Keep a zone for this browser's next choice."""
    session[KEY] = name


def moment_of(day: str, hour: str, zone: str) -> datetime | str:
    """The moment of a day ('2026-03-29') and an hour ('09:30') as typed, or why there is none."""
    try:
        typed = datetime.fromisoformat(f"{day}T{hour}")
    except ValueError:
        return _("Type a day and a time.")
    if not is_zone(zone) or typed.tzinfo is not None:
        return _("Choose a time zone.")
    if is_skipped(typed, zone):
        return _("The clocks of that place skip this time on that day. Choose another one.")
    return departure.moment_of(typed, zone)


def local_moment(at: datetime, zone: str) -> Markup:
    """A moment in a zone, with its weekday and the zone's name."""
    there = at.astimezone(ZoneInfo(zone))
    said = dates.format_datetime(there, "EEEE d MMMM y, HH:mm", locale=locale())
    return Markup('<time datetime="{}">{}</time> <bdi>({})</bdi>').format(at.isoformat(timespec="seconds"), said, zone)
