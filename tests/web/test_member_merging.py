"""Two records are merged by hand: found without an address in a URL, seen side by side, written down without one."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from mobilizer.audience.members import Member
from mobilizer.delivery.ledger import Delivery
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from tests.web.conftest import Browser
from tests.worlds import World


def test_two_records_are_found_seen_and_merged(organizer: Browser, world: World, installation: Installation) -> None:
    one, other, *_ = world.members
    assert f"/members/{one}/merge" in organizer.get(f"/members/{one}").text
    answer = organizer.post(f"/members/{one}/merge", other=" Member1@example.org ")
    assert (answer.status_code, answer.location) == (303, f"/members/{one}/merge/{other}")
    page = organizer.get(answer.location).text
    assert "member0@example.org" in page
    assert "member1@example.org" in page
    assert organizer.post(f"/members/{one}/merge/{other}", stays=str(other)).location == f"/members/{other}"
    assert organizer.get(f"/members/{one}").location == f"/members/{other}"
    shown = organizer.get(f"/members/{other}").text
    assert "member0@example.org" in shown
    assert "Another record merged into it" in shown
    assert organizer.post("/members/search", email="member0@example.org").location == f"/members/{other}"
    with installation.database.read() as session:
        assert session.get(Member, one) is None
        [entry] = session.scalars(select(AuditEntry))
        assert (entry.action, entry.subject, entry.detail) == ("member.merge", f"member:{other}", {"merged": one})


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ("member0@example.org", "the very record you started from"),
        ("nobody@example.org", "Nobody has this number or address"),
        ("99999", "Nobody has this number or address"),
        ("nonsense", "has no @ sign"),
        ("", "address"),
    ],
)
def test_what_is_no_other_record_is_said(organizer: Browser, world: World, other: str, said: str) -> None:
    answer = organizer.post(f"/members/{world.members[0]}/merge", other=other)
    assert answer.status_code == 422
    assert said in answer.text


def test_while_a_mail_is_under_way_both_stay(organizer: Browser, world: World, installation: Installation) -> None:
    one, other, *_ = world.members
    world.launch()
    asked = organizer.post(f"/members/{one}/merge", other=str(other))
    assert (asked.status_code, "still under way" in asked.text) == (422, True)
    refused = organizer.post(f"/members/{one}/merge/{other}", stays=str(one))
    assert (refused.status_code, "still under way" in refused.text) == (422, True)
    with installation.database.write() as session:
        session.execute(update(Delivery).values(state="accepted"))
    assert organizer.post(f"/members/{one}/merge/{other}", stays=str(one)).status_code == 303


def test_who_stays_is_one_of_the_two(organizer: Browser, world: World, installation: Installation) -> None:
    one, other, third, *_ = world.members
    assert organizer.post(f"/members/{one}/merge/{other}", stays=str(third)).status_code == 400
    assert organizer.post(f"/members/{one}/merge/{other}").status_code == 400
    assert organizer.get(f"/members/{one}/merge/{one}").status_code == 404
    assert organizer.get(f"/members/{one}/merge/99999").status_code == 404
    with installation.database.read() as session:
        assert len(session.scalars(select(Member.id)).all()) == len(world.members)


def test_the_address_of_a_merged_record_is_nobody_elses(organizer: Browser, world: World) -> None:
    one, other, third, *_ = world.members
    organizer.post(f"/members/{one}/merge/{other}", stays=str(other))
    form = {"email": "member0@example.org", "name": "", "language": "en", "second_language": "", "country": ""}
    answer = organizer.post(f"/members/{third}/edit", **form, time_zone="")
    assert answer.status_code == 422
    assert f"merged into member {other}" in answer.text
