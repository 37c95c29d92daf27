"""Pages and links of blasts that count less or hide what they are about; and nothing of who asks is ever kept."""

from __future__ import annotations

import re
from typing import cast

import pytest
from redis import Redis
from sqlalchemy import update

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.audience.named_sharers import agree, is_named
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.hits import Parcel, record_parcels
from mobilizer.engagement.results import results
from mobilizer.keys import Purpose
from mobilizer.recording import FOLDER, HITS, Buffer, buffer_of
from mobilizer.tracking import Tracking
from tests.one_database import database_url  # noqa: F401
from tests.public.conftest import World

DISCREET = {"discreet_sender": "Marta", "discreet_subject": "About Thursday", "discreet_preheader": "Two minutes."}


def set_modes(world: World, tracking: Tracking = Tracking.PSEUDONYMOUS, *, discreet: bool = False) -> str:
    """Say what the blast was frozen with; returns its appeal's code."""
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast)
        blast.frozen_tracking, blast.frozen_discreet = tracking, discreet
        return blast.appeal.code


def test_clicks_and_opens_in_sums_count_for_their_language_and_for_nobody(world: World) -> None:
    set_modes(world, Tracking.SUMS)
    token, browser, watch = world.token(Purpose.SUMS, member=0), world.browser(), world.link("watch")
    assert browser.get(f"/n/{token}/es/{watch}").location == "/w/love-always-wins/es"
    assert browser.get(f"/n/{token}/es/{world.link('url')}").location == "https://law.example.org/x?a=1&b=2"
    assert browser.get(f"/n/{token}/es.gif").mimetype == "image/gif"
    browser.get(f"/n/{token}/xx.gif")  # a language the blast does not have
    assert {event.member_id for event in world.events()} == {None}
    with world.installation.database.read() as session:
        found = {one.language: (one.clicks, one.opens, one.clickers) for one in results(session, world.blast).languages}
    assert found["es"] == (2, 1, 0)
    proof, foreign = world.token(Purpose.CLICK, member=0), world.token(Purpose.CLICK)
    before = len(world.events())
    assert browser.get(f"/n/{proof}/es/{watch}").status_code == 302
    assert browser.get(f"/n/{foreign}/es/{watch}").status_code == 404
    assert browser.get(f"/n/{token}/fr/{watch}").status_code == 404
    assert browser.get(f"/c/{token}/{watch}").status_code == 404
    assert len(world.events()) == before


@pytest.mark.parametrize("tag", ["en", "es", "ar"])
def test_a_discreet_page_says_nothing_of_the_cause_until_play_is_pressed(world: World, tag: str) -> None:
    code = set_modes(world, discreet=True)
    words = canaries(world)
    browser = world.browser()
    answer = browser.get(f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}")
    assert answer.location == f"/w/{code}/es/anascode22?own=1"
    path = f"/w/{code}/{tag}/anascode22"
    cover = browser.get(f"{path}?own=1")
    everything = cover.text + str(cover.headers)
    assert not [word for word in words if word in everything.lower()]
    assert "About Thursday" in cover.text
    assert "/media/" not in cover.text
    assert "og:" not in cover.text
    shown = browser.post(path, data={"did": "play", "own": "1"})
    assert shown.status_code == 200
    assert "canarytitle" in shown.text
    assert "<video" in shown.text
    head = shown.text.partition("</head>")[0]
    assert "<title>About Thursday</title>" in head
    assert not [word for word in words if word in head.lower()]
    passed_on = re.findall(r'(?:href|action|content|src|data-(?!title)[a-z]+)="([^"]*)"', shown.text)
    passed_on += re.findall(r"<textarea.*?</textarea>", shown.text, re.DOTALL)
    passed_on += re.findall(r'id="link"[^>]*', shown.text)  # what the share sheet of a phone is given
    assert not [word for word in words if word in " ".join(passed_on).lower()]
    assert "About Thursday" in " ".join(passed_on)
    assert browser.get(f"/s/anascode22/{code}").location.startswith(f"/w/{code}/")


def canaries(world: World) -> list[str]:
    """Put a canary into every field of the appeal, and of whose it is; and discreet words beside them."""
    with world.installation.database.write() as session:
        appeal = session.query(Appeal).one()
        appeal.slug = "canaryslug"
        fields = ("title", "subject", "preheader", "body", "button", "poster_alt", "share_text", "share_sms")
        for translation in appeal.translations:
            for field in fields:
                setattr(translation, field, f"canary{field}")
            for field, said in DISCREET.items():
                setattr(translation, field, said)
    return ["canary", "love", world.installation.settings.organisation.lower()]


