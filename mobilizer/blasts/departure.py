"""Blasts: how a blast leaves. All at once, at one local hour in each time zone, to a few people first, or in variants
to a part of each language, of which the best goes to the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

DAY = timedelta(days=1)
ZONES = frozenset(available_timezones())
MOST_PERCENT, MOST_PEOPLE, MOST_HOURS = 50, 1_000_000, 168


class Past(StrEnum):
    """What becomes of a zone where the hour is over already when a blast is scheduled."""

    NOW = "now"
    NEXT_DAY = "next_day"


class Goal(StrEnum):
    """What tells which variant is best: how many of those who have it did this."""

    CLICKS = "clicks"
    WATCHES = "watches"
    SHARES = "shares"
    RECRUITS = "recruits"


@dataclass(frozen=True, slots=True)
class Departure:
    """How a blast leaves, beside when it is launched; empty: everyone at once.

    `hour` ("2026-12-01T09:30") is when each gets it by the clocks of their own time zone, `zone` whose clocks hold for
    a member without one, `past` what becomes of zones where it was over at `said_at` (UTC), when this was said.
    `percent` of the audience, or so many `people` of it, drawn by lot, go first; the others follow `after_hours` later,
    or with 0 when a person says so.
    `sample` people get each variant of a language, drawn by lot; the others of it follow `after_hours` later with the
    variant that did best by its `goal`, or with 0 with the one that a person chooses.
    """

    hour: str = ""
    zone: str = ""
    past: str = Past.NOW
    said_at: str = ""
    percent: int = 0
    people: int = 0
    after_hours: int = 0
    sample: int = 0
    goal: str = ""

    @property
    def written(self) -> dict[str, Any]:
        """As a column keeps it."""
        return {name: value for name, value in asdict(self).items() if value and (self.hour or name != "past")}

    def tries(self, people: int, variants: int) -> bool:
        """Whether so many people of one language are enough to try so many variants on: at least half of them are left
        to get the best one."""
        return bool(self.sample) and variants > 1 and 2 * self.sample * variants <= people

    def first_of(self, audience: int) -> int:
        """How many of an audience go first; 0 if there is no first wave."""
        return min(audience, self.people or -(-audience * self.percent // 100))

    def moment(self, zone: str | None) -> datetime:
        """When it leaves to a member of a zone, or of none that is known. Only with an `hour`.

        Of an hour that comes twice the first; one that clocks skip is as much later as they skip.
        """
        local, said_at = datetime.fromisoformat(self.hour), datetime.fromisoformat(self.said_at)
        name = zone if zone in ZONES else self.zone
        at = moment_of(local, str(name))
        if at > said_at:
            return at
        return said_at if self.past == Past.NOW else moment_of(local + DAY, str(name))

    def moments(self, zones: Iterable[str | None]) -> dict[datetime, list[str]]:
        """The zones of some members by their moment, the first moment first; members of none are where `zone` is."""
        found: dict[datetime, list[str]] = {self.moment(None): []}
        for zone in zones:
            found.setdefault(self.moment(zone), []).extend([zone] if zone else [])
        return dict(sorted(found.items()))


def departure_of(kept: Mapping[str, Any]) -> Departure:
    """What `Departure.written` wrote."""
    return Departure(**kept)


def moment_of(local: datetime, zone: str) -> datetime:
    """The moment, in UTC, at which clocks of a zone show a time: the first of two, later where they skip it."""
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def is_skipped(local: datetime, zone: str) -> bool:
    """Whether clocks of a zone never show a time, for they are put forward over it."""
    return moment_of(local, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local


def is_repeated(local: datetime, zone: str) -> bool:
    """Whether clocks of a zone show a time twice, for they are put back."""
    later = local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    return later > moment_of(local, zone)
