"""A discreet film, and what else waits under a cover, in a real browser: it is shown at a press, and hidden at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from mobilizer.audience.lists import MemberList
from mobilizer.audience.sign_ups import SignUp
from mobilizer.keys import Purpose, Ticket
from mobilizer.rights.record import link_token
from tests.browser import faults
from tests.one_database import database_url as database_url
from tests.public.conftest import World
from tests.public.test_modes import canaries, set_modes

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("SHOTS", "")  # a folder to look at each page in


def look(page: Page, name: str) -> None:
    """Take a picture, where somebody wants to see one."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


@pytest.mark.parametrize(
    ("width", "scheme", "tag"), [(390, "light", "es"), (390, "dark", "ar"), (1280, "light", "ar"), (1280, "dark", "en")]
)
def test_a_film_that_is_hidden_is_gone_from_page_title_and_history(
    chromium: Browser, world: World, address: str, width: int, scheme: Literal["light", "dark"], tag: str
) -> None:
    code, words = set_modes(world, discreet=True), canaries(world)
    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    path = f"{address}/w/{code}/{tag}/anascode22"

    def says_nothing() -> bool:
        said = (page.title() + page.url + page.inner_text("body")).lower()
        return not [word for word in words if word in said] and not page.query_selector("video")

    page.goto(f"{path}?own=1")
    look(page, f"cover-{width}-{scheme}-{tag}")
    for way in ("press", "key"):
        assert says_nothing()
        page.click("main form button")
        page.wait_for_selector("video")
        look(page, f"playing-{width}-{scheme}-{tag}")
        assert page.title() == "About Thursday"
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        look(page, f"below-{width}-{scheme}-{tag}")
        if way == "press":
            page.click("#hide")  # in sight, however far somebody has read
        else:
            page.keyboard.press("Escape")
        page.wait_for_selector("video", state="detached")
        assert says_nothing()
        assert page.url == path
    page.go_back()
    assert says_nothing()
    page.context.close()


@pytest.mark.parametrize(("scheme", "tag"), [("light", "en"), ("dark", "ar")])
def test_what_is_agreed_to_and_a_record_are_shown_at_a_press_and_gone_at_a_key(
    chromium: Browser, world: World, address: str, scheme: Literal["light", "dark"], tag: str
) -> None:
    keyring = world.installation.keyring
    set_modes(world, discreet=True)
    canaries(world)
    world.installation.settings.__dict__.update(
        organisation="Canaryfolk", discreet_base_url=address, discreet_sender_address="marta@plain.example"
    )
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True, discreet=True, name="Canary list"))
        wording = "Yes, send me the mails of “Canary list” by Canaryfolk."
        said = {"language": tag, "wording": wording, "wording_language": "en"}
        session.add(wish := SignUp(list_id=world.lists[0], address_key=b"x", **said))
        session.flush()
        places = {
            "form": f"/j/{session.get_one(MemberList, world.lists[0]).code}?in={tag}",
            "confirm": f"/k/{keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))}",
            "record": f"/r/{link_token(session, keyring, world.ana)}?in={tag}",
        }
    page = chromium.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    for name, path in places.items():
        page.goto(address + path)
        look(page, f"{name}-cover-{scheme}-{tag}")
        assert "canary" not in page.content().lower()
        assert faults(page) == []
        page.click("main form button")
        page.wait_for_selector("#hide")
        look(page, f"{name}-shown-{scheme}-{tag}")
        assert "Canaryfolk" in page.inner_text("main")
        assert "canary" not in (page.title() + page.url).lower()
        assert faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.keyboard.press("Escape")
        page.wait_for_selector("#hide", state="detached")
        assert "canary" not in page.content().lower()
        assert page.url == address + path
    for name, path in (
        ("preferences", f"/p/{world.token(Purpose.PREFERENCES)}"),
        ("sent", places["form"].replace("?", "/sent?")),
    ):
        page.goto(address + path)
        look(page, f"{name}-{scheme}-{tag}")
    page.context.close()
