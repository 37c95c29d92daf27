"""Lists: making them, and what each role sees of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import select

from mobilizer.audience import headcounts
from mobilizer.audience.lists import MemberList
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from tests.web.conftest import Browser
from tests.worlds import World


def test_an_empty_page_says_what_a_list_is_and_how_to_begin(organizer: Browser) -> None:
    page = organizer.get("/lists").text
    assert "No lists yet" in page
    assert 'href="/lists/new"' in page


def test_a_list_is_made_and_the_act_is_recorded(organizer: Browser, installation: Installation) -> None:
    answer = organizer.post("/lists/new", name="Amis & <amies>", description="à Lyon")
    assert (answer.status_code, answer.location) == (303, "/lists/amis-amies")
    page = organizer.get(answer.location).text
    assert "Amis &amp; &lt;amies&gt;" in page
    assert "Import members" in page
    with installation.database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.user_id, entry.action) == (organizer.user_id, "list.create")


def test_a_list_without_a_name_is_refused_and_nothing_is_saved(organizer: Browser, installation: Installation) -> None:
    answer = organizer.post("/lists/new", name="  ", description="kept in the form")
    assert answer.status_code == 422
    assert "A list needs a name" in answer.text
    assert "kept in the form" in answer.text
    assert 'aria-invalid="true"' in answer.text
    with installation.database.read() as session:
        assert session.scalars(select(MemberList)).all() == []


def test_members_are_counted_by_language(organizer: Browser, world: World) -> None:
    page = organizer.get("/lists").text
    assert "English" in page
    assert "Español" in page
    assert "60%" in page


def test_only_who_may_see_members_finds_them_on_a_list(signed_in: Callable[..., Browser], world: World) -> None:
    assert "member0@example.org" in signed_in(Role.ORGANIZER).get("/lists/everyone").text
    viewer = signed_in(Role.VIEWER)
    assert viewer.get("/lists/everyone").status_code == 403
    assert "member0@example.org" not in viewer.get("/sums").text


def test_a_long_list_comes_in_pages(organizer: Browser, world: World) -> None:
    world.join(["en"] * 60)
    first = organizer.get("/lists/everyone").text
    assert first.count("@example.org</bdi>") == 50
    on = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = organizer.get(on).text
    assert second.count("@example.org</bdi>") == 15
    assert organizer.get("/lists/everyone?before=²").status_code == 200


def test_a_list_is_opened_to_everyone_and_closed_again(organizer: Browser, world: World) -> None:
    organizer.post("/lists/new", name="Friends")
    assert "/j/" not in organizer.get("/lists/friends").text
    for wanted in ("1", "0"):
        assert organizer.post("/lists/friends/open", open=wanted).status_code == 303
        assert ("/j/friends" in organizer.get("/lists/friends").text) == (wanted == "1")
    with world.installation.database.read() as session:
        assert session.scalars(select(AuditEntry.action)).all()[-2:] == ["list.open", "list.close"]


def test_sums_that_were_counted_ahead_say_since_when(
    organizer: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = ("/", "/lists", "/lists/everyone", "/members")
    assert not any("Counted as of" in organizer.get(page).text for page in pages)
    monkeypatch.setattr(headcounts, "WIDTH", 2)
    with world.installation.database.write() as session:
        headcounts.recount(session)
    assert [page for page in pages if "Counted as of <time" not in organizer.get(page).text] == []


def test_a_list_says_how_much_is_counted_of_its_members(signed_in: Callable[..., Browser], world: World) -> None:
    browser = signed_in(Role.ORGANIZER)
    assert "Privacy of its members" in browser.get("/lists/everyone").text
    for asked, kept in (("sums", "sums"), ("forged", "off")):
        assert browser.post("/lists/everyone/privacy", tracking=asked, discreet="1").status_code == 303
        with world.installation.database.read() as session:
            row = session.get_one(MemberList, world.list_id)
            assert (row.tracking, row.discreet) == (kept, True)
    page = browser.get("/blasts/love-always-wins/check").text
    assert "Opens and clicks are not counted" in page
    assert "lacks words of a discreet mail" in page
    assert "Nobody can sign up yet" not in browser.get("/lists/everyone").text
    browser.post("/lists/everyone/open", open="1")
    assert "Nobody can sign up yet" in browser.get("/lists/everyone").text
    world.installation.settings.__dict__.update(
        discreet_base_url="https://plain.example", discreet_sender_address="marta@plain.example"
    )
    page = browser.get("/lists/everyone").text
    assert "Nobody can sign up yet" not in page
    with world.installation.database.read() as session:
        assert f"https://plain.example/j/{session.get_one(MemberList, world.list_id).code}" in page
    assert "/j/everyone" not in page
    assert browser.get("/lists/everyone/form").status_code == 302


def test_a_form_for_another_website_is_given_as_a_frame_and_as_plain_html(organizer: Browser, world: World) -> None:
    organizer.post("/lists/new", name='Amis "& <amies>')
    assert organizer.get("/lists/amis-amies/form").location == "/lists/amis-amies#sign-up"  # nobody can join it yet
    organizer.post("/lists/amis-amies/open", open="1")
    assert 'href="/lists/amis-amies/form"' in organizer.get("/lists/amis-amies").text
    page = organizer.get("/lists/amis-amies/form?in=ar").text
    framed, pasted = (unescape(code) for code in re.findall(r"<code>(.*?)</code>", page, re.DOTALL))
    assert re.match(r'<iframe src="http://[^"]+/j/amis-amies/frame\?in=ar" title="[^"<>]+"', framed)
    assert re.match(r'<form method="post" action="http://[^"]+/j/amis-amies\?in=ar" lang="ar" dir="rtl">', pasted)
    assert "<script" not in framed + pasted
    # Pasted elsewhere it brings what was typed; the wording is read here, in that language.
    assert set(re.findall(r'name="(\w+)"', pasted)) == {"email", "name"}
    shown = organizer.client.post("/j/amis-amies?in=ar", data={"email": "mira@example.org", "name": "Mira"})
    assert shown.status_code == 200
    for kept in ('<html lang="ar" dir="rtl">', 'value="mira@example.org"', 'value="Mira"', 'class="agreed"'):
        assert kept in shown.text
    anybody = organizer.get("/lists/amis-amies/form?in=xx").text
    assert "?in=" not in "".join(re.findall(r"<code>(.*?)</code>", anybody, re.DOTALL))
