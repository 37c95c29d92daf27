"""A film goes from hand to hand on phones: a mail in English, a friend in Arabic, and their friend in Hindi."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.audience.sign_ups import SignUp
from mobilizer.engagement import own_visits
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.tree import tree
from mobilizer.jobs import Work
from mobilizer.public import joining
from tests.one_database import database_url  # noqa: F401
from tests.public.conftest import WORDS, World
from tests.public.phones import Phone, Post, a_phone, a_post, a_relay, settings_of_here  # noqa: F401

pytestmark = pytest.mark.browser

# What a phone's own sheet for sharing is given, and that it was let go.
SHEET = "navigator.share = async (told) => { window.told = told; };"


def watch_and_share(hand: Phone, own: str) -> str:
    """Say that one watched, write words of one's own, give them to the phone's own sheet, copy the link."""
    page = hand.page
    hand.look(f"watch-{hand.tag}")
    hand.press("I watched it")
    expect(page.get_by_text(hand.said("Thank you for watching."))).to_be_visible()
    page.get_by_label(hand.said("Your words with the link")).fill(own)
    assert f"text={own}\n" in unquote(page.locator("[data-channel=whatsapp]").get_attribute("href") or "")
    hand.press("Share")
    told, link = page.evaluate("window.told"), page.locator("#link").get_attribute("data-link") or ""
    assert (told["text"], told["url"]) == (own, link.replace("?c=copy", "?c=native"))
    hand.press("Copy")
    expect(page.locator("#copied")).to_have_text(hand.said("The link is copied."))
    return link


def join(hand: Phone, post: Post, email: str) -> str:
    """From the watch page to the list, by the letter that asks; the link that the new member then passes on."""
    page = hand.page
    hand.follow("Sign up")
    hand.look("form")
    assert page.locator("#language").input_value() == hand.tag
    page.fill("#email", email)
    hand.press("Sign up")
    page.wait_for_url("**/sent*")
    with post.world.installation.database.read() as session:
        wish = session.scalars(select(SignUp).order_by(SignUp.id.desc())).first()
    assert wish is not None
    assert (wish.language, wish.wording_language) == (hand.tag, hand.tag)
    letter = post.work(Work.SIGN_UP, wish.id)
    link = re.search(r"http\S+/k/\S+", letter.text)
    assert letter.language == hand.tag
    assert link
    page.goto(link[0])
    hand.look("confirm")
    hand.press("Confirm")
    expect(page.get_by_role("heading", level=1)).to_have_text(hand.said("Thank you for joining us"))
    hand.look("joined")
    with page.expect_response(lambda answer: answer.request.method == "POST"):  # that it was shared is told behind it
        hand.press("Copy")
    return page.locator("#link").get_attribute("data-link") or ""


def test_a_film_goes_from_hand_to_hand(
    world: World, post: Post, phone: Callable[..., Phone], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 0)  # whoever sees it is quick
    friends_are_quick = tuple(one for one in own_visits._AROUND if one[0] != EventKind.SHARE)
    monkeypatch.setattr(own_visits, "_AROUND", friends_are_quick)
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))

    ana = phone("en")
    ana.context.add_init_script(SHEET)
    ana.open_mail(post.mail("en"))
    ana.page.get_by_role("link", name=WORDS["en"][0], exact=True).click()
    link = watch_and_share(ana, "Look at this!")
    for tag, email, dark in (("ar", "layla@example.org", True), ("hi", "asha@example.org", False)):
        friend = phone(tag, dark=dark)
        friend.context.add_init_script(SHEET)
        friend.page.goto(link)
        watch_and_share(friend, "♥")
        link = join(friend, post, email)

    shares = [one.channel for one in world.events() if one.kind == "share" and one.member_id]
    assert shares == ["native", "copy", "copy", "copy"], "Ana's two, and one of each new member"
    with world.installation.database.read() as session:
        found = tree(session, world.blast)
        assert [(one.step, one.visits, one.joined) for one in found.generations] == [(1, 1, 1), (2, 1, 1)]
        assert {one.key: one.joined for one in found.channels if one.joined} == {"copy": 2}
        newest = session.scalars(select(Member.language).order_by(Member.id.desc()).limit(2)).all()
        assert newest == ["hi", "ar"]
