"""Tags on the pages: put on and taken off a member, renamed, deleted, asked for by a segment; and written down."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from mobilizer.audience import tagging
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.segments import keeping
from mobilizer.segments.segments import Segment
from mobilizer.segments.tree import read_rules
from tests.web.conftest import Browser
from tests.worlds import World


def tags(installation: Installation) -> dict[str, int]:
    with installation.database.read() as session:
        return {line.name: line.members for line in tagging.tag_lines(session)}


def number(installation: Installation, name: str) -> int:
    with installation.database.read() as session:
        found = tagging.tag_named(session, name)
        assert found
        return found.id


def test_a_member_gets_tags_and_loses_one_on_their_page(
    organizer: Browser, world: World, installation: Installation
) -> None:
    member = world.members[0]
    answer = organizer.post(f"/members/{member}/tags", tags="Volunteer, <b>driver</b>; volunteer")
    assert (answer.status_code, answer.location) == (303, f"/members/{member}#tags")
    page = organizer.get(f"/members/{member}").text
    assert "Volunteer" in page
    assert "&lt;b&gt;driver&lt;/b&gt;" in page
    organizer.post(f"/members/{member}/tags/off", tag=str(number(installation, "volunteer")))
    assert tags(installation) == {"<b>driver</b>": 1, "Volunteer": 0}
    with installation.database.read() as session:
        assert [entry.action for entry in session.scalars(select(AuditEntry))] == ["member.tag", "member.untag"]


@pytest.mark.parametrize(
    ("wanted", "said"), [("ana@example.org", "have an @"), ("", "Write a tag first"), ("x" * 61, "60 letters")]
)
def test_what_is_no_tag_is_refused_and_nothing_is_written(
    organizer: Browser, world: World, installation: Installation, wanted: str, said: str
) -> None:
    organizer.post(f"/members/{world.members[0]}/tags", tags=wanted)
    assert said in organizer.get(f"/members/{world.members[0]}").text
    assert tags(installation) == {}


def test_members_are_filtered_by_tag(organizer: Browser, world: World, installation: Installation) -> None:
    organizer.post(f"/members/{world.members[0]}/tags", tags="Volunteer")
    page = organizer.get(f"/members?tag={number(installation, 'Volunteer')}").text
    assert page.count("@example.org</bdi>") == 1
    assert organizer.get("/members?tag=999").text.count("@example.org</bdi>") == 0


def test_a_tag_is_renamed_and_deleted_on_the_page_of_all(
    organizer: Browser, world: World, installation: Installation
) -> None:
    organizer.post(f"/members/{world.members[0]}/tags", tags="One, Two")
    one = number(installation, "One")
    refused = organizer.post(f"/tags/{one}/rename", name="TWO")
    assert refused.status_code == 422
    assert "There is a tag “Two” already" in refused.text
    assert organizer.post(f"/tags/{one}/rename", name="First").status_code == 303
    assert "1 member" in organizer.get("/tags").text
    assert organizer.post(f"/tags/{one}/delete").status_code == 303
    assert tags(installation) == {"Two": 1}
    assert organizer.post(f"/tags/{one}/delete").status_code == 404


def test_a_tag_that_a_segment_asks_for_stays(organizer: Browser, world: World, installation: Installation) -> None:
    organizer.post(f"/members/{world.members[0]}/tags", tags="One")
    one = number(installation, "One")
    with installation.database.write() as session:
        keeping.create(session, "Ones", read_rules([{"not": {"rule": "tagged_all", "tags": [one]}}]))
    organizer.post(f"/tags/{one}/delete")
    assert "“Ones” asks for the tag “One”" in organizer.get("/tags").text
    assert tags(installation) == {"One": 1}


def test_a_segment_of_tags_is_put_together_in_the_builder(
    organizer: Browser, world: World, installation: Installation
) -> None:
    organizer.post(f"/members/{world.members[0]}/tags", tags="One, Two")
    one, two = str(number(installation, "One")), str(number(installation, "Two"))
    form = {"name": "Both", "match": "all", "g0-match": "all", "g0r0-rule": "tagged_all"}
    page = organizer.post("/segments/new", act="count", **form).text
    assert "Choose at least one" in page
    answer = organizer.post("/segments/new", act="save", **form, **{"g0r0-tags": [one, two]})
    assert answer.status_code == 303
    with installation.database.read() as session:
        saved = session.scalars(select(Segment)).one()
        assert saved.rules == [{"all": [{"rule": "tagged_all", "tags": [int(one), int(two)]}]}]
    shown = organizer.get("/segments/both").text
    assert "One, Two" in shown
    page = organizer.get("/segments/both/edit").text
    assert page.count(" checked") >= 2


@pytest.mark.parametrize("role", [Role.VIEWER, Role.TRANSLATOR])
def test_who_may_not_see_members_changes_no_tag(
    signed_in: Callable[..., Browser], world: World, installation: Installation, role: Role
) -> None:
    browser = signed_in(role)
    assert browser.post(f"/members/{world.members[0]}/tags", tags="One").status_code == 403
    assert browser.get("/tags").status_code == 403
    assert tags(installation) == {}
