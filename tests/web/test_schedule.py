"""Send later: a time of a place, a moment for everyone, and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.blasts.departure import Departure, departure_of, is_repeated, is_skipped
from mobilizer.blasts.departure import moment_of as moment_there
from mobilizer.db import clock
from mobilizer.delivery import reconcile
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.web.time_zones import moment_of, zones
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = "/blasts/love-always-wins"
LAUNCH, SCHEDULE, SCHEDULED = f"{BLAST}/launch", f"{BLAST}/schedule", f"{BLAST}/scheduled"


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    return signed_in(Role.ORGANIZER)


def tomorrow(zone: str = "Asia/Tokyo") -> dict[str, str]:
    at = datetime.now(ZoneInfo(zone)) + timedelta(days=1)
    return {"day": f"{at:%Y-%m-%d}", "hour": "09:30", "zone": zone, "later_people": "5"}


def test_it_leaves_at_the_time_of_a_place(organizer: Browser, world: World) -> None:
    form = tomorrow()
    assert organizer.post(SCHEDULE, **form, **seen(organizer, LAUNCH)).location == SCHEDULED
    blast = world.blast()
    assert blast.state == "scheduled"
    assert blast.scheduled_at == datetime.fromisoformat(f"{form['day']}T00:30").replace(tzinfo=UTC)
    page = organizer.get(SCHEDULED).text
    assert "09:30" in page
    assert "Asia/Tokyo" in page
    assert "12:30" in page or "00:30" in page or "12:30 AM" in page, "and in UTC"
    with world.installation.database.read() as session:
        assert set(session.scalars(select(Rendition.language))) == {"en", "es"}
        assert session.scalars(select(AuditEntry.action)).all() == ["blast.schedule"]


def test_a_scheduled_blast_has_one_place_and_every_other_page_leads_there(organizer: Browser, world: World) -> None:
    organizer.post(SCHEDULE, **tomorrow(), **seen(organizer, LAUNCH))
    for page in ("", "/check", "/launch", "/progress", "/results", "/deliveries", "/uncertain"):
        assert organizer.get(BLAST + page).location == SCHEDULED, page
    assert organizer.post(LAUNCH, people="5", seen_blast="1", seen_appeal="1").location == SCHEDULED


def test_the_time_can_be_taken_back_and_another_one_chosen(organizer: Browser, world: World) -> None:
    organizer.post(SCHEDULE, **tomorrow(), **seen(organizer, LAUNCH))
    assert organizer.post(f"{BLAST}/unschedule").location == BLAST
    assert (world.blast().state, world.blast().scheduled_at) == ("ready", None)
    organizer.post(f"{BLAST}/unschedule")
    assert "the blast has moved on meanwhile" in organizer.get(f"{BLAST}/check").text
    assert "option selected>Asia/Tokyo</option>" in organizer.get(LAUNCH).text, "the zone is remembered"
    assert organizer.post(SCHEDULE, **tomorrow(), **seen(organizer, LAUNCH)).location == SCHEDULED


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"day": "2020-01-01"}, "That time is over"),
        ({"day": "2999-01-01"}, "within a year"),
        ({"day": "soon"}, "Type a day and a time."),
        ({"hour": ""}, "Type a day and a time."),
        ({"hour": "09:30+02:00"}, "Choose a time zone."),
        ({"zone": "Mars/Olympus"}, "Choose a time zone."),
        ({"zone": "../etc/passwd"}, "Choose a time zone."),
        ({"later_people": "6"}, "That is not the number of people."),
    ],
)
def test_what_is_no_time_schedules_nothing(organizer: Browser, world: World, wrong: dict[str, str], said: str) -> None:
    answer = organizer.post(SCHEDULE, **{**tomorrow(), **wrong}, **seen(organizer, LAUNCH))
    assert answer.status_code == 422
    assert said in answer.text
    assert world.blast().state == "draft"


def test_what_has_changed_since_it_was_seen_is_not_scheduled(organizer: Browser, world: World) -> None:
    form = {**tomorrow(), **seen(organizer, LAUNCH)}
    words = "/appeals/love-always-wins/words/es"
    organizer.post(words, button="Otro", **seen(organizer, words))
    answer = organizer.post(SCHEDULE, **form)
    assert answer.status_code == 409
    assert "has changed since you looked" in answer.text


def test_an_hour_that_the_clocks_skip_is_refused_and_one_they_repeat_is_the_first(app: Flask) -> None:
    with app.test_request_context():
        assert "skip this time" in str(moment_of("2027-03-28", "01:30", "Europe/Lisbon"))
        assert moment_of("2026-10-25", "01:30", "Europe/Lisbon") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_every_zone_can_be_chosen_once() -> None:
    names = [name for some in zones().values() for name in some]
    assert len(names) == len(set(names)) > 400
    assert {"UTC", "America/Sao_Paulo", "Africa/Cairo"} <= set(names)


def test_a_late_one_asks_and_says_what_to_do(organizer: Browser, world: World) -> None:
    organizer.post(SCHEDULE, **tomorrow(), **seen(organizer, LAUNCH))
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(scheduled_at=clock(-2 * 3600)))
        reconcile.start_due(session)
    for page in (LAUNCH, f"{BLAST}/check", "/"):
        assert "send it now, or choose another time" in organizer.get(page).text, page
    organizer.post(SCHEDULE, **tomorrow(), **seen(organizer, LAUNCH))
    assert world.blast().hold_reason == ""
    assert "send it now, or choose another time" not in organizer.get("/").text


def live_in(world: World, *zones: str | None) -> None:
    with world.installation.database.write() as session:
        for member, zone in zip(world.members, zones, strict=False):
            session.execute(update(Member).where(Member.id == member).values(time_zone=zone))


def test_a_time_is_told_in_three_zones_before_anybody_says_yes(organizer: Browser, world: World) -> None:
    live_in(world, "America/Lima", "America/Lima", "Asia/Seoul")
    at = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(days=2)
    asked = {"day": f"{at:%Y-%m-%d}", "hour": "09:30", "zone": "Asia/Tokyo"}
    page = organizer.get(f"{SCHEDULE}?{urlencode(asked)}").text
    for said in ("09:30", "(Asia/Tokyo)", "00:30", "(UTC)", "19:30", "(America/Lima)"):
        assert said in page, said
    assert re.search(r"in [12] days?", page), "by the hour that it is in Tokyo"
    assert world.blast().state == "draft", "to look changes nothing"
    assert organizer.get(f"{SCHEDULE}?{urlencode({**asked, 'hour': '99:99'})}").status_code == 422


def test_the_same_hour_everywhere_is_told_zone_by_zone_and_kept(organizer: Browser, world: World) -> None:
    live_in(world, "Asia/Tokyo", "Asia/Seoul", "Europe/Lisbon", "America/Lima")
    form = {**tomorrow("Europe/Lisbon"), "each": "yes"}
    page = organizer.get(f"{SCHEDULE}?{urlencode(form)}").text
    assert "Seoul, Tokyo" in page
    both = organizer.post(SCHEDULE, **form, first="1", first_of="percent", **seen(organizer, LAUNCH))
    assert (both.status_code, "choose one of them" in both.text) == (422, True)
    assert world.blast().state != "scheduled"
    assert "Whoever has no time zone gets it by Europe/Lisbon." in page
    assert organizer.post(SCHEDULE, **form, **seen(organizer, LAUNCH)).location == SCHEDULED
    blast = world.blast()
    assert blast.departure["hour"] == f"{form['day']}T09:30:00"
    tokyo = moment_there(datetime.fromisoformat(f"{form['day']}T09:30"), "Asia/Tokyo")
    soonest = datetime.now(UTC) - timedelta(seconds=60)
    assert blast.scheduled_at == tokyo or (tokyo < datetime.now(UTC) and blast.scheduled_at > soonest)
    assert "That is the first of them" in organizer.get(SCHEDULED).text
    organizer.post(f"{BLAST}/unschedule")
    assert world.blast().departure == {}


def test_where_the_hour_is_over_already_is_said_before(organizer: Browser, world: World) -> None:
    live_in(world, "Pacific/Kiritimati")  # 14 hours ahead of UTC
    soon = datetime.now(UTC) + timedelta(minutes=10)
    form = {"day": f"{soon:%Y-%m-%d}", "hour": f"{soon:%H:%M}", "zone": "UTC", "each": "yes", "later_people": "5"}
    page = organizer.get(f"{SCHEDULE}?{urlencode(form)}").text
    assert "Over there already: at once" in page
    next_day = {**form, "past": "next_day"}
    assert "Over there already: the next day" in organizer.get(f"{SCHEDULE}?{urlencode(next_day)}").text
    organizer.post(SCHEDULE, **next_day, **seen(organizer, LAUNCH))
    departure = departure_of(world.blast().departure)
    assert departure.moment("Pacific/Kiritimati") == departure.moment(None) + timedelta(hours=10)


def test_an_hour_that_some_of_them_do_not_have_is_refused_and_one_that_comes_twice_is_told(
    organizer: Browser, world: World
) -> None:
    live_in(world, "Europe/Lisbon", "Europe/Berlin")
    spring, autumn = (next_night(test) for test in (is_skipped, is_repeated))
    form = {"day": spring, "hour": "01:30", "zone": "America/Lima", "each": "yes"}
    page = organizer.get(f"{SCHEDULE}?{urlencode(form)}")
    assert (page.status_code, "on that day in: Europe/Lisbon." in page.text) == (422, True)
    twice = {"day": autumn, "hour": "01:30", "zone": "Europe/Lisbon"}
    assert "twice on that day; it leaves the first time" in organizer.get(f"{SCHEDULE}?{urlencode(twice)}").text


def next_night(is_so: Callable[[datetime, str], bool]) -> str:
    """The next day on which something is so of half past one in Lisbon."""
    midnight = datetime.fromisoformat(f"{datetime.now(UTC):%Y-%m-%d}T01:30")
    found = (midnight + timedelta(days=n) for n in range(1, 366))
    return next(f"{at:%Y-%m-%d}" for at in found if is_so(at, "Europe/Lisbon"))


def test_a_few_go_first_as_it_was_typed(organizer: Browser, world: World) -> None:
    form = {"people": "5", "first": "٢", "first_of": "people", "after_hours": "3"}
    wrong = organizer.post(LAUNCH, **{**form, "first": "0"}, **seen(organizer, LAUNCH))
    assert (wrong.status_code, "Type how many go first: from 1 to" in wrong.text) == (422, True)
    wrong = organizer.post(LAUNCH, **{**form, "after_hours": "999"}, **seen(organizer, LAUNCH))
    assert (wrong.status_code, "at most 168" in wrong.text) == (422, True)
    organizer.post(LAUNCH, **form, **seen(organizer, LAUNCH))
    assert departure_of(world.blast().departure) == Departure(people=2, after_hours=3)
