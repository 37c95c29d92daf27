"""The page of how a list does."""

from __future__ import annotations

from collections.abc import Callable

from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401
from tests.web.conftest import Browser
from tests.worlds import World


def test_a_list_shows_its_growth_its_health_and_its_sources(signed_in: Callable[..., Browser], world: World) -> None:
    world.join(["pt", "fr", "ar", "de", "it", "sv"])
    browser = signed_in(Role.ORGANIZER)
    assert "/lists/everyone/figures" in browser.get("/lists/everyone").text
    page = browser.get("/lists/everyone/figures").text
    assert page.count("<polyline") == 5
    assert "All the others" in page
    assert "Bounced for good" in page
    assert browser.get("/lists/none/figures").status_code == 404


def test_an_empty_list_says_so(signed_in: Callable[..., Browser], world: World) -> None:
    world.make_list("empty")
    assert "Nobody is on it yet." in signed_in(Role.ORGANIZER).get("/lists/empty/figures").text
