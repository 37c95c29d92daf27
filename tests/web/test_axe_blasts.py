"""Appeals, blasts and results before a real browser: no fault that axe finds, and what only eyes can prove."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.organizers.policy import Role
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, settle, words_of
from tests.worlds import World

pytestmark = pytest.mark.browser

APPEAL, BLAST = "/appeals/love-always-wins", "/blasts/love-always-wins"
BEFORE = (
    "/appeals",
    "/appeals/new",
    f"{APPEAL}/languages",
    f"{APPEAL}/words/en",
    f"{APPEAL}/words/es",
    f"{APPEAL}/words/es/remove",
    f"{APPEAL}/words/es/history",
    "/glossary/new",
    "/settings/languages/catalogs",
    f"{APPEAL}/preview/es",
    f"{APPEAL}/preview/en?screen=desktop&scheme=dark",
    f"{APPEAL}/preview/es?view=text",
    f"{APPEAL}/grid",
    f"{APPEAL}/grid?view=inbox",
    f"{APPEAL}/template",
    "/appeals/library?appeal=love-always-wins&tag=es",
    "/settings/colours",
    f"{APPEAL}/preview/es?view=inbox",
    "/blasts",
    "/blasts/new",
    f"{BLAST}/edit",
    f"{BLAST}/check",
    f"{BLAST}/launch",
)
AFTER = (
    f"{BLAST}/progress",
    f"{BLAST}/cancel",
    f"{BLAST}/uncertain",
    f"{BLAST}/uncertain/resend",
    f"{BLAST}/results",
    f"{BLAST}/results/report",
    f"{BLAST}/results/links",
    f"{BLAST}/results/shares",
    f"{BLAST}/results/troubles",
    f"{BLAST}/follow-up",
    f"{BLAST}/deliveries",
    "/results",
    "/",
)
LOOKS = [
    {"phone": False, "dark": False, "language": "en"},
    {"phone": True, "dark": True, "language": "ar"},
]
Visit = Callable[..., Page]


def schedule(world: World, at: object) -> None:
    """Let the blast leave at a time, or at none."""
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(state="scheduled" if at is not None else "draft", scheduled_at=at))


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look.values())))
def test_no_page_of_appeals_and_blasts_has_a_fault(visitor: Visit, world: World, look: dict[str, object]) -> None:
    make_ready(world)
    page, found = visitor(Role.ORGANIZER, **look), []
    for path in BEFORE:
        page.goto(path)
        found += faults(page)
    schedule(world, clock(3600))
    page.goto(f"{BLAST}/scheduled")
    found += faults(page)
    schedule(world, None)
    world.launch()
    settle(world, world.members[0], DeliveryState.ACCEPTED)
    settle(world, world.members[1], DeliveryState.REJECTED, reason="full", reply="5.2.2 full", provider="gmail")
    settle(world, world.members[2], DeliveryState.UNCERTAIN, reason="worker_lost", settled_at=clock())
    settle(world, world.members[3], DeliveryState.PENDING, reason="soft", next_at=clock(300), provider="yahoo")
    for path in AFTER:
        page.goto(path)
        found += faults(page)
    assert found == []


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_preview_is_dark_or_light_as_asked_whatever_the_browser_prefers(
    visitor: Visit,
    world: World,
    scheme: str,
    dark: bool,
) -> None:
    make_ready(world)
    page = visitor(Role.ORGANIZER, dark=dark)
    page.goto(f"{APPEAL}/preview/es?scheme={scheme}")
    ground = page.frame_locator("iframe").locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    red, green, blue = (int(part) for part in ground.removeprefix("rgb(").rstrip(")").split(","))
    assert (red + green + blue < 200) is (scheme == "dark"), ground


def test_a_picture_of_the_mail_is_shown_and_a_link_in_it_leads_nowhere(visitor: Visit, world: World) -> None:
    make_ready(world)
    page = visitor(Role.ORGANIZER)
    page.goto(f"{APPEAL}/preview/es")
    # Looked at through the frame's own document: what Playwright would inject to wait for it may not run there.
    assert page.frames[1].evaluate("document.images[0].naturalWidth") > 0
    here, frame = page.url, page.locator("iframe").bounding_box()
    assert frame is not None
    page.mouse.click(frame["x"] + frame["width"] / 2, frame["y"] + 120)
    page.wait_for_timeout(300)
    assert page.url == here
    assert len(page.context.pages) == 1
    assert page.frames[1].url.startswith(here.partition("?")[0]), "the mail is still there"


def test_the_editor_helps_while_one_writes(visitor: Visit, world: World) -> None:
    page = visitor(Role.TRANSLATOR)
    page.goto(f"{APPEAL}/words/es")
    page.fill("#f-button", "Míralo ya")
    expect(page.locator("#f-button-n")).to_have_text("9")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#f-share_text")).to_be_focused()
    page.fill("#f-subject", "El amor siempre gana y los demás miran!")
    expect(page.locator("#f-subject-cut")).to_have_text("El amor siempre gana y los demás mira…")
    page.locator(".tag-menu summary").first.click()
    page.get_by_role("button", name="first_name").first.click()
    expect(page.locator("#f-subject")).to_have_value("El amor siempre gana y los demás miran!{{ first_name }}")
    page.fill("#f-body", "Míralo.")
    page.locator("details:has([data-insert=f-body]) summary").click()
    page.locator("[data-insert=f-body] button").first.click()
    expect(page.locator("#f-body")).to_have_value("Míralo.{{ first_name }}")
    page.fill("#f-body", "Míralo.")
    page.evaluate("document.getElementById('f-body').select()")
    page.get_by_role("button", name="Bold").click()
    expect(page.locator("#f-body")).to_have_value("**Míralo.**")
    expect(page.locator("#autosaved")).to_contain_text("Saved ")
    expect(page.locator("[data-remarks=body]")).to_contain_text("is missing here")
    assert words_of(world, "es").body == "**Míralo.**"
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_a_launch_is_watched_until_it_is_final(visitor: Visit, world: World) -> None:
    make_ready(world)
    page = visitor(Role.ORGANIZER)
    page.goto(f"{BLAST}/launch")
    page.fill("[name=people]", "5")
    page.get_by_role("button", name="Launch").click()
    expect(page.locator("#state")).to_contain_text("Launching")
    with world.installation.database.write() as session:
        session.get_one(type(world.blast()), world.blast_id).state = "sent"
    expect(page.locator("#state")).to_contain_text("Sent", timeout=10_000)
    expect(page.locator("#live")).not_to_have_attribute("data-live", "2")


def test_progress_is_read_out_politely_and_a_zone_is_the_browsers(visitor: Visit, world: World) -> None:
    make_ready(world)
    page = visitor(Role.ORGANIZER, timezone_id="Africa/Nairobi")
    page.goto(f"{BLAST}/launch")
    expect(page.locator("#f-zone")).to_have_value("Africa/Nairobi")
    world.launch()
    page.goto(f"{BLAST}/progress")
    page.focus("#pause")
    settle(world, world.members[0], DeliveryState.ACCEPTED)
    expect(page.locator("#live-said")).to_have_text("Sending: 20% done", timeout=10_000)
    expect(page.locator("#pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("Paused")
    page.keyboard.press("Tab")
