"""Members: found by their exact address, filtered, and seen whole."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select

from mobilizer.audience.leaving_reasons import tell
from mobilizer.audience.members import Member
from mobilizer.audience.preferences import Fewer, get_fewer
from mobilizer.audience.searching import by_name
from mobilizer.audience.suppressing import suppress, suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.engagement.events import Event
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.web import members
from tests.web.conftest import Browser
from tests.worlds import World


def test_a_member_is_found_by_the_whole_address_which_stays_out_of_every_url(organizer: Browser, world: World) -> None:
    answer = organizer.post("/members/search", email=" Member1@EXAMPLE.org ")
    assert (answer.status_code, answer.location) == (303, f"/members/{world.members[1]}")
    assert "example.org" not in answer.location


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("member1@example.or", 200, "Nobody has this address"),
        ("member1", 422, "has no @ sign"),
        ("", 422, "There is no address"),
        ("<script>@x", 422, "&lt;script&gt;"),
    ],
)
def test_an_address_that_is_not_found_is_answered_with_a_hint(
    organizer: Browser, world: World, asked: str, code: int, said: str
) -> None:
    answer = organizer.post("/members/search", email=asked)
    assert answer.status_code == code
    assert said in answer.text


def test_filters_narrow_the_members(organizer: Browser, world: World, installation: Installation) -> None:
    with installation.database.write() as session:
        key = installation.keyring.address_key("member1@example.org")
        suppress(session, key, SuppressedFor.COMPLAINT)
    for query, people in (
        ("", 5),
        ("language=es", 2),
        ("list=everyone&language=en", 3),
        ("standing=suppressed", 1),
        ("standing=unsubscribed", 0),
        ("language=klingon", 0),
    ):
        page = organizer.get(f"/members?{query}")
        assert page.status_code == 200, query
        assert page.text.count("@example.org</bdi>") == people, query


@pytest.mark.parametrize("query", ["list=nowhere", "standing=dead"])
def test_a_filter_that_cannot_be_is_not_found(organizer: Browser, world: World, query: str) -> None:
    assert organizer.get(f"/members?{query}").status_code == 404


def test_a_member_is_shown_with_lists_mails_and_acts(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[1]
    world.launch()
    with installation.database.write() as session:
        session.add(Event(kind="click", blast_id=world.blast_id, member_id=member))
        session.add(Event(kind="open", blast_id=world.blast_id, member_id=member, machine="prefetch"))
        suppress(session, installation.keyring.address_key("member1@example.org"), SuppressedFor.HARD_BOUNCE)
    page = organizer.get(f"/members/{member}").text
    for words in (
        "Ana1 López",
        "member1@example.org",
        "Español",
        "This address must not be mailed",
        "Everyone",
        "Waiting",
        "their language",
        "Clicked",
        "by a machine",
    ):
        assert words in page, words
    assert "member1@example.org" not in page.split("</title>")[0]


def test_without_members_the_page_says_where_they_come_from(organizer: Browser) -> None:
    assert "No members yet" in organizer.get("/members").text


def test_a_member_is_given_their_record_and_it_is_written_down(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[1]
    answer = organizer.post(f"/members/{member}/record")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="member-{member}.json"'
    said = json.loads(answer.text)
    assert (said["address"], said["name"]) == ("member1@example.org", "Ana1 López")
    assert acts(installation) == [("member.record", f"member:{member}", organizer.user_id)]


def test_a_member_is_erased_from_their_page_and_it_is_written_down(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[1]
    assert f'action="/members/{member}/erase"' in organizer.get(f"/members/{member}").text
    answer = organizer.post(f"/members/{member}/erase")
    assert (answer.status_code, answer.location) == (303, "/members")
    assert f"Member {member} is erased" in organizer.get("/members").text
    assert organizer.get(f"/members/{member}").status_code == 404
    assert acts(installation) == [("member.erase", f"member:{member}", organizer.user_id)]
    with installation.database.read() as session:
        key = installation.keyring.address_key("member1@example.org")
        assert suppressed_among(session, [key]) == {key: SuppressedFor.ERASED}


def test_an_organizer_reads_a_record_as_the_member_does_and_it_is_written_down(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[1]
    page = organizer.get(f"/members/{member}").text
    assert re.search(r'name="in".*<option value="es" selected>', page, re.DOTALL)
    answer = organizer.post(f"/members/{member}/record/page", **{"in": "es"})
    assert answer.status_code == 200
    assert '<html lang="es" dir="ltr">' in answer.text
    for words in (
        "member1@example.org",
        "Ana1 López",
        "Lo que sabemos de ti",
        'lang="en" dir="ltr"',
        "Back to the member",
    ):
        assert words in answer.text, words
    assert f'href="/members/{member}"' in answer.text
    assert acts(installation) == [("member.record", f"member:{member}", organizer.user_id)]
    assert '<html lang="ar" dir="rtl">' in organizer.post(f"/members/{member}/record/page", **{"in": "ar"}).text
    assert organizer.post(f"/members/{member}/record/page", **{"in": "tlh"}).status_code == 400
    assert organizer.get(f"/members/{member}/record/page").status_code == 405


@pytest.mark.parametrize("number", ["999999", str(2**63), "0"])
@pytest.mark.parametrize("act", ["record", "record/page", "erase"])
def test_of_nobody_there_is_nothing_to_give_or_erase(
    organizer: Browser, world: World, installation: Installation, number: str, act: str
) -> None:
    assert organizer.post(f"/members/{number}/{act}", **{"in": "en"}).status_code == 404
    assert acts(installation) == []


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRANSLATOR])
@pytest.mark.parametrize("act", ["record", "record/page", "erase"])
def test_who_may_not_see_members_takes_and_erases_none(
    signed_in: Callable[..., Browser], world: World, installation: Installation, role: Role, act: str
) -> None:
    assert signed_in(role).post(f"/members/{world.members[0]}/{act}").status_code == 403
    with installation.database.read() as session:
        assert session.get(Member, world.members[0]) is not None


def acts(installation: Installation) -> list[tuple[str, str, int | None]]:
    with installation.database.read() as session:
        found = session.execute(select(AuditEntry.action, AuditEntry.subject, AuditEntry.user_id))
        return [(action, subject, user) for action, subject, user in found]


def test_members_are_looked_for_by_name_and_domain_which_stay_out_of_every_address(
    organizer: Browser, world: World
) -> None:
    page = organizer.post("/members/look", by="name", asked="ana3 lopez")
    assert page.status_code == 200
    assert page.text.count("@example.org</bdi>") == 1
    assert "Opened and looked at so far, the newest first: 5 of 5." in page.text
    world.join(["es"], domain="elsewhere.net")
    page = organizer.post("/members/look", by="domain", asked=" Elsewhere.NET ")
    assert page.text.count("@elsewhere.net</bdi>") == 1
    assert "elsewhere" not in "".join(part for part in page.text.split('"') if part.startswith("/"))
    assert organizer.post("/members/look?language=en", by="name", asked="ana").text.count("@example.org</bdi>") == 3


@pytest.mark.parametrize(("by", "asked"), [("name", " "), ("domain", "not a domain"), ("domain", ""), ("name", "´")])
def test_what_cannot_be_looked_for_is_said(organizer: Browser, world: World, by: str, asked: str) -> None:
    assert organizer.post("/members/look", by=by, asked=asked).status_code == 422


def test_a_look_goes_on_from_where_it_was(organizer: Browser, world: World) -> None:
    page = organizer.post("/members/look", by="name", asked="ana", before=str(world.members[2]), seen="3")
    assert page.text.count("@example.org</bdi>") == 2
    assert "the newest first: 5 of 5." in page.text
    assert "Look further" not in page.text


def test_a_look_that_is_not_over_says_how_far_it_went_and_goes_further(
    organizer: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "by_name", partial(by_name, most=2))
    said = "the newest first: %d of 5."
    before = seen = ""
    for step in (2, 4, 5):
        page = organizer.post("/members/look", by="name", asked="nobody", before=before, seen=seen).text
        assert said % step in page
        assert ("Look further" in page) == (step < 5)
        carried = dict(re.findall(r'name="(before|seen)" value="(\d+)"', page))
        before, seen = carried.get("before", ""), carried.get("seen", "")


def test_who_wants_fewer_mails_is_a_filter_with_its_count_and_said_of_each(organizer: Browser, world: World) -> None:
    paused, monthly, *_ = world.members
    with world.installation.database.write() as session:
        get_fewer(session, paused, Fewer.PAUSED)
        get_fewer(session, monthly, Fewer.MONTHLY)
    for standing, member in (("paused", paused), ("monthly", monthly)):
        found = organizer.get(f"/members?standing={standing}").text
        assert "1 member fits" in found
        assert f'/members/{member}"' in found
    assert "Paused until" in organizer.get(f"/members/{paused}").text
    assert "One mail a month at most" in organizer.get(f"/members/{monthly}").text


def test_why_people_left_is_told_in_sums_and_words_without_names(organizer: Browser, world: World) -> None:
    here = world.installation
    assert "Nobody has given a reason yet." in organizer.get("/members/leaving").text
    with here.database.write() as session:
        for number, member in enumerate(world.members[:3]):
            why = ("safety", "", "safety")[number]
            assert tell(session, here.keyring, member, why, ("", "<b>too loud</b>", "")[number], "en")
    told = organizer.get("/members/leaving").text
    assert re.search(r"Do not feel safe getting them</th><td class=\"num\">.*2", told)
    assert "Only words of their own" in told
    assert "&lt;b&gt;too loud&lt;/b&gt;" in told
    assert "example.org" not in told
