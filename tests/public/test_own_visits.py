"""A member tries the link that they are to pass on, in the browser where their own page lies open; a friend comes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from mobilizer.public.sharing import CHANNELS
from tests.public.conftest import World
from tests.public.phones import AGENT

pytestmark = pytest.mark.browser
LINK = "/s/anascode22/love-always-wins?c=x"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_who_tries_their_own_link_is_not_their_own_friend(chromium: Browser, world: World, address: str) -> None:
    """Two tabs tell each other whose they are, and nothing is kept: neither a cookie nor anything on the device."""
    mine, friends = (chromium.new_context(user_agent=AGENT) for _ in range(2))
    own = mine.new_page()
    own.goto(f"{address}/w/love-always-wins/es/anascode22?own=1")
    for browser in (mine, friends):
        page = browser.new_page()
        page.goto(address + LINK)
        page.wait_for_timeout(300)
        page.locator("#watched button").click()
        expect(page.locator("#thanks")).to_be_visible()
        page.wait_for_timeout(300)
        assert browser.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
    seen = [
        (event.kind, event.via_id == world.ana, event.member_id == world.ana, event.machine) for event in world.events()
    ]
    assert sorted(seen) == [
        ("visit", False, True, ""),
        ("visit", True, False, ""),
        ("visit", True, False, "own"),
        ("watch", False, True, ""),
        ("watch", True, False, ""),
    ]
    for browser in (mine, friends):
        browser.close()


def test_a_share_link_followed_from_one_of_our_own_pages_brings_nobody(world: World) -> None:
    for site in ("same-origin", "cross-site", "none"):
        world.browser(sec_fetch_site=site, user_agent=AGENT).get(LINK)
    assert [event.machine for event in world.events()] == ["own", "", ""]
    assert "mail" in CHANNELS, "or the link in the mail could not be told from another"
