"""Clicks and opens: verified, answered at once, counted as what they are, and never an open redirect."""

from __future__ import annotations

import pytest

from mobilizer.blasts.blasts import Link
from mobilizer.engagement import damaged
from mobilizer.engagement.events import EventKind
from mobilizer.keys import Keyring, Purpose, Ticket
from tests.public.conftest import World


def test_a_click_on_the_watch_link_leads_to_the_watch_page_in_the_mails_language(world: World) -> None:
    answer = world.browser(accept_language="fr").get(f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}")
    assert answer.status_code == 302
    assert answer.location == "/w/love-always-wins/es/anascode22?own=1"
    [event] = world.events()
    assert (event.kind, event.member_id, event.blast_id, event.language) == ("click", world.ana, world.blast, "es")
    assert event.machine == ""
    assert event.link_n == world.link("watch")


def test_a_click_on_the_share_link_leads_to_the_share_buttons(world: World) -> None:
    answer = world.browser().get(f"/c/{world.token(Purpose.CLICK)}/{world.link('share')}")
    assert answer.location == "/w/love-always-wins/es/anascode22?own=1#share"


def test_a_click_on_a_link_of_the_text_leads_where_the_appeal_says(world: World) -> None:
    answer = world.browser().get(f"/c/{world.token(Purpose.CLICK)}/{world.link('url')}")
    assert answer.location == "https://law.example.org/x?a=1&b=2"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["url=https://evil.example", "next=//evil.example", "in=https://evil.example"])
def test_nothing_in_the_address_can_change_where_a_click_leads(world: World, query: str) -> None:
    for kind in ("watch", "share", "url"):
        answer = world.browser(host="evil.example").get(f"/c/{world.token(Purpose.CLICK)}/{world.link(kind)}?{query}")
        assert "evil" not in answer.location


def test_a_link_that_is_no_web_address_leads_nowhere(world: World) -> None:
    with world.installation.database.write() as session:
        session.add(Link(blast_id=world.blast, n=99, kind="url", url="javascript:alert(1)"))
    assert world.browser().get(f"/c/{world.token(Purpose.CLICK)}/99").status_code == 404


def test_a_proof_works_and_is_not_counted(world: World) -> None:
    token = world.token(Purpose.CLICK, member=0)
    answer = world.browser(accept_language="ar").get(f"/c/{token}/{world.link('watch')}")
    assert answer.location == "/w/love-always-wins/ar"
    assert world.browser().get(f"/o/{world.token(Purpose.OPEN, member=0)}.gif").status_code == 200
    assert world.events() == []


def test_a_forged_or_swapped_token_gets_a_friendly_page_in_the_browsers_language(world: World) -> None:
    good = world.token(Purpose.CLICK)
    stranger = Keyring({1: b"x" * 32}, b"y" * 32)
    forged = stranger.token(Purpose.CLICK, Ticket(world.ana, world.blast))
    for token in (forged, good[:-1], good + "a", good.upper(), world.token(Purpose.OPEN), world.token(Purpose.VIEW)):
        answer = world.browser(accept_language="fr-CA,fr;q=0.9,en;q=0.5").get(f"/c/{token}/1")
        assert answer.status_code == 404
        assert '<html lang="fr" dir="ltr">' in answer.text
        assert "Ce lien ne mène nulle part" in answer.text
    assert world.browser().get(f"/c/{good}/77").status_code == 404
    assert world.events() == []


def test_each_purpose_opens_only_its_own_page(world: World) -> None:
    pages = {"u": Purpose.UNSUBSCRIBE, "p": Purpose.PREFERENCES, "v": Purpose.VIEW}
    for page, right in pages.items():
        for purpose in Purpose:
            answer = world.browser().get(f"/{page}/{world.token(purpose)}")
            assert answer.status_code == (200 if purpose is right else 404), (page, purpose)
    before = world.snapshot()
    for purpose in set(Purpose) - {Purpose.UNSUBSCRIBE}:
        assert world.browser().post(f"/u/{world.token(purpose)}").status_code == 404
        assert world.browser().post(f"/u/{world.token(purpose)}/undo").status_code == 404
    for purpose in set(Purpose) - {Purpose.PREFERENCES}:
        assert world.browser().post(f"/p/{world.token(purpose)}", data={"language": "en"}).status_code == 404
    assert world.snapshot() == before


@pytest.mark.parametrize(
    ("method", "headers", "rule"),
    [
        ("GET", {"Purpose": "prefetch"}, "prefetch"),
        ("GET", {"Sec-Purpose": "prefetch;prerender"}, "prefetch"),
        ("GET", {"User-Agent": "facebookexternalhit/1.1"}, "bot"),
        ("GET", {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}, ""),
    ],
)
def test_a_machine_is_recorded_under_the_name_of_its_rule(
    world: World, method: str, headers: dict[str, str], rule: str
) -> None:
    address = f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}"
    assert world.browser().open(address, method=method, headers=headers).status_code == 302
    [event] = world.events()
    assert event.machine == rule


def test_the_open_pixel_always_answers(world: World) -> None:
    for token in (world.token(Purpose.OPEN), world.token(Purpose.CLICK), "nonsense"):
        answer = world.browser().get(f"/o/{token}.gif")
        assert (answer.status_code, answer.mimetype, len(answer.data)) == (200, "image/gif", 43)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert [event.kind for event in world.events()] == [EventKind.OPEN]


def test_a_click_arrives_even_when_it_can_not_be_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(damaged, "record_parcels", broken)
    answer = world.browser().get(f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}")
    assert answer.status_code == 302
    assert world.events() == []


def test_a_link_in_capitals_leads_on_as_well(world: World) -> None:
    with world.installation.database.write() as session:
        session.get_one(Link, (world.blast, world.link("url"))).url = "HTTPS://law.example.org/X"
    answer = world.browser().get(f"/c/{world.token(Purpose.CLICK)}/{world.link('url')}")
    assert (answer.status_code, answer.location.lower()) == (302, "https://law.example.org/x")