def test_neither_address_nor_agent_of_who_asks_is_kept_or_logged(
    world: World, capfd: pytest.CaptureFixture[str], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = buffer_of(world.installation)
    address, agent = "203.0.113.77", "CanaryBrowser/99.1 (secret device)"
    browser = world.browser(user_agent=agent, x_forwarded_for=address, forwarded=f"for={address}", x_real_ip=address)
    browser.environ_base["REMOTE_ADDR"] = address
    token = world.token(Purpose.SUMS, member=0)
    with monkeypatch.context() as patch:  # Redis is away, and what lies in files stays there
        patch.setattr(Buffer, "_bring_on", lambda _: None)
        for path in (
            f"/c/{world.token(Purpose.CLICK)}/{world.link('watch')}",
            f"/o/{world.token(Purpose.OPEN)}.gif",
            f"/n/{token}/es/{world.link('watch')}",
            f"/n/{token}/es.gif",
            "/w/love-always-wins/es/anascode22",
            "/s/anascode22/love-always-wins",
            f"/u/{world.token(Purpose.UNSUBSCRIBE)}",
            "/c/forged/1",
        ):
            browser.get(path)
        buffer.flush()
        parcels = world.installation.settings.home / FOLDER
        kept = b"".join(path.read_bytes() for path in parcels.iterdir())
    assert b'"click"' in kept
    # The same on its way through Redis.
    monkeypatch.setattr(buffer, "_redis_url", redis_url)
    monkeypatch.setattr(buffer, "_away_until", 0.0)
    browser.get(f"/o/{world.token(Purpose.OPEN)}.gif")
    buffer.settle()
    redis = Redis.from_url(redis_url)
    waiting = cast("list[bytes]", redis.lrange(HITS, 0, -1))
    assert len(waiting) > 1
    assert redis.keys() == [HITS.encode()]
    kept += b"".join(waiting)
    with world.installation.database.write() as session:
        record_parcels(session, [Parcel.unpacked(packed) for packed in waiting])
    assert len(world.events()) == 6
    said = capfd.readouterr()
    everything = repr(world.snapshot()) + said.out + said.err + kept.decode()
    assert not [word for word in (address, "CanaryBrowser", "secret device") if word in everything]


def test_no_page_on_the_discreet_domain_says_whose_it_is(world: World) -> None:
    settings = world.installation.settings
    settings.__dict__.update(organisation="Canaryfolk", postal_address="Canary street 5")
    settings.__dict__.update(discreet_base_url="https://plain.example")
    with world.installation.database.write() as session:
        for one in session.query(MemberList):
            one.name = f"canary list {one.id}"
        session.get_one(Member, world.ana).tracking = False
        agree(session, world.ana, "Yes.", "es")
    there, browser, leave = "https://Plain.Example:8443", world.browser(), f"/u/{world.token(Purpose.UNSUBSCRIBE)}"
    chosen = f"/p/{world.token(Purpose.PREFERENCES)}"
    with world.installation.database.write() as session:
        session.execute(update(MemberList).values(open=True))
    for path in ("/j/list-0", "/j/list-0/frame", "/j/list-0/sent", f"/r/{world.token(Purpose.RECORD)}", "/k/x"):
        for answer in (browser.get(path, base_url=there), browser.post(path, base_url=there)):
            assert answer.status_code in (404, 405), path
            assert "canary" not in (answer.text + str(answer.headers)).lower(), path
    assert browser.get("/j/list-0").status_code == 200
    answers = [
        browser.get(path, base_url=there) for path in (leave, chosen, "/u/x", "/", "/sign-in", "/static/app.css")
    ]
    assert browser.delete(leave, base_url=there).status_code == 404
    answers += [browser.get(path, base_url=there) for path in ("/u/%00", "/public/brand.css", "/favicon.ico")]
    answers += [browser.post(f"{chosen}/record", base_url=there)]
    answers += [browser.post(chosen, base_url=there, data={"counts_shown": "1", "tracking": "1", "mails": "monthly"})]
    answers += [
        browser.post(path, base_url=there, data={"words": "no"}) for path in (leave, f"{leave}/why", f"{leave}/undo")
    ]
    said = [answer.status_code for answer in answers]
    assert said == [200, 200, 404, 404, 404, 404, 400, 200, 404, 200, 200, 200, 200, 200]
    for answer in answers:
        everything = (answer.text + str(answer.headers)).lower()
        assert "canary" not in everything, answer.request.path
        assert settings.brand_colour not in everything, answer.request.path
        assert "/static/" not in answer.text, answer.request.path  # that is the organizers'
    assert "plain.example</title>" in answers[0].text.lower()
    # What the page does not show it does not change.
    assert set(world.standing(world.ana).values()) == {"confirmed"}
    with world.installation.database.read() as session:
        assert session.get_one(Member, world.ana).tracking
        assert is_named(session, world.ana)
    assert "canary list" in world.browser().get(chosen).text


def test_the_discreet_domain_names_a_film_by_its_code_alone_and_keeps_its_pages_apart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that was drawn for one domain a moment ago must not be shown at the other: it says whose it is."""
    monkeypatch.setitem(world.app.config, "DRAWN_SECONDS", 60.0)
    settings = world.installation.settings
    settings.__dict__.update(organisation="Canaryfolk", discreet_base_url="https://plain.example")
    code = set_modes(world, discreet=True)
    browser, usual = world.browser(), settings.base_url
    for path in ("/w/love-always-wins/es", "/w/love-always-wins/es/anascode22", f"/w/{code}/es", f"/w/{code}/en"):
        here = browser.get(path, base_url=usual)
        there = browser.get(path, base_url="https://plain.example")
        assert here.status_code == 200
        assert there.status_code == (200 if code in path else 404), path
        assert ("Canaryfolk" in here.text) is (code not in path)
        assert "Canaryfolk" not in there.text
        assert "love-always-wins" not in there.text
    assert browser.get("/s/anascode22/love-always-wins", base_url="https://plain.example").status_code == 404
    assert browser.get(f"/s/anascode22/{code}", base_url="https://plain.example").status_code == 302
