"""The member's pages in a real browser: light and dark, phone and desktop, both directions; axe finds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Literal

import pytest
from playwright.sync_api import Browser
from sqlalchemy import select, update
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from mobilizer.audience.lists import MemberList
from mobilizer.audience.sign_ups import SignUp
from mobilizer.keys import Purpose
from mobilizer.public import joining
from tests.browser import faults
from tests.public.conftest import World

pytestmark = pytest.mark.browser


@pytest.fixture
def elsewhere() -> Iterator[Callable[[str], str]]:
    """Somebody else's site: give it a page, and have its address."""
    shown = Response(content_type="text/html")
    server = make_server("127.0.0.1", 0, shown)
    thread = Thread(target=server.serve_forever)
    thread.start()

    def show(page: str) -> str:
        shown.set_data(page)
        return f"http://localhost:{server.port}/"

    yield show
    server.shutdown()
    thread.join()
    server.server_close()


# Pages look the same on every database.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("width", "scheme", "who"), [(390, "light", "ar"), (390, "dark", "es"), (1280, "light", "es"), (1280, "dark", "ar")]
)
def test_every_page_can_be_used_by_everyone(
    chromium: Browser, world: World, address: str, width: int, scheme: Literal["light", "dark"], who: str
) -> None:
    member = {"es": world.ana, "ar": world.amal}[who]
    pages = [
        f"/w/love-always-wins/{who}/{world.code(member)}?own=1",
        f"/u/{world.token(Purpose.UNSUBSCRIBE, member)}",
        f"/p/{world.token(Purpose.PREFERENCES, member)}",
        "/c/forged/1",
    ]
    page = chromium.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if "Policy" in said.text else None)
    for path in pages:
        page.goto(address + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert faults(page) == []
    assert complaints == []
    assert all(url.startswith(address) for url in seen)
    assert page.context.cookies() == []
    page.context.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_says_to_anybody_where_its_visitor_was(chromium: Browser, world: World, address: str) -> None:
    """Tokens stand in addresses: no request may name the page that it comes from, neither to us nor to others."""
    context = chromium.new_context()
    heard: list[str] = []
    context.on("request", lambda request: heard.append(f"{request.url} {request.all_headers().get('referer', '')}"))
    others = re.compile(rf"^(?!{re.escape(address)})")
    context.route(others, lambda route: route.fulfill(status=200, body="elsewhere"))
    page = context.new_page()
    for path in (
        f"/u/{world.token(Purpose.UNSUBSCRIBE)}",
        f"/p/{world.token(Purpose.PREFERENCES)}",
        f"/v/{world.token(Purpose.VIEW)}",
        f"/w/love-always-wins/es/{world.code(world.ana)}?own=1",
    ):
        page.goto(address + path)
        for link in ("https://elsewhere.example/", f"{address}/j/nowhere"):
            page.evaluate(
                "to => { const a = document.createElement('a'); a.href = to; document.body.append(a); }", link
            )
            page.evaluate("document.querySelector('body > a:last-child').click()")
            page.wait_for_url(link)
            page.go_back()
    context.close()
    assert sum("elsewhere.example" in line for line in heard) == 4
    assert [line for line in heard if not line.endswith(" ")] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_somebody_joins_in_a_frame_on_another_site_without_script(
    chromium: Browser, world: World, address: str, elsewhere: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 0)
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))
    framed = {"form": "/j/list-0/frame?in=ar", "page": "/j/list-0", "leave": f"/u/{world.token(Purpose.UNSUBSCRIBE)}"}
    site = "".join(f'<iframe name="{name}" src="{address}{path}"></iframe>' for name, path in framed.items())
    context = chromium.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(elsewhere(site))
    form = page.frame("form")
    assert form is not None
    form.fill("#email", "mira@example.org")
    form.click("button.main")
    form.wait_for_url(f"{address}/j/list-0/frame/sent?in=ar")
    assert form.locator("html").get_attribute("dir") == "rtl"
    for name in ("page", "leave"):
        frame = page.frame(name)
        assert frame is not None
        assert frame.locator("form").count() == 0, name
    assert context.cookies() == []
    context.close()
    with world.installation.database.read() as session:
        assert [wish.wording_language for wish in session.scalars(select(SignUp))] == ["ar"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_member_watches_shares_leaves_and_comes_back(chromium: Browser, world: World, address: str) -> None:
    page = chromium.new_page(viewport={"width": 390, "height": 844}, locale="fr-FR")
    page.goto(f"{address}/c/{world.token(Purpose.CLICK)}/{world.link('watch')}")
    # What stands in the address bar may be passed on: it says neither who nor that it is their own.
    page.wait_for_url(f"{address}/w/love-always-wins/es/anascode22")
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("#watched button")
    assert page.locator("#thanks").is_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("#copy")
    assert page.locator("#copied").inner_text() == "Enlace copiado."
    page.click(".tongues summary")
    page.click(".tongues a[lang=ar]")
    assert page.locator("html").get_attribute("dir") == "rtl"
    page.goto(f"{address}/u/{world.token(Purpose.UNSUBSCRIBE)}")
    page.click("button.main")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert set(world.standing(world.ana).values()) == {"unsubscribed"}
    page.click("button")
    assert set(world.standing(world.ana).values()) == {"confirmed"}
    page.context.close()
    did = [(event.kind, event.member_id, event.channel) for event in world.events()]
    assert did == [
        ("click", world.ana, ""),
        ("watch", world.ana, "word"),
        ("share", world.ana, "copy"),
        ("unsubscribe", world.ana, ""),
        ("resubscribe", world.ana, ""),
    ]
