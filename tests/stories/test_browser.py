"""A whole blast in a real browser: an organizer's afternoon from a file to a launch, and what a member makes of it.

Nothing is pretended: the pages are served, a worker process imports and sends, the reconciler runs, the mail goes
through SMTP into the built-in inbox and is read there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from mobilizer.catalogs import phrases
from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from mobilizer.reconciler import Reconciler
from mobilizer.settings import Settings
from mobilizer.transport.inbox import Inbox
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.stories.processes import house, worker
from tests.web.appeal_stage import make_ready
from tests.worlds import World

pytestmark = pytest.mark.browser

FILE = """\
Correo;Nombre;Idioma
layla@example.org;ليلى حسن;العربية
ana@example.org;Ana "Anita" López;Español
john@example.org;John <3 O'Neil;English
zoe@example.org;Zoë Lefèvre;français
not an address;Nobody;English
"""
PEOPLE = 4
ARABIC = {
    "subject": "الحب ينتصر دائمًا",
    "preheader": "دقيقتان تستحقان المشاهدة.",
    "greeting": "{{ first_name }} العزيزة،",
    "greeting_nameless": "صديقتنا العزيزة،",
    "title": "الحب ينتصر",
    "poster_alt": "امرأتان تتعانقان على الجليد",
    "body": "شاهدوا الفيلم. [المزيد](https://example.org/en)",
    "button": "شاهدوا الفيلم",
    "share_text": "دقيقتان بقيتا معي.",
}
APPEAL, BLAST = "/appeals/love-always-wins", "/blasts/love-always-wins"
SOON = 30_000  # milliseconds in which a process of ours has surely come round


@pytest.fixture
def installation(settings: Settings, redis_url: str, free_port: int) -> Iterator[Installation]:
    """An installation as the demo has it, with a worker."""
    with house(settings, redis_url, free_port) as here, worker(here, here.settings.smtp_port):
        yield here


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    """A list without members, an appeal in English and Spanish, a draft blast; and a reconciler that ticks."""
    world, stop = World(installation), threading.Event()
    world.make_list()
    world.write_appeal()
    make_ready(world)
    thread = threading.Thread(target=Reconciler(installation).run, args=[stop])
    thread.start()
    yield world
    stop.set()
    thread.join()


def import_members(page: Page, file: Path) -> None:
    """Upload a file and go through its steps, until the worker has read it."""
    page.goto("/lists/everyone/import")
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_label("Idioma")).to_have_value("language")
    assert faults(page) == []
    page.get_by_label("Where they agreed").fill("A march in Lisbon")
    page.get_by_label("When they agreed").fill("2026-03-08")
    page.get_by_role("button", name="Check the rows").last.click()
    assert faults(page) == []
    page.get_by_role("button", name=f"Import {PEOPLE} people").click()
    expect(page.get_by_role("heading", name="All rows are read")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("row", name="Nobody")).to_be_visible()
    assert faults(page) == []


def translate_into_arabic(page: Page) -> None:
    """Add a language by its own name and write every field, from right to left."""
    page.goto(f"{APPEAL}/languages")
    assert faults(page) == []
    page.fill("[name=language][list]", "العربية")
    page.get_by_role("button", name="Add", exact=True).click()
    for name, words in ARABIC.items():
        box = page.locator(f"[name={name}]")
        expect(box).to_have_attribute("dir", "rtl")
        box.fill(words)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert faults(page) == []


def preview_on_a_phone(page: Page) -> None:
    """Look at the new words as a mail, on a phone in the dark."""
    page.goto(f"{APPEAL}/preview/ar?screen=phone&scheme=dark")
    frame = page.frames[1]
    assert frame.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    assert ARABIC["title"] in frame.evaluate("document.body.innerText")
    assert faults(page) == []


def check_and_launch(page: Page) -> None:
    """Read the check list, mistype the number once, then launch."""
    page.goto(f"{BLAST}/check")
    expect(page.locator(".checklist").first).to_contain_text("1 person who speaks Français gets it in English.")
    assert faults(page) == []
    page.fill("[name=people]", str(PEOPLE + 1))
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_text(f"That is not the number of people. It goes to {PEOPLE}.")).to_be_visible()
    page.fill("[name=people]", str(PEOPLE))
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url("**/progress")


def watch_it_go(page: Page) -> None:
    """Without touching anything the page says, in the end, that the blast is sent."""
    expect(page.locator("#state")).to_contain_text("Sent", timeout=SOON)
    expect(page.get_by_text(f"{PEOPLE} of {PEOPLE} people")).to_be_visible()
    assert faults(page) == []


def open_the_mail(page: Page) -> dict[str, str]:
    """Find the Arabic mail in the inbox, look at it, and take note of where its links lead."""
    page.goto("/inbox")
    expect(page.get_by_role("heading", name=re.compile(r"mails arrived$"))).to_be_visible()
    assert faults(page) == []
    page.get_by_role("link", name=ARABIC["subject"]).click()
    assert faults(page) == []
    hrefs = page.frames[1].evaluate("[...document.links].map(link => link.href)")
    found = {re.sub(r"^https?://[^/]+/(\w).*", r"\1", href): href for href in reversed(hrefs)}
    assert set(found) >= set("cupvs"), "click, unsubscribe, preferences, view, share"
    return found


def watch_and_share(page: Page, link: str) -> None:
    """Follow the mail's first link to the film; the page speaks Arabic and has one's own link to pass on."""
    page.goto(link)
    expect(page).to_have_url(re.compile(r"/w/love-always-wins/ar"))
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("video")).to_be_visible()
    expect(page.locator("#link")).to_have_value(re.compile(r"/s/[a-z2-9]{10}/love-always-wins"))
    assert faults(page) == []


def leave(page: Page, link: str) -> None:
    """Looking changes nothing; one press of the one button does."""
    said = phrases("member", "ar").gettext
    page.goto(link)
    assert faults(page) == []
    page.get_by_role("button", name=said("Unsubscribe from everything")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("You are unsubscribed"))
    assert faults(page) == []


def test_from_a_file_of_members_to_one_who_watches_and_one_who_leaves(
    visitor: Callable[..., Page],
    world: World,
    tmp_path: Path,
) -> None:
    file = tmp_path / "miembros.csv"
    file.write_text(FILE, encoding="utf-8-sig")
    organizer = visitor(Role.ORGANIZER)
    assert faults(organizer) == []
    import_members(organizer, file)
    translate_into_arabic(organizer)
    preview_on_a_phone(organizer)
    check_and_launch(organizer)
    watch_it_go(organizer)

    mails = Inbox(world.installation.settings.home).messages()
    members_mails = [mail for mail in mails if not mail.recipient.startswith("organizer-")]  # who are told it is over
    assert {mail.recipient.partition("@")[0]: mail.language for mail in members_mails} == {
        "layla": "ar",
        "ana": "es",
        "john": "en",
        "zoe": "en",
    }
    links = open_the_mail(organizer)

    layla = visitor(phone=True, dark=True, language="ar")
    watch_and_share(layla, links["c"])
    leave(layla, links["u"])

    organizer.goto("/lists/everyone")
    expect(organizer.locator(".stats")).to_contain_text(re.compile(r"Unsubscribed\s*1"))
