"""Every page about people, before a real browser: nothing that axe finds, nothing too wide, on phone and in Arabic."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from mobilizer.audience.fields import define
from mobilizer.audience.fitting import Definition
from mobilizer.audience.importing import run_import
from mobilizer.audience.leaving_reasons import tell
from mobilizer.audience.members import Member
from mobilizer.audience.notes import add_note
from mobilizer.audience.preferences import Fewer, get_fewer
from mobilizer.audience.tagging import put_on
from mobilizer.blasts import drawn
from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from mobilizer.web import imports
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.web.test_imports import CSV
from tests.worlds import World

pytestmark = pytest.mark.browser

PATHS = (
    "/",
    "/lists",
    "/lists/new",
    "/lists/everyone",
    "/lists/everyone/figures",
    "/lists/everyone/import",
    "/members",
    "/members?language=es",
    "/members/leaving",
    "/members/2",
    "/members/2/edit",
    "/members/2/merge",
    "/members/2/merge/3",
    "/members/2/fields",
    "/settings/languages",
    "/settings/fields",
    "/settings/fields/1",
    "/tags",
    "/settings",
    "/members/export",
    "/settings/kept",
    "/settings/users",
    "/settings/users/1",
)
LOOKS = [
    {"phone": False, "dark": False, "language": "en"},
    {"phone": True, "dark": True, "language": "ar"},
]


@pytest.fixture(autouse=True)
def _fields(world: World) -> None:
    with world.installation.database.write() as session:
        define(session, Definition("size", "choice", ("S", "M"), {"ar": "المقاس"}))
        define(session, Definition("born", "date"))
        get_fewer(session, world.members[1], Fewer.PAUSED)
        tell(session, world.installation.keyring, world.members[1], "safety", "Nobody should see it. لا أحد", "en")
        add_note(session, world.installation.keyring, world.members[1], None, "Calls at night\nاتصل مساءً")
        put_on(session, {world.members[1]: ["Volunteer", "متطوع"]})


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look.values())))
def test_pages_of_people_have_no_fault(visitor: Callable[..., Page], world: World, look: dict[str, object]) -> None:
    world.launch()
    page = visitor(Role.ADMIN, **look)
    found = []
    for path in PATHS:
        page.goto(path)
        found += faults(page)
    assert found == []


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look.values())))
def test_a_record_as_the_member_reads_it_has_no_fault(
    visitor: Callable[..., Page], world: World, look: dict[str, object]
) -> None:
    world.launch()
    with world.installation.database.write() as session:
        drawn.keep(session, {"a draw": select(Member.id)})
    page = visitor(Role.ORGANIZER, **look)
    page.goto("/members/2")
    page.select_option("[name=in]", str(look["language"]))
    page.locator("form[action$='/record/page'] button").click()
    expect(page.locator("#notes")).to_be_visible()
    expect(page.locator("#mails ~ .listed li")).to_have_count(1)
    assert faults(page) == []


@pytest.mark.parametrize("dark", [False, True])
def test_pages_before_the_sign_in_have_no_fault(visitor: Callable[..., Page], dark: bool) -> None:
    visitor(Role.ORGANIZER)  # where nobody is yet, the way in is the first run
    page = visitor(dark=dark, phone=dark, language="es")
    page.goto("/sign-in")
    found = faults(page)
    page.fill("[name=email]", "nobody@example.org")
    page.fill("[name=password]", "wrong")
    page.click("main button")
    expect(page.get_by_role("alert")).to_be_visible()
    assert found + faults(page) == []


def consent(page: Page) -> None:
    page.get_by_label("Where they agreed").fill("March in Sevilla")
    page.get_by_label("When they agreed").fill("2026-03-08")


def test_a_file_is_imported_on_a_phone_without_script(
    visitor: Callable[..., Page],
    world: World,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(imports, "enqueue", lambda here, _kind, number: run_import(here, number))
    file = tmp_path / "miembros.csv"
    file.write_text(CSV, encoding="cp1252", errors="ignore")
    page = visitor(Role.ORGANIZER, phone=True, java_script_enabled=False)
    page.goto("/lists/everyone/import")
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Which column is what?")
    expect(page.get_by_label("Nombre")).to_have_value("name")
    consent(page)
    page.get_by_role("button", name="Check the rows").last.click()
    page.get_by_role("button", name=re.compile("Import . people")).click()
    expect(page.get_by_role("heading", name="All rows are read")).to_be_visible()


def test_an_import_is_watched_and_its_pages_have_no_fault(
    visitor: Callable[..., Page],
    world: World,
    installation: Installation,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(imports, "enqueue", lambda *_: True)
    file = tmp_path / "members.csv"
    file.write_text(CSV)
    page = visitor(Role.ORGANIZER)
    page.goto("/lists/everyone/import")
    page.set_input_files("[name=file]", file)
    page.click("text=Upload and look")
    found = faults(page)
    page.locator("button.primary").click()
    expect(page.get_by_text("Say where these people agreed")).to_be_visible()
    found += faults(page)
    consent(page)
    page.locator("button.primary").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check the rows")
    found += faults(page)
    page.locator("button.primary").click()
    expect(page.get_by_role("heading", name="Reading row after row")).to_be_visible()
    found += faults(page)
    run_import(installation, int(page.url.rsplit("/", 1)[1]))
    # Without a reload: the page looks again by itself.
    expect(page.get_by_role("heading", name="All rows are read")).to_be_visible(timeout=15_000)
    found += faults(page)
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_role("heading", name="The import is being undone")).to_be_visible()
    assert found + faults(page) == []


def test_everything_is_reached_by_keyboard_and_focus_is_seen(visitor: Callable[..., Page], world: World) -> None:
    page = visitor(Role.ORGANIZER)
    page.goto("/lists")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    focused = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert focused == "solid"


def test_what_is_pressed_is_large_enough_for_a_finger(visitor: Callable[..., Page], world: World) -> None:
    page = visitor(Role.ADMIN, phone=True)
    for path in PATHS:
        page.goto(path)
        small = page.evaluate(
            "[...document.querySelectorAll('button, .button, input:not([type=hidden]):not([type=checkbox])"
            ":not([type=radio]), select, summary, .choice, nav a')]"
            ".filter(e => e.checkVisibility() && !e.closest('.visually-hidden') && !e.matches('.visually-hidden'))"
            ".filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 90))"
        )
        assert small == [], path
