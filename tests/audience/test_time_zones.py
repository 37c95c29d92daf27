"""Time zones: those of places, and no names that a machine has for its own use."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from mobilizer.audience.candidates import Candidate, read_row
from mobilizer.audience.choices import Choices
from mobilizer.audience.rows import Row
from mobilizer.audience.time_zones import time_zones
from mobilizer.segments.kinds import ZONE, Unfit


@pytest.mark.parametrize(
    "name", ["localtime", "Factory", "posixrules", "posix/Europe/Berlin", "right/UTC", "Mars/Base"]
)
def test_what_is_no_place_is_no_time_zone(name: str) -> None:
    assert name not in time_zones()
    with pytest.raises(Unfit):
        ZONE.read(name)
    read = read_row(Row(2, ["a@example.org", name]), Choices({"email": 0, "time_zone": 1}, "en"))
    assert isinstance(read, Candidate)
    assert (read.time_zone, [one.code for one in read.remarks]) == (None, ["import.unknown_zone"])


def test_every_time_zone_has_its_rules() -> None:
    assert {"UTC", "America/Mexico_City", "Asia/Kolkata", "Etc/GMT+5"} <= time_zones()
    assert all(ZoneInfo(name).key == name for name in time_zones())
