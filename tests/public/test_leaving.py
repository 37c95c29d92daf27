"""Leaving: GET asks, POST acts at once, one click is enough, an undo brings back exactly what was left."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import delete, select, update

from mobilizer.audience import leaving_reasons
from mobilizer.audience.leaving_reasons import LeavingReason
from mobilizer.audience.lists import Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import is_suppressed, suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts.blasts import Blast
from mobilizer.keys import Keyring, Purpose
from tests.full_disk import Disk, Write
from tests.public.conftest import World

GONE = {"unsubscribed"}


def test_a_get_on_any_link_of_a_mail_changes_nothing(world: World) -> None:
    before = world.snapshot()
    for method in ("GET", "HEAD", "OPTIONS"):
        for who in (world.ana, 0, 999):
            for address in (
                f"/u/{world.token(Purpose.UNSUBSCRIBE, who)}",
                f"/p/{world.token(Purpose.PREFERENCES, who)}",
                f"/v/{world.token(Purpose.VIEW, who)}",
                f"/v/{world.token(Purpose.VIEW, who)}/ar",
                "/w/love-always-wins/es/anascode22?own=1&thanks=1&did=95",
            ):
                assert world.browser().open(address, method=method).status_code == 200, (method, address)
    for form in ("undo", "why"):
        answer = world.browser().open(f"/u/{world.token(Purpose.UNSUBSCRIBE)}/{form}")
        assert "<button" in answer.text, "who reloads the address of a form comes to its page"
    assert world.snapshot() == before


def test_the_page_says_what_is_left_and_has_one_button_where_no_list_is_known(world: World) -> None:
    text = world.browser(accept_language="fr").get(f"/u/{world.token(Purpose.UNSUBSCRIBE, blast=0)}").text
    assert '<html lang="es" dir="ltr">' in text
    assert len(re.findall("<button", text)) == 1
    assert "Estás en 2 listas:" in text
    assert "Family &amp; friends" in text
    assert "example.org" not in text


def test_one_click_takes_the_member_off_everything(world: World) -> None:
    answer = world.browser().post(
        f"/u/{world.token(Purpose.UNSUBSCRIBE)}",
        data="List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert set(world.standing(world.ana).values()) == GONE
    assert set(world.standing(world.amal).values()) == {"confirmed"}
    [event] = world.events()
    assert (event.kind, event.member_id, event.blast_id) == ("unsubscribe", world.ana, world.blast)


def test_who_can_not_be_taken_off_for_want_of_room_is_not_told_so(world: World) -> None:
    """A provider that posts for a member asks again later; the member's page says what happened."""
    address = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    with Disk(world.installation.database).full(Write("UPDATE", "subscriptions")):
        assert world.browser().post(address).status_code == 503
    assert GONE - set(world.standing(world.ana).values())
    assert world.browser().post(address).status_code == 200
    assert set(world.standing(world.ana).values()) == GONE


@pytest.mark.parametrize("body", [{"List-Unsubscribe": "One-Click"}, {}, {"anything": "else"}])
def test_any_body_will_do(world: World, body: dict[str, str]) -> None:
    answer = world.browser(origin="https://mail.example").post(
        f"/u/{world.token(Purpose.UNSUBSCRIBE)}", data=body, content_type="multipart/form-data"
    )
    assert answer.status_code == 200
    assert set(world.standing(world.ana).values()) == GONE


def test_leaving_twice_is_leaving_once(world: World) -> None:
    address = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    first = world.browser().post(address).text
    after = world.snapshot()
    assert world.browser().post(address).text == first
    assert world.snapshot() == after


def test_an_undo_brings_back_exactly_what_was_left(world: World) -> None:
    first, second, _ = world.lists
    world.browser().post(
        f"/p/{world.token(Purpose.PREFERENCES)}", data={"lists_shown": [first, second], "lists": [first]}
    )
    address = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    done = world.browser().post(address).text
    assert f'action="{address}/undo"' in done
    answer = world.browser().post(address + "/undo")
    assert answer.status_code == 200
    assert "Estás en 1 lista:" in answer.text
    assert world.standing(world.ana) == {first: "confirmed", second: "unsubscribed"}
    assert [event.kind for event in world.events()] == ["preferences", "unsubscribe", "resubscribe"]


def test_an_undo_does_nothing_for_those_who_never_left(world: World) -> None:
    before = world.snapshot()
    answer = world.browser().post(f"/u/{world.token(Purpose.UNSUBSCRIBE)}/undo")
    assert answer.status_code == 200
    assert world.snapshot() == before


def test_the_list_of_the_mail_is_left_alone_or_everything(world: World) -> None:
    first, second, _ = world.lists
    address = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    text = world.browser().get(f"{address}?in=en").text
    assert len(re.findall("<button", text)) == 2
    assert f'name="only" value="{first}"' in text
    before = world.snapshot()
    assert "<button" in world.browser().post(address, data={"only": second}).text  # it did not come through that one
    assert world.snapshot() == before
    for _ in range(2):
        done = world.browser().post(f"{address}?in=en", data={"only": first}).text
        assert "You are still on your other lists." in done
        assert world.standing(world.ana) == {first: "unsubscribed", second: "confirmed"}
    assert [event.kind for event in world.events()] == ["unsubscribe"]
    assert len(re.findall("<button", world.browser().get(address).text)) == 1  # now there is nothing to choose
    switch = re.search(r'href="([?]in=es[^"]*)"', world.browser().get(f"{address}?in=en&left=1").text)
    assert switch
    assert "Sigues en tus otras listas." in world.browser().get(address + unescape(switch[1])).text
    assert world.browser().post(address + "/undo").status_code == 200
    assert set(world.standing(world.ana).values()) == {"confirmed"}


