"""How a blast leaves: the law of one local hour in every zone, whatever the clocks do there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from mobilizer.blasts.departure import ZONES, Departure, Past, departure_of, is_repeated, is_skipped, moment_of

ZONE = st.sampled_from(sorted(ZONES))
# Nights in which clocks are put forward or back, somewhere; and any other time.
NIGHTS = ["2027-03-14", "2027-03-28", "2027-10-31", "2027-11-07", "2027-04-04", "2027-10-03"]
LOCAL = st.builds(
    lambda night, minutes: datetime.fromisoformat(night) + timedelta(minutes=minutes),
    st.sampled_from(NIGHTS),
    st.integers(0, 1439),
) | st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2030-01-01"))


@given(LOCAL, ZONE)
def test_clocks_show_the_hour_at_its_moment_unless_they_skip_it(local: datetime, zone: str) -> None:
    at = moment_of(local, zone)
    shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert (shown == local) != is_skipped(local, zone)
    assert not is_skipped(local, zone) or shown > local, "later, never earlier"
    if is_repeated(local, zone):
        assert not is_skipped(local, zone)
        before = [at - timedelta(minutes=n) for n in range(30, 181, 30)]
        assert all(one.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local for one in before), "it is the first"


@given(LOCAL, ZONE, st.lists(ZONE | st.none() | st.just("Mars/Olympus")), st.sampled_from(Past), st.integers(-30, 30))
def test_every_member_has_exactly_one_moment_and_none_before_it_was_said(
    local: datetime, zone: str, zones: list[str | None], past: Past, hours: int
) -> None:
    said_at = (moment_of(local, zone) + timedelta(hours=hours)).replace(microsecond=0)
    departure = Departure(local.isoformat(), zone, past, said_at.isoformat())
    assert departure_of(departure.written) == departure
    moments = departure.moments(zones)
    assert list(moments) == sorted(moments)
    for each in [*zones, None]:
        at = departure.moment(each)
        assert at in moments
        assert at >= said_at or past == Past.NEXT_DAY
        assert at > said_at or past == Past.NOW or hours > 10
        assert each is None or each in moments[at]
    assert sum(map(len, moments.values())) == len([each for each in zones if each])


@given(st.integers(0, 10**6), st.integers(0, 50), st.integers(0, 10**6))
def test_some_go_first_wherever_somebody_shall(audience: int, percent: int, people: int) -> None:
    first = Departure(percent=percent, people=people).first_of(audience)
    assert 0 <= first <= audience
    assert (first > 0) == (audience > 0 and (percent > 0 or people > 0))


def test_a_skipped_hour_comes_later_and_a_doubled_one_is_the_first() -> None:
    lisbon = "Europe/Lisbon"
    spring, autumn = datetime.fromisoformat("2027-03-28T01:30"), datetime.fromisoformat("2027-10-31T01:30")
    assert (is_skipped(spring, lisbon), is_repeated(autumn, lisbon)) == (True, True)
    assert moment_of(spring, lisbon) == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    assert moment_of(autumn, lisbon) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
