"""A film goes from hand to hand on phones: a mail in English, a friend in Arabic, and their friend in Hindi."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.audience.sign_ups import SignUp
from mobilizer.catalogs import phrases
from mobilizer.delivery.ledger import Delivery
from mobilizer.engagement import own_visits
from mobilizer.engagement.tree import tree
from mobilizer.keys import Purpose, Ticket
from mobilizer.public import joining
from tests.browser import faults
from tests.public.conftest import BODY, World

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("SHOTS", "")  # a folder to look at each step in
HINDI = "प्रेम की हमेशा जीत होती है"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36"


@pytest.fixture
def phones(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The film speaks Hindi too; whoever sees it may join, and is quick."""
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 0)
    monkeypatch.setattr(own_visits, "SOON_SECONDS", -1.0)
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))
        session.execute(update(Delivery).where(Delivery.member_id == world.ana).values(language="en"))
        appeal = session.scalars(select(Appeal)).one()
        appeal.translations.append(Translation(language="hi", title=HINDI, body=BODY, share_text="मेरे साथ देखें"))
    return world


def look(page: Page, step: str) -> None:
    """Nothing is wrong with a step; a picture of it where one is asked for."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{step}.png", full_page=True)
    assert faults(page) == []


def watch_and_share(page: Page, tag: str, own: str) -> str:
    """Say that one watched, write words of one's own, copy the link."""
    said = phrases("member", tag).gettext
    look(page, f"{tag}-watch")
    page.get_by_role("button", name=said("I watched it")).click()
    expect(page.get_by_text(said("Thank you for watching."))).to_be_visible()
    page.get_by_label(said("Your words with the link")).fill(own)
    assert f"text={own}\n" in unquote(page.locator("[data-channel=whatsapp]").get_attribute("href") or "")
    page.get_by_role("button", name=said("Copy")).click()
    expect(page.locator("#copied")).to_have_text(said("The link is copied."))
    return page.locator("#link").get_attribute("data-link") or ""


def join(page: Page, world: World, address: str, tag: str, email: str) -> str:
    """From the watch page to the list; the link that the new member then passes on."""
    said = phrases("member", tag).gettext
    page.get_by_role("link", name=said("Sign up")).click()
    look(page, f"{tag}-form")
    assert page.locator("#language").input_value() == tag
    page.fill("#email", email)
    page.get_by_role("button", name=said("Sign up")).click()
    page.wait_for_url("**/sent*")
    with world.installation.database.read() as session:
        wish = session.scalars(select(SignUp).order_by(SignUp.id.desc())).first()
    assert wish is not None
    assert (wish.language, wish.wording_language) == (tag, tag)
    page.goto(f"{address}/k/{world.installation.keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))}")
    look(page, f"{tag}-confirm")
    page.get_by_role("button", name=said("Confirm")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(said("Thank you for joining us"))
    look(page, f"{tag}-joined")
    page.get_by_role("button", name=said("Copy")).click()
    return page.locator("#link").get_attribute("data-link") or ""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_film_goes_from_hand_to_hand(chromium: Browser, phones: World, address: str) -> None:
    base = phones.installation.settings.base_url

    def phone(tag: str, *, dark: bool = False) -> Page:
        size = {"width": 390, "height": 844}
        # By its own name, HeadlessChrome, it would be held for the machine that it is.
        return chromium.new_page(viewport=size, locale=tag, color_scheme="dark" if dark else "light", user_agent=PHONE)

    ana = phone("en")
    ana.goto(f"{address}/c/{phones.token(Purpose.CLICK)}/{phones.link('watch')}")
    link = watch_and_share(ana, "en", "Look at this!")
    ana.context.close()
    for tag, email, dark in (("ar", "layla@example.org", True), ("hi", "asha@example.org", False)):
        friend = phone(tag, dark=dark)
        friend.goto(link.replace(base, address))
        expect(friend.locator("html")).to_have_attribute("lang", tag)
        watch_and_share(friend, tag, "♥")
        link = join(friend, phones, address, tag, email)
        friend.context.close()

    with phones.installation.database.read() as session:
        found = tree(session, phones.blast)
        assert [(one.step, one.visits, one.joined) for one in found.generations] == [(1, 1, 1), (2, 1, 1)]
        assert {one.key: one.joined for one in found.channels} == {"copy": 2}
        newest = session.scalars(select(Member.language).order_by(Member.id.desc()).limit(2)).all()
        assert newest == ["hi", "ar"]
