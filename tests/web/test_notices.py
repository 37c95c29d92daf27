"""The page of notices: one's own choice, and what has happened, mailed or not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import update

from mobilizer.blasts import lifecycle
from mobilizer.installation import Installation
from mobilizer.notices import noting
from mobilizer.notices.notices import NoticeMail
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User
from mobilizer.problems import Problem
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.conftest import Browser
from tests.worlds import World

LOOKS = [
    {"phone": False, "dark": False, "language": "en"},
    {"phone": True, "dark": True, "language": "ar"},
]


def hold(world: World) -> None:
    """Let the blast stop itself, and note it."""
    world.launch()
    with world.installation.database.write() as session:
        lifecycle.hold(session, world.blast_id, Problem("relay", "The relay's words <b>"), None)
        noting.note(session)


def test_a_choice_is_kept_and_shown_again(organizer: Browser, installation: Installation) -> None:
    page = organizer.get("/settings/notices").text
    assert page.count('value="mine" selected') == 3, "an organizer hears of what they launch"
    answer = organizer.post("/settings/notices", held="every", decision="none", finished="mine")
    assert answer.status_code == 303
    page = organizer.get("/settings/notices").text
    assert [f'value="{scope}" selected' in page for scope in ("every", "none", "mine")] == [True] * 3
    with installation.database.read() as session:
        kept = session.get_one(User, organizer.user_id).notices
    assert kept == {"held": "every", "decision": "none", "finished": "mine"}


@pytest.mark.parametrize("wrong", [{"held": "all"}, {}, {"held": "every", "decision": "mine"}])
def test_a_choice_that_the_form_does_not_offer_changes_nothing(
    organizer: Browser, installation: Installation, wrong: dict[str, str]
) -> None:
    assert organizer.post("/settings/notices", **wrong).status_code == 400
    with installation.database.read() as session:
        assert session.get_one(User, organizer.user_id).notices == {}


def test_administrators_hear_of_every_hold_unless_they_say_otherwise(signed_in: Callable[..., Browser]) -> None:
    assert signed_in(Role.ADMIN).get("/settings/notices").text.count('value="every" selected') == 2


def test_what_happened_is_shown_though_its_mail_waits_for_the_relay(
    signed_in: Callable[..., Browser], world: World, installation: Installation
) -> None:
    admin = signed_in(Role.ADMIN)
    assert "Nothing has happened yet" in admin.get("/settings/notices").text
    hold(world)
    page = admin.get("/settings/notices").text
    for shown in ("Held", "The relay&#39;s words &lt;b&gt;", "Love always wins", "Waiting"):
        assert shown in page
    with installation.database.write() as session:
        session.execute(update(NoticeMail).values(state="failed"))
    assert "Could not be mailed" in admin.get("/settings/notices").text


@pytest.mark.browser
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look.values())))
def test_the_page_has_no_fault(visitor: Callable[..., Page], world: World, look: dict[str, object]) -> None:
    page = visitor(Role.ADMIN, **look)
    hold(world)
    page.goto("/settings/notices")
    assert faults(page) == []
    page.goto("/settings")
    assert faults(page) == []
