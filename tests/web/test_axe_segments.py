"""The pages of segments in a real browser: nothing that axe finds, with script and without, on phone and in Arabic."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from mobilizer.organizers.policy import Role
from mobilizer.segments import keeping
from mobilizer.segments.tree import read_rules
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.worlds import World

pytestmark = pytest.mark.browser

PATHS = ("/segments", "/segments/new", "/segments/friends", "/segments/friends/edit", "/blasts/new")
LOOKS = [
    {"phone": False, "dark": False, "language": "en"},
    {"phone": True, "dark": True, "language": "ar"},
]
RULES = [
    {"any": [{"rule": "language_family", "language": "pt"}, {"rule": "language", "language": "es"}]},
    {
        "all": [
            {"not": {"rule": "did_within", "act": "click", "days": 30}},
            {"rule": "on_list", "list": 1, "standing": "confirmed"},
            {"rule": "field_one_of", "name": "size", "texts": ["S", "M"]},
            {"rule": "drawn", "share": 10, "draw": 1},
        ]
    },
]


@pytest.fixture
def friends(world: World) -> World:
    with world.installation.database.write() as session:
        keeping.create(session, "Friends", read_rules(RULES))
        keeping.create(session, "Spanish", read_rules([{"rule": "language", "language": "es"}]))
    world.launch()
    return world


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look.values())))
def test_pages_of_segments_have_no_fault(visitor: Callable[..., Page], friends: World, look: dict[str, object]) -> None:
    page = visitor(Role.ADMIN, **look)
    found = []
    for path in PATHS:
        page.goto(path)
        found += faults(page)
    assert found == []


def test_a_segment_is_made_on_a_phone_without_script(visitor: Callable[..., Page], world: World) -> None:
    page = visitor(Role.ORGANIZER, phone=True, java_script_enabled=False)
    page.goto("/segments/new")
    page.get_by_label("Name of the segment").fill("Spanish")
    page.get_by_label("One more rule").select_option("language")
    page.get_by_role("button", name="Add the rule").click()
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Count", exact=True).last.click()
    expect(page.get_by_text("2 people fit and can be mailed")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spanish")


def test_people_are_counted_while_the_rules_are_chosen(visitor: Callable[..., Page], world: World) -> None:
    page = visitor(Role.ORGANIZER)
    page.goto("/segments/new")
    page.get_by_label("One more rule").select_option("language")
    page.get_by_role("button", name="Add the rule").click()
    expect(page.locator("#count")).not_to_contain_text("people fit")
    page.get_by_label("Language").select_option("es")
    expect(page.locator("#count")).to_contain_text("2 people fit", timeout=15_000)
    page.get_by_label("The opposite").check()
    expect(page.locator("#count")).to_contain_text("3 people fit", timeout=15_000)
    assert faults(page) == []