def test_a_reason_is_asked_for_afterwards_kept_sealed_and_shown_in_sums(world: World) -> None:
    address, here = f"/u/{world.token(Purpose.UNSUBSCRIBE)}", world.installation
    before = world.snapshot()
    world.browser().post(f"{address}/why", data={"why": "too_many", "words": "I never left"})
    assert world.snapshot() == before  # only who has left has a reason
    text = world.browser().post(f"{address}?in=en").text
    assert f'action="{address}/why?in=en"' in text
    assert 'maxlength="500"' in text
    answer = world.browser().post(f"{address}/why?in=en", data={"why": "safety", "words": "zq7xvogel " + "x" * 900})
    assert "Thank you for telling us." in answer.text
    assert world.browser().post(f"/u/{world.token(Purpose.UNSUBSCRIBE, world.amal)}/why").status_code == 200
    with here.database.read() as session:
        row = session.scalars(select(LeavingReason)).one()
        assert (row.choice, row.language) == ("safety", "en")
        assert b"zq7xvogel" not in (row.sealed or b"")
        assert leaving_reasons.sums(session) == {"safety": 1}
        [words] = leaving_reasons.own_words(session, here.keyring, 9)
        assert words.startswith("zq7xvogel x")
        assert len(words) == 500
    world.browser().post(f"{address}/why", data={"why": "<script>", "words": " \n"})  # none given: the first stays
    world.browser().post(f"{address}/undo")  # it was a mistake: there is no reason
    with here.database.read() as session:
        assert leaving_reasons.sums(session) == {}
    world.browser().post(address)
    world.browser().post(f"{address}/why", data={"why": "language"})
    back = {"lists_shown": [1, 2], "lists": [1]}  # so it is for who comes back by their preferences
    world.browser().post(f"/p/{world.token(Purpose.PREFERENCES)}", data=back)
    with here.database.read() as session:
        assert leaving_reasons.sums(session) == {}


def test_after_thirty_days_nothing_is_undone(world: World) -> None:
    address = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    world.browser().post(address)
    with world.installation.database.write() as session:
        session.execute(update(Subscription).values(changed_at=datetime.now(UTC) - timedelta(days=30, minutes=1)))
    assert "/undo" not in world.browser().post(address).text
    assert "No había nada que deshacer" in world.browser().post(address + "/undo").text
    assert set(world.standing(world.ana).values()) == GONE


def test_within_thirty_days_it_can_be_undone(world: World) -> None:
    address = f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    world.browser().post(address)
    with world.installation.database.write() as session:
        session.execute(update(Subscription).values(changed_at=datetime.now(UTC) - timedelta(days=29, hours=23)))
    assert "/undo" in world.browser().post(address).text
    world.browser().post(address + "/undo")
    assert set(world.standing(world.ana).values()) == {"confirmed"}


def test_no_link_of_a_mail_brings_a_suppressed_address_back_and_the_pages_say_so(world: World) -> None:
    leave, chosen = f"/u/{world.token(Purpose.UNSUBSCRIBE)}", f"/p/{world.token(Purpose.PREFERENCES)}"
    said = "No mail is sent to you at present"
    assert said not in world.browser().get(f"{chosen}?in=en").text
    with world.installation.database.write() as session:
        key = session.get_one(Member, world.ana).address_key
        suppress(session, key, SuppressedFor.COMPLAINT)
    world.browser().post(leave)
    answers = [
        world.browser().post(f"{leave}/undo?in=en"),
        world.browser().get(f"{chosen}?in=en"),
        world.browser().post(chosen, data={"lists_shown": [*world.lists], "lists": [*world.lists], "language": "en"}),
    ]
    assert [said in answer.text for answer in answers] == [True] * 3
    with world.installation.database.read() as session:
        assert is_suppressed(session, key)


def test_leaving_works_after_the_blast_is_gone(world: World) -> None:
    token = world.token(Purpose.UNSUBSCRIBE)
    with world.installation.database.write() as session:
        session.execute(delete(Blast).where(Blast.id == world.blast))
    assert world.browser().get(f"/u/{token}").status_code == 200
    assert world.browser().post(f"/u/{token}").status_code == 200
    assert set(world.standing(world.ana).values()) == GONE
    assert [(event.kind, event.blast_id) for event in world.events()] == [("unsubscribe", None)]


def test_a_member_who_is_gone_and_a_proof_get_the_same_calm_page(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(delete(Member).where(Member.id == world.ana))
    before = world.snapshot()
    for who in (world.ana, 0, 12345):
        token = world.token(Purpose.UNSUBSCRIBE, who)
        for answer in (world.browser().get(f"/u/{token}"), world.browser().post(f"/u/{token}")):
            assert answer.status_code == 200
            assert "unsubscribe" in answer.text.lower() or "baja" in answer.text.lower()
    assert world.snapshot() == before


def test_a_link_outlives_a_change_of_keys(world: World) -> None:
    token = world.token(Purpose.UNSUBSCRIBE)
    rotated = Keyring({1: b"k" * 32, 2: b"n" * 32}, b"i" * 32)
    assert rotated.read_token(Purpose.UNSUBSCRIBE, token) is not None


def test_the_page_can_be_read_in_another_language(world: World) -> None:
    token = world.token(Purpose.UNSUBSCRIBE, world.amal)
    assert '<html lang="ar" dir="rtl">' in world.browser(accept_language="en").get(f"/u/{token}").text
    asked = world.browser().get(f"/u/{token}?in=en").text
    assert '<html lang="en" dir="ltr">' in asked
    assert f'action="/u/{token}?in=en"' in asked
    assert '<html lang="ar"' in world.browser().get(f"/u/{token}?in=%22%3E%3Cscript").text
