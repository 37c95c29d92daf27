"""A discreet film in a real browser: it plays behind its cover, and is hidden again at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

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
