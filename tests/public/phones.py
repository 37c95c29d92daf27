"""Stories on phones: the mail that a worker handed to a relay, who opens it, and an eye on every step.

Import the fixtures: `from tests.public.phones import a_phone, a_post, a_relay, settings_of_here  # noqa: F401`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import update

from mobilizer import jobs
from mobilizer.audience.members import Member
from mobilizer.catalogs import phrases
from mobilizer.db import clock
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.jobs import Work
from mobilizer.languages import language
from mobilizer.settings import Settings
from mobilizer.transport.reading import Reading, read
from tests.browser import faults
from tests.public.conftest import World
from tests.transport.scripted_relay import ScriptedRelay

PICTURES = os.environ.get("SHOTS", "")  # a folder to look at each step in
# By its own name, HeadlessChrome, it would be held for the machine that it is.
AGENT = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"
# Said alike in every language: services and formats; and the hours of Hindi, as CLDR has them.
NAMES = {"WhatsApp", "Telegram", "Signal", "Facebook", "Bluesky", "SMS", "QR", "JSON", "UTC", "am", "pm"}
NAMED = re.compile("\u2068[^\u2069]*\u2069")  # data within a sentence
LATIN = re.compile(r"[A-Za-z]{2,}")
# What a page says itself, shown or hidden, or read out: nobody's data, no other language, not the appeal.
SAID = """tag => {
  const said = [document.title], words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const own = (at) => !at.closest("bdi, script, style, textarea, .prose") && at.closest("[lang]").lang === tag;
  while (words.nextNode()) if (own(words.currentNode.parentElement)) said.push(words.currentNode.data);
  for (const name of ["alt", "title", "aria-label", "placeholder", "data-done"])
    for (const at of document.querySelectorAll(`[${name}]`)) if (own(at)) said.push(at.getAttribute(name));
  return said;
}"""


class Phone:
    """A page of 390 px that speaks a language; `look` at it after each step."""

    def __init__(self, browser: Browser, site: str, tag: str, *, dark: bool = False, script: bool = True) -> None:
        self.site, self.tag, self._schemes = site, tag, ("dark", "light") if dark else ("light", "dark")
        self.context = browser.new_context(
            viewport={"width": 390, "height": 844},
            locale=tag,
            color_scheme=self._schemes[0],
            user_agent=AGENT,
            java_script_enabled=script,
            reduced_motion="reduce",  # colours are looked at when they have come
            base_url=site,
        )
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if "Policy" in said.text else None)

    def speaks(self, tag: str) -> None:
        """From here on the pages are to be in another language."""
        self.tag = tag

    def said(self, phrase: str, **values: object) -> str:
        """A phrase of the members' pages in the language."""
        words = phrases("member", self.tag).gettext(phrase)
        return words % values if values else words

    def open_mail(self, mail: Reading) -> None:
        """Show a mail as a mail program does."""
        self.page.set_content(mail.html)
        self._take("mail")
        assert self.page.evaluate("document.documentElement.scrollWidth") <= 390

    def press(self, phrase: str) -> None:
        """Press the button with these words."""
        self.page.get_by_role("button", name=self.said(phrase), exact=True).click()

    def follow(self, phrase: str) -> None:
        """Follow the link with these words."""
        self.page.get_by_role("link", name=self.said(phrase), exact=True).click()

    def look(self, step: str, *, whole: bool = True) -> None:
        """Nothing is wrong with a step, in the light and in the dark; a picture of it where one is asked for. Not the
        `whole` is looked at of a page that is made like others: its language, width and colours."""
        first, other = self._schemes
        self.page.wait_for_load_state()
        html = self.page.locator("html")
        assert html.get_attribute("lang") == self.tag, step
        assert html.get_attribute("dir") == language(self.tag).direction, step
        left = self.foreign_words()
        assert left == set(), step
        self._take(step)
        assert faults(self.page, only="" if whole else "color-contrast") == []
        self.page.emulate_media(color_scheme=other)
        assert faults(self.page, only="color-contrast") == []
        self._take(step)
        self.page.emulate_media(color_scheme=first)

    def foreign_words(self) -> set[str]:
        """What is left in Latin letters on a page that writes others."""
        if language(self.tag).script == "Latn":
            return set()
        said = NAMED.sub("", " ".join(self.page.evaluate(SAID, self.tag))).replace(self.organisation, "")
        return set(LATIN.findall(said)) - NAMES

    organisation = "Love Always Wins"

    def _take(self, step: str) -> None:
        if PICTURES:
            scheme = "dark" if self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
            self.page.screenshot(path=Path(PICTURES) / f"{step}-{self.tag}-{scheme}.png", full_page=True)

    def close(self) -> None:
        """Nobody else was asked for anything, and nothing stays behind."""
        assert self.complaints == []
        elsewhere = [url for url in self.asked if not url.startswith((self.site, "about:", "data:"))]
        assert elsewhere == []
        assert self.context.cookies() == []
        self.context.close()


@dataclass
class Post:
    """The relay that takes the mails of a world, and the worker that hands them over."""

    world: World
    relay: ScriptedRelay

    def work(self, kind: Work, number: int) -> Reading:
        """Do a piece of work that sends one mail; the mail as its reader sees it."""
        before = len(self.relay.messages)
        jobs.perform(kind, number)
        [mail] = self.relay.messages[before:]
        return read(mail)

    def mail(self, tag: str) -> Reading:
        """The blast's mail to Ana, who reads this language. It came a minute ago."""
        world = self.world
        with world.installation.database.write() as session:
            session.execute(update(Member).where(Member.id == world.ana).values(language=tag))
            delivery = update(Delivery).where(Delivery.member_id == world.ana)
            [batch] = session.scalars(delivery.values(language=tag, state="pending").returning(Delivery.batch_id))
            session.execute(update(Batch).where(Batch.id == batch).values(language=tag, state="open", size=1))
        mail = self.work(Work.SEND, batch)
        with world.installation.database.write() as session:  # who follows a link as soon as it is out is a machine
            session.execute(update(Delivery).values(settled_at=clock(-60)))
        return mail


@pytest.fixture(name="relay")
def a_relay() -> Iterator[ScriptedRelay]:
    """Takes every mail."""
    with ScriptedRelay() as relay:
        yield relay


@pytest.fixture(name="settings")
def settings_of_here(settings: Settings, relay: ScriptedRelay, free_port: int) -> Settings:
    """Links in mails lead to where the pages are."""
    changed = {"base_url": f"http://127.0.0.1:{free_port}", "smtp_port": relay.port, "loopback_only": True}
    return settings.model_copy(update=changed)


@pytest.fixture(name="post")
def a_post(world: World, relay: ScriptedRelay, monkeypatch: pytest.MonkeyPatch) -> Post:
    """A worker of this world, in this process."""
    monkeypatch.setattr(jobs, "_installation", world.installation)
    monkeypatch.setattr(world.installation.database, "after_fork", lambda: None)  # nobody forked
    return Post(world, relay)


@pytest.fixture(name="phone")
def a_phone(chromium: Browser, address: str) -> Iterator[Callable[..., Phone]]:
    """`phone("ar", dark=True, script=False)`; each is looked over once more when the story is told."""
    given: list[Phone] = []

    def give(tag: str, **options: bool) -> Phone:
        given.append(Phone(chromium, address, tag, **options))
        return given[-1]

    yield give
    for one in given:
        one.close()
