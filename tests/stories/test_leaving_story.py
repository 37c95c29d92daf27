"""A launch in a real browser: undone once, then left alone; a language that comes late; the hours of each zone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.states import approve, content_hash
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery import late, launch, reconcile
from mobilizer.organizers.policy import Role
from mobilizer.settings import Settings
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready
from tests.worlds import World, _translation

pytestmark = pytest.mark.browser

BLAST = "/blasts/love-always-wins"
ARABIC = ("الحب ينتصر", "{{ first_name }} العزيزة،", "صديقتنا العزيزة،", "شاهدوا. [المزيد](https://example.org/ar)")
SOON = 30_000


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A launch can be undone for a while, and a test need not wait long for its end."""
    return settings.model_copy(update={"undo_seconds": 4})


@pytest.fixture
def ticking(world: World) -> Iterator[None]:
    """What the reconciler and a worker do for a launch."""
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.2):
            with world.installation.database.write() as session:
                reconcile.start_due(session)
                late.join_approved(session, world.installation.settings)
            if world.blast().state == "launching":
                launch.freeze(world.installation, world.blast_id)

    thread = threading.Thread(target=tick)
    thread.start()
    yield
    stop.set()
    thread.join()


def wait_for_arabic(world: World) -> None:
    """Three speak Arabic, which is begun and not written, in Cairo."""
    for member in world.join(["ar"] * 3):
        with world.installation.database.write() as session:
            session.execute(update(Member).where(Member.id == member).values(time_zone="Africa/Cairo"))
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        appeal.translations.append(Translation(language="ar"))
        session.execute(update(Blast).values(waits=["ar"]))


def approve_arabic(world: World) -> None:
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        arabic, words = next(one for one in appeal.translations if one.language == "ar"), _translation("ar", *ARABIC)
        for name in ("title", "subject", "preheader", "greeting", "greeting_nameless", "body", "button", "poster_alt"):
            setattr(arabic, name, getattr(words, name))
        arabic.share_text = words.share_text
        session.flush()
        assert approve(session, appeal, arabic, None, content_hash(appeal, arabic)) == []


def look_at_hours(page: Page) -> None:
    """Every zone's moment is told before anybody says yes; then it is taken back."""
    later = datetime.now(UTC) + timedelta(days=2)
    page.goto(f"{BLAST}/schedule?day={later:%Y-%m-%d}&hour=09:30&zone=Asia/Tokyo&each=yes")
    expect(page.get_by_role("row", name="Cairo")).to_contain_text("3")
    assert faults(page) == []
    page.fill("[name=later_people]", "٨")
    page.locator("main form button.primary").click()
    page.wait_for_url("**/scheduled")
    assert faults(page) == []
    page.locator(f'form[action="{BLAST}/unschedule"] button').click()
    page.wait_for_url("**/check")


def test_a_launch_is_undone_then_goes_and_a_late_language_follows(
    visitor: Callable[..., Page], world: World, ticking: None
) -> None:
    make_ready(world)
    wait_for_arabic(world)
    page = visitor(Role.ORGANIZER, language="ar")
    look_at_hours(page)
    for undone in (True, False):
        page.goto(f"{BLAST}/launch")
        page.fill("[name=people]", "8")
        page.locator("#launch button.primary").click()
        page.wait_for_url("**/leaving")
        if undone:
            page.click("#undo")
            page.wait_for_url("**/check")
            assert world.blast().state == "draft"
    expect(page.locator("[data-countdown]")).to_be_visible()
    page.wait_for_url("**/progress", timeout=SOON)
    expect(page.locator("#held")).to_be_visible(timeout=SOON)
    assert faults(page) == []
    approve_arabic(world)
    expect(page.locator("#held")).to_have_count(0, timeout=SOON)
    assert {world.delivery(member).language for member in world.members[5:]} == {"ar"}
    assert world.states() == {"pending": 8}
