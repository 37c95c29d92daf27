"""A member's record by hand: changed, their lists, notes; what happened, in order; each act is written down."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from mobilizer.audience import standing
from mobilizer.audience.joining import change_member
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.notes import MemberNote
from mobilizer.audience.suppressing import suppress, suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.engagement.events import Event
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.rights.erasing import erase
from tests.web.conftest import Browser
from tests.worlds import World

KNOWN = {
    "email": "member0@example.org",
    "name": "Ana0 López",
    "language": "en",
    "second_language": "",
    "country": "",
    "time_zone": "",
}


def written_down(installation: Installation) -> list[tuple[str, dict[str, object]]]:
    with installation.database.read() as session:
        return [(entry.action, entry.detail) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def suppressed_for(installation: Installation, address: str) -> SuppressedFor | None:
    key = installation.keyring.address_key(address)
    with installation.database.read() as session:
        return suppressed_among(session, [key]).get(key)


def standings(installation: Installation, member: int) -> dict[int, str]:
    with installation.database.read() as session:
        found = session.scalars(select(Subscription).where(Subscription.member_id == member))
        return {one.list_id: one.standing for one in found}


def test_what_is_known_is_changed_and_the_address_keyed_anew(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[0]
    assert "member0@example.org" in organizer.get(f"/members/{member}/edit").text
    wanted = {**KNOWN, "email": " Ana.New@Example.org ", "language": "pt-br", "second_language": "es", "country": "BR"}
    answer = organizer.post(f"/members/{member}/edit", **{**wanted, "time_zone": "America/Sao_Paulo"})
    assert (answer.status_code, answer.location) == (303, f"/members/{member}")
    assert organizer.post("/members/search", email="ana.new@example.org").location == f"/members/{member}"
    assert "Nobody has this address" in organizer.post("/members/search", email=KNOWN["email"]).text
    with installation.database.read() as session:
        row = session.get_one(Member, member)
        assert (row.language, row.second_language, row.country, row.time_zone) == (
            "pt-BR", "es", "BR", "America/Sao_Paulo",
        )  # fmt: skip
        assert row.identity(installation.keyring).name == "Ana0 López"
    [(action, detail)] = written_down(installation)
    assert action == "member.change"
    assert detail == {"fields": ["email", "language", "second_language", "country", "time_zone"]}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "member1@example.org"}, "is the address of member"),
        ({"email": "nonsense"}, "has no @ sign"),
        ({"email": "gone@example.org"}, "must not be mailed"),
        ({"name": "x" * 301}, "name is too long"),
        ({"language": "klingon!"}, "Choose a language"),
        ({"country": "XX"}, "Choose a country"),
        ({"time_zone": "Mars/Olympus"}, "Choose a time zone"),
    ],
)
def test_what_cannot_be_is_refused_whole(
    organizer: Browser, world: World, installation: Installation, wrong: dict[str, str], said: str
) -> None:
    with installation.database.write() as session:
        suppress(session, installation.keyring.address_key("gone@example.org"), SuppressedFor.ERASED)
    answer = organizer.post(f"/members/{world.members[0]}/edit", **{**KNOWN, "country": "PT", **wrong})
    assert answer.status_code == 422
    assert said in answer.text
    with installation.database.read() as session:
        assert session.get_one(Member, world.members[0]).country is None
    assert written_down(installation) == []


def test_saving_what_was_there_changes_nothing(organizer: Browser, world: World, installation: Installation) -> None:
    assert organizer.post(f"/members/{world.members[0]}/edit", **KNOWN).status_code == 303
    assert written_down(installation) == []


def test_an_import_that_read_the_old_address_leaves_a_record_that_opens(
    organizer: Browser, world: World, installation: Installation
) -> None:
    number, keyring = world.members[0], installation.keyring
    with installation.database.read() as session:
        stale = session.get_one(Member, number)
    assert organizer.post(f"/members/{number}/edit", **KNOWN | {"email": "new@example.org"}).status_code == 303
    with installation.database.write() as session:
        change_member(session, keyring, stale, {"name": "Zoë"})
    with installation.database.read() as session:
        assert session.get_one(Member, number).identity(keyring).email == "new@example.org"


@pytest.mark.parametrize(
    ("reason", "carried"), [(SuppressedFor.COMPLAINT, SuppressedFor.COMPLAINT), (SuppressedFor.HARD_BOUNCE, None)]
)
def test_what_a_person_said_holds_for_their_new_address_what_a_mailbox_did_does_not(
    organizer: Browser, world: World, installation: Installation, reason: SuppressedFor, carried: SuppressedFor | None
) -> None:
    with installation.database.write() as session:
        suppress(session, installation.keyring.address_key(KNOWN["email"]), reason)
    organizer.post(f"/members/{world.members[0]}/edit", **{**KNOWN, "email": "new@example.org"})
    assert suppressed_for(installation, "new@example.org") == carried
    assert suppressed_for(installation, KNOWN["email"]) == reason


def test_who_left_is_not_brought_back_by_their_old_address(
    organizer: Browser, world: World, installation: Installation
) -> None:
    with installation.database.write() as session:
        standing.leave_all(session, world.members[0])
    organizer.post(f"/members/{world.members[0]}/edit", **{**KNOWN, "email": "new@example.org"})
    assert suppressed_for(installation, KNOWN["email"]) == SuppressedFor.MANUAL
    assert suppressed_for(installation, "new@example.org") is None
    assert standings(installation, world.members[0]) == {world.list_id: Standing.UNSUBSCRIBED}


def test_a_member_is_put_on_a_list_with_a_consent_and_taken_off(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member, other = world.members[0], world.make_list("others")
    organizer.post(f"/members/{member}/join", list=str(other), how="", wording="")
    assert "Say where and when they agreed" in organizer.get(f"/members/{member}").text
    told = {"how": "At the march", "wording": "Sí, quiero", "wording_language": "es"}
    organizer.post(f"/members/{member}/join", list=str(other), **told)
    page = organizer.get(f"/members/{member}").text
    assert '<q lang="es"><bdi>Sí, quiero</bdi></q>' in page
    organizer.post(f"/members/{member}/leave", list=str(other))
    assert standings(installation, member) == {world.list_id: "confirmed", other: "unsubscribed"}
    organizer.post(f"/members/{member}/join", list=str(other), **told)
    assert "Only they can come back" in organizer.get(f"/members/{member}").text
    assert standings(installation, member)[other] == "unsubscribed"
    assert [action for action, _ in written_down(installation)] == ["member.join", "member.leave"]


def test_who_left_every_list_is_put_on_none(organizer: Browser, world: World, installation: Installation) -> None:
    member, other = world.members[0], world.make_list("others")
    organizer.post(f"/members/{member}/leave", list=str(world.list_id))
    organizer.post(f"/members/{member}/join", list=str(other), how="At the march")
    assert standings(installation, member) == {world.list_id: "unsubscribed"}
    assert "Put on a list" not in organizer.get(f"/members/{member}").text.replace("Put on a list by hand", "")


def test_a_note_is_sealed_read_by_its_member_and_erased(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[0]
    organizer.post(f"/members/{member}/notes", note="Calls <b>at night</b>\r\nana@example.org")
    page = organizer.get(f"/members/{member}").text
    assert "Calls &lt;b&gt;at night&lt;/b&gt;" in page
    assert "Organizer Person" in page
    record = json.loads(organizer.post(f"/members/{member}/record").text)
    assert [note["text"] for note in record["notes"]] == ["Calls <b>at night</b>\nana@example.org"]
    with installation.database.read() as session:
        row = session.scalars(select(MemberNote)).one()
        assert b"night" not in row.sealed
        number = str(row.id)
    organizer.post(f"/members/{world.members[1]}/notes/erase", note=number)
    assert "Calls" in organizer.get(f"/members/{member}").text, "it is another member's"
    organizer.post(f"/members/{member}/notes/erase", note=number)
    assert "Calls" not in organizer.get(f"/members/{member}").text
    assert "night" not in str(written_down(installation))
    organizer.post(f"/members/{member}/notes", note="  ")
    assert "Write the note first" in organizer.get(f"/members/{member}").text


def test_notes_go_with_the_member(organizer: Browser, world: World, installation: Installation) -> None:
    organizer.post(f"/members/{world.members[0]}/notes", note="Calls at night")
    with installation.database.write() as session:
        assert erase(session, world.members[0])
        assert session.scalars(select(MemberNote)).all() == []


def test_the_timeline_tells_all_that_happened_the_latest_first(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[0]
    world.launch()
    with installation.database.write() as session:
        session.add(Event(kind="click", blast_id=world.blast_id, member_id=member))
    organizer.post(f"/members/{member}/edit", **{**KNOWN, "country": "PT"})
    page = organizer.get(f"/members/{member}").text.partition('id="timeline"')[2]
    order = ["Waiting", "Record changed", "Clicked", "Joined a list", "Became a member"]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    assert "by Organizer Person" in page
    assert "Country" in page


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRANSLATOR])
def test_who_may_not_see_members_changes_none(signed_in: Callable[..., Browser], world: World, role: Role) -> None:
    browser, member = signed_in(role), world.members[0]
    assert browser.get(f"/members/{member}/edit").status_code == 403
    for act in ("edit", "leave", "join", "notes", "notes/erase"):
        assert browser.post(f"/members/{member}/{act}").status_code == 403, act
