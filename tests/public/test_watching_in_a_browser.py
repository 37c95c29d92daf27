"""The watch page's script in a real browser: how far was played, the phone's own share menu, another site's player."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from mobilizer.appeals.appeals import Appeal
from tests.one_database import database_url  # noqa: F401
from tests.public.conftest import World
from tests.public.phones import AGENT

pytestmark = pytest.mark.browser

PAGE = "/w/love-always-wins/es/anascode22?own=1"
SHARE = "navigator.share = said => { window.shared = said; return Promise.resolve(); };"
# A film of a hundred seconds, of which the given stretches were played.
PLAYED = """stretches => {
    const film = document.getElementById("film");
    Object.defineProperty(film, "duration", { value: 100, configurable: true });
    const played = { length: stretches.length, start: at => stretches[at][0], end: at => stretches[at][1] };
    Object.defineProperty(film, "played", { value: played, configurable: true });
    film.dispatchEvent(new Event("play"));
    film.dispatchEvent(new Event("timeupdate"));
}"""


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    page = chromium.new_page(viewport={"width": 390, "height": 844}, user_agent=AGENT)
    page.add_init_script(SHARE)
    yield page
    page.context.close()


def test_how_far_is_told_by_what_was_played_and_each_point_once(phone: Page, world: World, address: str) -> None:
    phone.goto(address + PAGE)
    with phone.expect_response(lambda answer: answer.request.method == "POST"):
        phone.evaluate(PLAYED, [[0, 10]])
    phone.evaluate(PLAYED, [[0, 10], [96, 100]])  # to jump to the end is not to have seen it
    for stretches in ([[0, 30], [96, 100]], [[0, 30], [96, 100]], [[0, 60], [96, 100]]):  # and played once more
        phone.evaluate(PLAYED, stretches)
    assert not phone.locator("#thanks").is_visible()
    with phone.expect_response(lambda answer: "did=95" in (answer.request.post_data or "")):
        phone.evaluate(PLAYED, [[0, 100]])
    assert phone.locator("#thanks").is_visible()
    phone.reload()  # another showing is another viewing
    with phone.expect_response(lambda answer: answer.request.method == "POST"):
        phone.evaluate(PLAYED, [[0, 1]])
    told = [event.channel for event in world.events() if event.kind == "watch"]
    assert sorted(told[:5]) == ["25", "50", "75", "95", "start"]
    assert told[5:] == ["start"]


def test_the_phones_own_share_menu_comes_first_with_the_members_words(phone: Page, world: World, address: str) -> None:
    phone.goto(address + PAGE)
    assert phone.evaluate(
        "document.getElementById('native').compareDocumentPosition(document.querySelector('.channels')) & 4"
    ), "before all channels"
    phone.fill("#words", "¡Mírala & llora!")
    with phone.expect_response(lambda answer: "channel=native" in (answer.request.post_data or "")):
        phone.click("#native")
    base = world.installation.settings.base_url
    assert phone.evaluate("shared") == {
        "title": "El amor siempre gana",
        "text": "¡Mírala & llora!",
        "url": f"{base}/s/anascode22/love-always-wins?c=native",
    }
    shares = [(event.member_id, event.channel) for event in world.events() if event.kind == "share"]
    assert shares == [(world.ana, "native")]


def test_no_byte_comes_from_another_site_before_its_player_is_asked_for(
    phone: Page, world: World, address: str
) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Appeal).values(video="https://youtu.be/dQw4w9WgXcQ"))
    asked: list[tuple[str, str]] = []
    elsewhere = re.compile(rf"^(?!{re.escape(address)})")
    phone.context.route(elsewhere, lambda route: route.fulfill(status=200, body="a film"))
    phone.on("request", lambda one: asked.append((one.url, one.all_headers().get("referer", ""))))
    phone.goto(address + PAGE)
    phone.wait_for_load_state("networkidle")
    assert all(url.startswith(address) for url, _referer in asked)
    with phone.expect_request(elsewhere):
        phone.click("#elsewhere")
    outside = [(url.partition("?")[0], referer) for url, referer in asked if not url.startswith(address)]
    # Some players play for no page that says nothing; they learn the site, and not the page.
    assert outside == [("https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ", f"{address}/")]
    assert phone.context.cookies() == []
