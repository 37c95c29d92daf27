"""Web: when a blast leaves, told so that nobody is surprised. In three zones, or in each of the audience's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel import units
from markupsafe import Markup
from sqlalchemy.orm import Session

from mobilizer.audience.audience import count_by_zone
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.departure import ZONES, Departure, is_repeated, is_skipped
from mobilizer.blasts.narrowing import CannotChoose
from mobilizer.segments.choosing import whom
from mobilizer.web.time_zones import local_moment
from mobilizer.web.words import _, locale, number

UTC_ZONE = "UTC"
NAMED = 4  # zones that a line names
UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"))


@dataclass(frozen=True, slots=True)
class Stop:
    """People who get it at one moment: where they live, whether some live nobody knows where, whether the hour was over
    there, and how long it is to go."""

    at: datetime
    zones: str
    others: bool
    people: int
    over: bool
    to_go: str


def zones_of(session: Session, blast: Blast) -> list[tuple[str | None, int]]:
    """The time zones of whom a blast goes to, with their people, most first; nothing where that can't be said."""
    included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
    try:
        chosen = whom(session, blast)
    except CannotChoose:
        return []
    return count_by_zone(session, included, excluded, chosen.where if chosen else None)


def echoes(at: datetime, own: str, audience: Sequence[tuple[str | None, int]]) -> list[Markup]:
    """One moment in the organizer's zone, in UTC, and where most of the audience lives; each zone once."""
    largest = next((zone for zone, _people in audience if zone in ZONES), None)
    return [local_moment(at, zone) for zone in dict.fromkeys((own, UTC_ZONE, largest or UTC_ZONE)) if zone]


def stops(departure: Departure, audience: Sequence[tuple[str | None, int]], now: datetime) -> list[Stop]:
    """The moments at which it leaves, the first first, with those who get it then."""
    said_at, people = datetime.fromisoformat(departure.said_at), Counter(dict(audience))
    on_time = Departure(departure.hour, departure.zone, said_at=datetime.min.replace(tzinfo=UTC).isoformat())
    found = []
    for at, zones in departure.moments(people).items():
        there = [zone for zone in people if departure.moment(zone) == at]
        if there:
            over = any(on_time.moment(zone) <= said_at for zone in there)
            others = any(zone not in ZONES for zone in there)
            count = sum(people[zone] for zone in there)
            found.append(Stop(at, _named(zones), others, count, over, in_time(at, now)))
    return found


def skipped_in(departure: Departure, audience: Iterable[tuple[str | None, int]]) -> list[str]:
    """Zones of the audience whose clocks never show the hour on that day."""
    local = datetime.fromisoformat(departure.hour)
    return sorted(zone for zone, _people in audience if zone in ZONES and is_skipped(local, str(zone)) and zone)


def repeated_in(local: datetime, zones: Iterable[str | None]) -> list[str]:
    """Zones whose clocks show the hour twice on that day."""
    return sorted(zone for zone in dict.fromkeys(zones) if zone in ZONES and zone and is_repeated(local, zone))


def in_time(at: datetime, now: datetime) -> str:
    """ "in 1 day 3 h": how long it is until a moment, in its two largest units; "now" where it has come."""
    left, parts = int((at - now).total_seconds()), []
    for seconds, unit in UNITS:
        count, left = divmod(left, seconds) if left > 0 else (0, left)
        if count:
            parts.append(locale_unit(count, unit))
    return _("in %(time)s", time=" ".join(parts[:2])) if parts else _("now")


def locale_unit(count: int, unit: str) -> str:
    """A number of days, hours or minutes, short: "1 day", "3 hr"."""
    return units.format_unit(count, f"duration-{unit}", "short", locale=locale())


def _named(zones: Sequence[str]) -> str:
    """The first few zones by their cities, and how many more there are."""
    names = [ZoneInfo(zone).key.rpartition("/")[2].replace("_", " ") for zone in zones if zone in ZONES]
    said = ", ".join(sorted(names)[:NAMED])
    more = len(names) - NAMED
    return _("%(zones)s and %(n)s more", zones=said, n=number(more)) if more > 0 else said
