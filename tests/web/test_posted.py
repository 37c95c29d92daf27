"""What organizers see where a share link was posted in public; and that few people are not told apart in the report."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from mobilizer.audience.named_sharers import agree
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.results import LanguageResults
from mobilizer.organizers.policy import Role
from mobilizer.web.report import not_few
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, settle
from tests.web.conftest import Browser
from tests.worlds import World

RESULTS = "/blasts/love-always-wins/results"
SignIn = Callable[..., Browser]


@pytest.fixture
def posted(world: World) -> World:
    """One member's link was followed by a crowd; by another's came friends, machines and the member."""
    make_ready(world)
    world.launch()
    owner, friend = world.members[:2]
    for one in (owner, friend):
        settle(world, one, DeliveryState.ACCEPTED)
    with world.installation.database.write() as session:
        for via, kind, times, machine in (
            (owner, EventKind.VISIT, 63_892, "crowd"),
            (owner, EventKind.WATCH, 9_001, "crowd"),
            (friend, EventKind.VISIT, 14, ""),
            (friend, EventKind.WATCH, 8, ""),
            (friend, EventKind.VISIT, 21, "bot"),
            (friend, EventKind.VISIT, 2, "early"),
            (friend, EventKind.VISIT, 3, "own"),
        ):
            channel = "start" if kind == EventKind.WATCH else "x"
            told = {"step": 1, "channel": channel, "times": times, "machine": machine}
            session.add(Event(kind=kind, blast_id=world.blast_id, via_id=via, **told))
        for member in (owner, friend):
            agree(session, member, "Yes", "en")
    return world


def said(page: str) -> str:
    """What a page reads, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_shares_page_tells_machines_own_visits_and_crowds_apart(signed_in: SignIn, posted: World) -> None:
    page = said(signed_in(Role.ORGANIZER).get(f"{RESULTS}/shares").text)
    assert "Most visits came by one link that was posted in public: it alone was opened 63,892 times." in page
    for text in ("By machines 23", "By members’ own links 3", "By links posted in public 63,892 9,001 viewings"):
        assert text in page
    assert "Together 2 14 8 0" in page


def test_a_crowd_alone_is_not_called_nobody(signed_in: SignIn, world: World) -> None:
    make_ready(world)
    world.launch()
    organizer = signed_in(Role.ORGANIZER)
    assert "Nobody came by a share yet" in organizer.get(f"{RESULTS}/shares").text
    with world.installation.database.write() as session:
        told = {"via_id": world.members[0], "step": 1, "channel": "x", "times": 200, "machine": "crowd"}
        session.add(Event(kind=EventKind.VISIT, blast_id=world.blast_id, **told))
    page = organizer.get(f"{RESULTS}/shares").text
    assert "Nobody came by a share yet" not in page
    assert "it alone was opened 200 times" in page


def test_crowds_are_no_machines_in_the_report(signed_in: SignIn, posted: World) -> None:
    page = said(signed_in(Role.ORGANIZER).get(f"{RESULTS}/report").text)
    assert "23 acts of machines are left out. So are 63,892 visits by share links that were posted in public." in page


def test_the_report_tells_no_language_of_few_people_apart() -> None:
    def shown(**people: int) -> list[tuple[str, int, int]]:
        found = [LanguageResults(tag, many, joins=1) for tag, many in people.items()]
        return [(one.language, one.people, one.joins) for one in not_few(found)]

    assert shown(en=90, es=5) == [("en", 90, 1), ("es", 5, 1)]
    assert shown(en=90, es=4, ar=1) == [("en", 90, 1), ("", 5, 2)]
    # Who is alone would be found by taking the others from the whole.
    assert shown(en=90, es=40, ar=1) == [("en", 90, 1), ("", 41, 2)]
    assert shown(en=3) == [("", 3, 1)]
    assert shown() == []


def test_the_settings_are_in_groups_and_each_sees_their_own_doors(signed_in: SignIn) -> None:
    def groups(role: Role) -> list[tuple[str, str]]:
        doors = re.search(r'<nav class="grid doors".*?</nav>', signed_in(role).get("/settings").text, re.DOTALL)
        assert doors
        return re.findall(r'<h2[^>]*>([^<]+)</h2>|<a href="[^"]+">([^<]+)</a>', doors[0])

    admins = groups(Role.ADMIN)
    abouts = ["People and rights", "How mail goes out", "Members’ data", "Looks and languages"]
    assert [about for about, _door in admins if about] == abouts
    assert len([door for _about, door in admins if door]) == 10
    assert groups(Role.ORGANIZER)[0] == ("How mail goes out", "")
    viewer = signed_in(Role.VIEWER).get("/settings").text
    assert "doors" not in viewer
    assert 'href="/settings/safety">Safety</a>' in viewer
    assert "/settings/notices" not in viewer


@pytest.mark.browser
@pytest.mark.parametrize(("phone", "dark", "language"), [(False, False, "en"), (True, True, "ar")])
def test_what_a_crowd_did_is_read_on_any_screen(
    visitor: Callable[..., Page], posted: World, phone: bool, dark: bool, language: str
) -> None:
    page = visitor(Role.ADMIN, phone=phone, dark=dark, language=language)
    found = []
    for path in (f"{RESULTS}/shares", f"{RESULTS}/sharers", f"{RESULTS}/report", "/settings"):
        page.goto(path)
        if shots := os.environ.get("SHOTS", ""):
            look = f"{language}-{'phone' if phone else 'desktop'}-{'dark' if dark else 'light'}"
            page.screenshot(path=Path(shots) / f"posted-{look}-{path.rpartition('/')[2]}.png", full_page=True)
        found += faults(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert found == []
