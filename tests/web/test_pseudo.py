"""Pages in a pseudo-locale: all that is read comes from the catalog, and longer words find their room."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from mobilizer import http
from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401 - what a page says does not depend on it
from tests.pseudo import Pseudo, longer, untranslated
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

APPEAL, BLAST = "/appeals/love-always-wins", "/blasts/love-always-wins"
PAGES = (
    "/",
    "/appeals",
    "/appeals/new",
    f"{APPEAL}/languages",
    f"{APPEAL}/words/en",
    f"{APPEAL}/words/es",
    f"{APPEAL}/words/es/history",
    f"{APPEAL}/preview/es",
    "/glossary",
    "/glossary/new",
    "/blasts",
    "/blasts/new",
    f"{BLAST}/check",
    f"{BLAST}/launch",
    "/lists",
    "/segments",
    "/segments/new",
    "/members",
    "/results",
    "/settings",
    "/settings/languages",
    "/settings/languages/catalogs",
)
# What the world's pages show that no catalog has: names, languages, addresses.
DATA = (
    "Organizer Person",
    "Everyone",
    "Mobilizer",
    "Love always wins Love Always Wins",
    "English Español",
    "example org",
    "UTC",
    "KB",
    "ID",
)
CLIPPED = """[...document.querySelectorAll("main :is(button, .button, .badge, th, h1, h2, h3, label, dt, summary)")]
  .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden"))
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).display !== "inline")
  .map((one) => one.textContent.trim().slice(0, 60))"""


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "phrases", lambda _domain, _tag: Pseudo())


def test_a_phrase_grows_and_keeps_what_is_filled_in() -> None:
    assert longer("Saved %(time)s") == "⟦Sàvéd %(time)s ömnî⟧"
    assert untranslated("<p>⟦Sàvéd ⟦x⟧⟧ by <bdi>Ana</bdi> Everyone</p>", ["Everyone"]) == {"by"}


def test_all_that_is_read_comes_from_a_catalog(pseudo: None, world: World, signed_in: Callable[..., Browser]) -> None:
    make_ready(world)
    organizer = signed_in(Role.ORGANIZER)
    organizer.post(f"{APPEAL}/words/en", subject="Love", **seen(organizer, f"{APPEAL}/words/en"))
    found = {path: untranslated(organizer.get(path).text, DATA) for path in PAGES}
    assert {path: words for path, words in found.items() if words} == {}


@pytest.mark.browser
def test_longer_words_find_their_room_on_a_phone_from_right_to_left(
    pseudo: None, world: World, visitor: Callable[..., Page]
) -> None:
    make_ready(world)
    page, cut = visitor(Role.ORGANIZER, phone=True, language="ar"), {}
    for path in PAGES:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        cut[path] = [*page.evaluate(CLIPPED), *([f"{wide} px too wide"] if wide > 0 else [])]
    assert {path: found for path, found in cut.items() if found} == {}
