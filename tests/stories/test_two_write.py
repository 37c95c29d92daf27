"""An appeal that two people write in a real browser: one the source, one a translation that falls behind it once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from mobilizer.organizers.policy import Role
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401
from tests.worlds import World

pytestmark = pytest.mark.browser

LOOKS = {"en": {"phone": False, "dark": True}, "ar": {"phone": True, "dark": False}}
APPEAL = "/appeals/the-long-way-home"
SOURCE = {
    "title": "The long way home",
    "subject": "She walked for three days",
    "preheader": "Two minutes with Amina",
    "greeting": "Dear {{ first_name }},",
    "greeting_nameless": "Dear friend,",
    "body": "Amina walked home. [Read more](https://example.org/amina)",
    "button": "Watch the film",
    "poster_alt": "A woman on a dusty road",
    "share_text": "Watch this with me:",
}
SPANISH = {
    "title": "El largo camino a casa",
    "subject": "Caminó durante tres días",
    "preheader": "Dos minutos con Amina",
    "greeting": "Querida {{ first_name }}:",
    "greeting_nameless": "Querida amiga:",
    "body": "Amina volvió a casa a pie. [Leer más](https://example.org/amina)",
    "button": "Ver la película",
    "poster_alt": "Una mujer en un camino de tierra",
    "share_text": "Míralo conmigo:",
}


@pytest.mark.parametrize("language", LOOKS)
def test_what_one_writes_another_translates_and_brings_up_to_date(
    visitor: Callable[..., Page], world: World, language: str
) -> None:
    writer = visitor(Role.ORGANIZER, language=language, **LOOKS[language])
    begin(writer)
    write(writer, "en", SOURCE)
    approve(writer, "en")
    writer.goto(f"{APPEAL}/languages")
    writer.fill("main [name=language][list]", "es")
    press(writer, "form:has([list])")

    translator = visitor(Role.TRANSLATOR, language=language, **LOOKS[language])
    translator.goto(APPEAL)
    expect(translator).to_have_url(f"{APPEAL}/words/es")
    write(translator, "es", SPANISH)
    approve(writer, "es")
    assert state(writer) == "reviewed"

    write(writer, "en", {"subject": "She walked for four days"})
    assert state(writer) == "out_of_date", "what was approved is not what the source says now"
    translator.goto(f"{APPEAL}/words/es")
    changed = translator.locator("ins, del").all_inner_texts()
    assert {"three", "four"} <= {word.split()[-1] for word in changed}, "the words that changed stand beside the source"
    assert faults(translator) == []
    write(translator, "es", {"subject": "Caminó durante cuatro días"})
    assert state(writer) == "done"
    approve(writer, "es")
    assert state(writer) == "reviewed"
    assert faults(writer) == []


def begin(page: Page) -> None:
    """A new appeal, in English."""
    page.goto("/appeals/new")
    page.fill("main [name=title]", SOURCE["title"])
    page.select_option("main [name=language]", "en")
    press(page)
    page.wait_for_url(f"**{APPEAL}/words/en")


def write(page: Page, tag: str, words: dict[str, str]) -> None:
    """Fill in fields of a language and save them."""
    page.goto(f"{APPEAL}/words/{tag}")
    for name, said in words.items():
        page.fill(f"form.editor [name={name}]", said)
    press(page, "form.editor")
    expect(page.locator("main .alert.good, .flash.good, .alert.good")).to_be_visible()


def approve(page: Page, tag: str) -> None:
    """Approve what stands there now."""
    page.goto(f"{APPEAL}/words/{tag}")
    press(page, "form:has([name=read])")


def state(page: Page) -> str:
    """What the board says of Spanish."""
    page.goto(f"{APPEAL}/languages")
    return page.locator("tr:has(bdi:text-is('es'))").get_attribute("data-state") or ""


def press(page: Page, form: str = "main form") -> None:
    """The button of a form."""
    page.locator(form).locator("button:not([name]):not([type=button])").last.click()
    page.wait_for_load_state()
