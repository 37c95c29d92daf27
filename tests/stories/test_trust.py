"""From an empty installation to a translator at work, in a real browser: first run, invitation, translation, safety."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from mobilizer.appeals.appeals import Translation
from mobilizer.installation import Installation
from mobilizer.organizers.audit import verify
from mobilizer.organizers.first_run import code_of
from tests.browser import PASSWORD, faults
from tests.one_database import database_url  # noqa: F401
from tests.worlds import World

pytestmark = pytest.mark.browser

LOOKS = {"en": {"phone": False, "dark": False}, "ar": {"phone": True, "dark": True}}


class Watched:
    """A page of which every stop is looked at."""

    def __init__(self, page: Page, shots: Path | None = None) -> None:
        self.page, self.faults, self.shots = page, list[str](), shots

    def look(self, name: str) -> None:
        self.faults += faults(self.page)
        if self.shots:
            self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)

    def send(self, button: str = "main form button.primary") -> None:
        self.page.locator(button).first.click()


@pytest.mark.parametrize("language", LOOKS)
def test_a_translator_comes_by_invitation_and_translates(
    visitor: Callable[..., Page], installation: Installation, world: World, language: str
) -> None:
    first = Watched(visitor(language=language, **LOOKS[language]))
    set_up(first, installation)
    path = invite(first)
    second = Watched(visitor(language=language, **LOOKS[language]))
    second.page.goto(path)
    second.look("invitation")
    second.fill(password=PASSWORD)
    second.send()
    expect(second.page.locator("html")).to_have_attribute("lang", language)
    translate(second)
    with installation.database.read() as session:
        written = session.scalars(select(Translation.subject).where(Translation.language == "es")).one()
        assert written == "El amor vence siempre"
        assert verify(session).broken_at is None
    secure(first)
    assert first.faults + second.faults == []


def set_up(it: Watched, installation: Installation) -> None:
    """The first run: code, organisation, oneself; then how mail goes out."""
    it.page.goto("/")
    assert it.page.url.endswith("/set-up")
    it.look("first-run")
    it.fill(code=code_of(installation.keyring), organisation="Love Always Wins", postal_address="12 Hope Street")
    it.fill(name="Ada Lovelace", email="ada@example.org", password=PASSWORD)
    it.send()
    it.page.wait_for_url("**/settings/sending?first=1")
    it.look("sending")
    it.fill(sender_address="appeals@example.org")
    it.send()
    it.page.wait_for_url("**/settings/languages")


def invite(it: Watched) -> str:
    """Invite a translator; the path of their link."""
    it.page.goto("/settings/users")
    it.fill(name="Teresa", email="teresa@example.org", languages="es")
    it.page.check("[name=role][value=translator]")
    it.look("users")
    it.send("form[action$='/settings/users'] button.primary")
    link = it.page.locator("#f-link").input_value()
    it.look("invited")
    return re.sub(r"^https?://[^/]+", "", link)


def translate(it: Watched) -> None:
    """Their own language opens, another one doesn't; no member is anywhere."""
    it.page.goto("/appeals/love-always-wins")
    expect(it.page).to_have_url(re.compile("/words/es$"))
    it.look("words")
    it.fill(subject="El amor vence siempre")
    it.send("main form[method=post] button.primary")
    expect(it.page.locator("[name=subject]")).to_have_value("El amor vence siempre")
    assert it.page.locator("nav a[href='/members']").count() == 0


def secure(it: Watched) -> None:
    """The second factor, its recovery codes, one's browsers, and the record of all that."""
    it.page.goto("/settings/safety/factor")
    it.look("factor")
    secret = it.page.locator("[name=secret]").input_value()
    it.fill(code=pyotp.TOTP(secret).now())
    it.send()
    expect(it.page.locator(".codes li")).to_have_count(10)
    it.look("codes")
    for path in ("/settings/safety", "/settings/audit", "/settings/users/2"):
        it.page.goto(path)
        it.look(path.rpartition("/")[2])
