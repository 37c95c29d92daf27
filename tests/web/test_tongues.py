"""The page of the languages that an organisation works in, and what it changes elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mobilizer.blasts.fallbacks import Working, working
from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401
from tests.web.conftest import Browser
from tests.worlds import World

PATH = "/settings/languages"


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def kept(world: World) -> Working:
    with world.installation.database.read() as session:
        return working(session)


def test_languages_are_said_row_by_row_and_shown_with_where_they_lead(organizer: Browser, world: World) -> None:
    form = {"tag": ["pt-AO", "pt", "", "fr"], "to": ["pt", "es", "es", ""], "default": "es"}
    assert organizer.post(PATH, **form).location == PATH
    assert kept(world) == Working({"es": "", "fr": "", "pt": "es", "pt-AO": "pt"}, "es")
    page = organizer.get(PATH).text
    assert page.count("Português") > 2
    organizer.post(PATH, tag=["", "pt"], to=["pt", "es"])
    assert kept(world) == Working({"pt": "es"}, "")


def test_a_circle_is_said_and_nothing_is_kept(organizer: Browser, world: World) -> None:
    answer = organizer.post(PATH, tag=["pt", "es"], to=["es", "pt"])
    assert answer.status_code == 422
    assert "in a circle" in answer.text
    assert kept(world).languages == {}


def test_what_is_worked_in_is_asked_for_on_the_board_and_fills_in_a_new_blast(organizer: Browser, world: World) -> None:
    organizer.post(PATH, tag=["pt-AO"], to=["es"], default="es")
    page = organizer.get("/appeals/love-always-wins/languages").text
    assert "Languages that it is not written in" in page
    assert "Its members get Español." in page
    page = organizer.get("/blasts/new").text
    assert '<option value="es" selected>' in page
