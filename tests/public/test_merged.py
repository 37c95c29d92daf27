"""Links in mails to a record that was merged lead to the member who stays: clicks, leaving, preferences, sharing."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.delivery.ledger import Delivery
from mobilizer.keys import Purpose
from mobilizer.rights.merging import merge
from mobilizer.rights.record import link_token
from tests.public.conftest import World


@pytest.fixture(autouse=True)
def _merged(world: World) -> None:
    """Amal's record is merged into Ana's."""
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(state="accepted"))
        assert merge(session, world.installation.keyring, world.amal, world.ana) is None


def test_a_click_is_theirs_and_leads_on_with_their_share_code(world: World) -> None:
    answer = world.browser().get(f"/c/{world.token(Purpose.CLICK, world.amal)}/{world.link('watch')}")
    assert answer.location == "/w/love-always-wins/es/anascode22?own=1"
    assert world.browser().get(f"/o/{world.token(Purpose.OPEN, world.amal)}.gif").status_code == 200
    assert [(event.kind, event.member_id) for event in world.events()] == [("click", world.ana), ("open", world.ana)]


def test_leaving_by_an_old_link_is_leaving_and_can_be_undone(world: World) -> None:
    old = f"/u/{world.token(Purpose.UNSUBSCRIBE, world.amal)}"
    assert "News" in world.browser(accept_language="en").get(old).text
    assert world.browser().post(old).status_code == 200
    assert set(world.standing(world.ana).values()) == {"unsubscribed"}
    assert [(event.kind, event.member_id) for event in world.events()] == [("unsubscribe", world.ana)]
    assert world.browser().post(f"{old}/undo").status_code == 200
    assert set(world.standing(world.ana).values()) == {"confirmed"}


def test_preferences_by_an_old_link_are_theirs(world: World) -> None:
    old = f"/p/{world.token(Purpose.PREFERENCES, world.amal)}"
    assert world.browser().post(old, data={"language": "en", "second_language": ""}).status_code == 200
    with world.installation.database.read() as session:
        assert session.get_one(Member, world.ana).language == "en"


def test_the_old_share_link_brings_friends_in_their_name(world: World) -> None:
    assert world.browser().get("/s/amalcode33/love-always-wins").status_code == 302
    [visit] = world.events()
    assert (visit.kind, visit.via_id, visit.blast_id) == ("visit", world.ana, world.blast)


def test_the_old_mail_is_still_shown(world: World) -> None:
    assert world.browser().get(f"/v/{world.token(Purpose.VIEW, world.amal)}").status_code == 200


def test_they_read_of_it_in_their_record(world: World) -> None:
    with world.installation.database.read() as session:
        token = link_token(session, world.installation.keyring, world.amal)
        assert session.get_one(MergedMember, world.amal).into_id == world.ana
    page = world.browser(accept_language="en").get(f"/r/{token}?in=en").text
    assert "amal@example.org" in page
    assert "ana@example.org" in page
