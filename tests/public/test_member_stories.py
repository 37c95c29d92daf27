"""What a member does on a phone beside watching, in English, Arabic and Hindi, each beginning with a mail.

They leave, say why and come back; choose languages, lists and how much reaches them; read all that is known of them,
take it along and have it erased.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from mobilizer.audience.leaving_reasons import LeavingReason
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.audience.named_sharers import is_named
from mobilizer.audience.preferences import preferences_of
from mobilizer.audience.sign_ups import SignUp
from mobilizer.audience.suppressing import is_suppressed
from mobilizer.db import Database
from mobilizer.jobs import Work
from mobilizer.keys import Purpose, Ticket
from mobilizer.public import joining
from tests.one_database import database_url  # noqa: F401
from tests.public.conftest import World
from tests.public.phones import Phone, Post, a_phone, a_post, a_relay, settings_of_here  # noqa: F401

pytestmark = pytest.mark.browser

TOLD_IN = pytest.mark.parametrize(("tag", "dark"), [("en", False), ("ar", True), ("hi", False)])
Give = Callable[..., Phone]


def standings(world: World) -> list[str]:
    found = world.standing(world.ana)
    return [found[number] for number in world.lists[:2]]


def reasons(world: World) -> list[str]:
    with world.installation.database.read() as session:
        return list(session.scalars(select(LeavingReason.choice)))


@TOLD_IN
def test_a_member_leaves_says_why_and_comes_back(world: World, post: Post, phone: Give, tag: str, dark: bool) -> None:
    hand = phone(tag, dark=dark)
    hand.open_mail(post.mail(tag))
    hand.follow("Unsubscribe")
    hand.look("leave")
    assert standings(world) == ["confirmed", "confirmed"], "to look is not to leave"
    hand.page.locator("button[name=only]").click()
    hand.look("left-one")
    assert standings(world) == ["unsubscribed", "confirmed"]
    hand.press("Undo")
    hand.look("back")
    assert standings(world) == ["confirmed", "confirmed"]
    hand.page.reload()
    hand.page.go_back()
    expect(hand.page.get_by_role("button", name=hand.said("Undo"))).to_have_count(0)
    hand.press("Unsubscribe from everything")
    hand.look("left")
    assert standings(world) == ["unsubscribed", "unsubscribed"]
    hand.page.get_by_label(hand.said("I do not feel safe getting them")).check()
    hand.press("Tell the reason")
    hand.look("told")
    assert reasons(world) == ["safety"]
    hand.press("Undo")
    expect(hand.page.get_by_role("heading", level=1)).to_have_text(hand.said("Welcome back"))
    assert standings(world) == ["confirmed", "confirmed"]
    assert reasons(world) == []


@TOLD_IN
def test_a_member_chooses_what_reaches_them(world: World, post: Post, phone: Give, tag: str, dark: bool) -> None:
    database, hand = world.installation.database, phone(tag, dark=dark)
    hand.open_mail(post.mail(tag))
    hand.follow("Change language or lists")
    hand.look("preferences")
    page, other = hand.page, {"en": "hi", "ar": "en", "hi": "ar"}[tag]
    page.get_by_label(hand.said("Second language")).select_option(other)
    page.get_by_label("Family & friends").uncheck()
    page.get_by_label(hand.said("At most one a month")).check()
    page.get_by_label(hand.said("Count which mails I open and which links I follow")).uncheck()
    page.get_by_label(hand.said("Count how many people watch and sign up through my link")).uncheck()
    page.locator("[name=named]").check()
    hand.press("Save")
    hand.look("saved")
    with database.read() as session:
        member, chosen = session.get_one(Member, world.ana), preferences_of(session, world.ana)
        assert (member.language, member.second_language, member.tracking) == (tag, other, False)
        assert (chosen.monthly, chosen.uncounted, is_named(session, world.ana)) == (True, True, True)
    assert standings(world) == ["confirmed", "unsubscribed"]

    page.get_by_label(hand.said("None for three months, then as before")).check()
    page.get_by_label(hand.said("Count which mails I open and which links I follow")).check()
    page.get_by_label(hand.said("Count how many people watch and sign up through my link")).check()
    page.get_by_label("Family & friends").check()
    page.get_by_label(hand.said("Language of our mails")).select_option(other)
    page.get_by_text(hand.said("Make a new link to share")).click()
    hand.press("Make a new link")
    hand.speaks(other)
    hand.look("paused")
    with database.read() as session:
        member, chosen = session.get_one(Member, world.ana), preferences_of(session, world.ana)
        assert (member.language, member.second_language, member.tracking) == (other, None, True)
        assert (chosen.paused_until is None, chosen.uncounted) == (False, False)
        assert member.share_code != "anascode22"
    assert standings(world) == ["confirmed", "confirmed"]


@TOLD_IN
def test_a_member_reads_what_is_known_and_has_it_erased(
    world: World, post: Post, phone: Give, tag: str, dark: bool
) -> None:
    database, hand = world.installation.database, phone(tag, dark=dark)
    hand.open_mail(post.mail(tag))
    hand.follow("Change language or lists")
    preferences = hand.page.url
    hand.press("Send me the link")
    hand.look("record-asked")
    letter = post.work(Work.RECORD, world.ana)
    link = re.search(r"http\S+/r/\S+", letter.text)
    assert letter.language == tag
    assert link
    hand.page.goto(link[0])
    hand.look("record")
    with hand.page.expect_download() as download:
        hand.follow("Take it along as a file (JSON)")
    assert json.loads(Path(download.value.path()).read_text("utf-8"))["address"] == "ana@example.org"

    hand.page.goto(preferences)
    hand.page.get_by_text(hand.said("Delete everything about me")).click()
    hand.look("erase")
    hand.page.fill("#email", "amal@example.org")
    hand.press("Delete everything now")
    hand.look("not-theirs")
    hand.page.fill("#email", "ana@example.org")
    with database.read() as session:
        key = session.get_one(Member, world.ana).address_key
    hand.press("Delete everything now")
    hand.look("erased")
    with database.read() as session:
        assert session.get(Member, world.ana) is None
        assert is_suppressed(session, key)
    for step, address in (("record-over", link[0]), ("preferences-gone", preferences)):
        hand.page.goto(address)
        hand.look(step, whole=False)


@TOLD_IN
def test_all_of_it_goes_without_script(world: World, post: Post, phone: Give, tag: str, dark: bool) -> None:
    hand = phone(tag, dark=dark, script=False)
    page, mail = hand.page, post.mail(tag)
    links = dict.fromkeys(re.findall(r'href="([^"]+/(?:c|u|p)/[^"]+)"', mail.html))
    watch, leave, preferences = (next(at for at in links if f"/{way}/" in at) for way in "cup")
    page.goto(watch)
    hand.press("I watched it")
    expect(page.get_by_text(hand.said("Thank you for watching."))).to_be_visible()
    assert [(event.kind, event.channel) for event in world.events()][-1] == ("watch", "word")
    page.goto(leave)
    hand.press("Unsubscribe from everything")
    assert standings(world) == ["unsubscribed", "unsubscribed"]
    page.get_by_label(hand.said("Too many mails")).check()
    hand.press("Tell the reason")
    assert reasons(world) == ["too_many"]
    hand.press("Undo")
    assert standings(world) == ["confirmed", "confirmed"]
    page.goto(preferences)
    page.get_by_label("News").uncheck()
    hand.press("Save")
    expect(page.get_by_text(hand.said("Your changes are saved."))).to_be_visible()
    assert standings(world) == ["unsubscribed", "confirmed"]
    page.get_by_text(hand.said("Delete everything about me")).click()
    page.fill("#email", "ana@example.org")
    hand.press("Delete everything now")
    expect(page.get_by_role("heading", level=1)).to_have_text(hand.said("Everything about you is deleted"))
    with world.installation.database.read() as session:
        assert session.get(Member, world.ana) is None


def away(*_: object) -> None:
    raise OperationalError("SELECT", {}, Exception("gone"))


@pytest.mark.parametrize(("tag", "dark"), [("ar", True), ("hi", False)])
def test_what_can_not_be_done_is_said_kindly(
    world: World, phone: Give, monkeypatch: pytest.MonkeyPatch, tag: str, dark: bool
) -> None:
    hand, keyring, database = phone(tag, dark=dark), world.installation.keyring, world.installation.database
    page, leave = hand.page, f"/u/{world.token(Purpose.UNSUBSCRIBE)}?in={tag}"
    with database.write() as session:
        wish = SignUp(list_id=world.lists[0], address_key=b"k" * 16, language=tag, wording="W", wording_language=tag)
        session.add(wish)
        session.execute(update(MemberList).where(MemberList.id == world.lists[1]).values(open=True))
        session.flush()
        closed = keyring.token(Purpose.CONFIRM, Ticket(wish.id, 0))
    page.goto("/c/forged/1")
    hand.look("missing")
    for step, path in (("closed", f"/k/{closed}"), ("over", "/k/forged"), ("sent", "/j/list-1/sent")):
        page.goto(path)
        hand.look(step, whole=False)
    monkeypatch.setattr(joining, "SOONEST_SECONDS", 0)
    monkeypatch.setattr(joining, "within", lambda *_: False)
    page.goto("/j/list-1")
    page.fill("#email", "layla@example.org")
    hand.press("Sign up")
    hand.look("rate-limited", whole=False)
    page.goto(leave)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", away)
        hand.press("Unsubscribe from everything")
        hand.look("not-done")
        patch.setattr(Database, "read", away)
        page.goto(leave)
        hand.look("not-shown", whole=False)
    hand.follow("Try again")
    hand.press("Unsubscribe from everything")
    assert standings(world) == ["unsubscribed", "unsubscribed"]
