"""A member asks for all we know of them, reads it, takes it along, or has it erased. A mail reveals nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select, update

from mobilizer import jobs
from mobilizer.audience.addresses import normalise
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.suppressing import is_suppressed
from mobilizer.db import clock
from mobilizer.engagement.events import Event
from mobilizer.keys import Purpose, Ticket
from mobilizer.public import knowing
from mobilizer.rights import letters, record, requests
from tests.public.conftest import World
from tests.transport.scripted_relay import ScriptedRelay


@pytest.fixture
def queued(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[jobs.Work, int]]]:
    """What was put into the queue: nobody listens where Redis would be."""
    found: list[tuple[jobs.Work, int]] = []
    monkeypatch.setattr(knowing, "enqueue", lambda _, kind, number: found.append((kind, number)) is None)
    return found


def link(world: World, member: int, hours_ago: int = 0) -> str:
    keyring = world.installation.keyring
    with world.installation.database.read() as session:
        token = record.link_token(session, keyring, member)
    ticket = keyring.read_token(Purpose.RECORD, token)
    assert ticket is not None
    return keyring.token(Purpose.RECORD, replace(ticket, blast=ticket.blast - hours_ago))


def test_who_asks_is_told_that_a_mail_is_on_its_way_and_nothing_else(
    world: World, queued: list[tuple[jobs.Work, int]]
) -> None:
    answer = world.browser().post(f"/p/{world.token(Purpose.PREFERENCES)}/record")
    assert answer.status_code == 200
    assert '<html lang="es"' in answer.text
    assert "Te hemos enviado un correo" in answer.text
    assert "ana" not in answer.text.lower().replace("semana", "")
    assert queued == [(jobs.Work.RECORD, world.ana)]


def test_asked_again_within_the_hour_no_second_mail_goes(world: World, queued: list[tuple[jobs.Work, int]]) -> None:
    address = f"/p/{world.token(Purpose.PREFERENCES)}/record"
    assert [world.browser().post(address).status_code for _ in range(3)] == [200, 200, 200]
    assert len(queued) == 1
    with world.installation.database.write() as session:
        session.execute(update(Event).values(at=clock(-3601)))
    world.browser().post(address)
    assert len(queued) == 2


def test_where_the_queue_is_away_the_reconciler_finds_the_request(world: World) -> None:
    answer = world.browser().post(f"/p/{world.token(Purpose.PREFERENCES)}/record")
    assert answer.status_code == 200
    with world.installation.database.read() as session:
        assert requests.due(session, 9) == [world.ana]


def test_nobody_waits_for_the_queue_with_the_database_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def queue(*_: object) -> bool:
        with world.installation.database.write() as session:
            seen.append(len(session.scalars(select(Event)).all()))
        return True

    monkeypatch.setattr(knowing, "enqueue", queue)
    assert world.browser().post(f"/p/{world.token(Purpose.PREFERENCES)}/record").status_code == 200
    assert seen == [1]


def test_the_letter_goes_to_the_members_own_address_in_their_language(world: World) -> None:
    with ScriptedRelay() as relay:
        changed = {"smtp_port": relay.port, "loopback_only": True}
        here = replace(world.installation, settings=world.installation.settings.model_copy(update=changed))
        with here.database.write() as session:
            requests.ask(session, world.amal)
        letters.send_link(here, world.amal)
        letters.send_link(here, world.amal)  # queued twice
        letters.send_link(here, 10**6)  # gone meanwhile
    assert "RCPT TO:<amal@example.org>" in relay.heard
    (content,) = relay.messages
    mail = message_from_bytes(content, policy=default)
    assert mail["Content-Language"] == "ar"
    assert mail["Auto-Submitted"] == "auto-generated"
    token = re.search(r"http://mobilizer\.test/r/([0-9a-f]{50})\s", mail.get_content())
    assert token
    assert world.browser().get(f"/r/{token[1]}").status_code == 200
    assert token[1][-32:] not in str(mail.items()), "servers log the headers: they open no record"


def test_the_page_says_all_that_is_kept_in_the_members_language(world: World) -> None:
    with world.installation.database.write() as session:
        member = session.get_one(Member, world.ana)
        member.attributes, member.source, member.time_zone = {"shoe": "38"}, "petition", "Europe/Lisbon"
        session.add(Event(kind="watch", member_id=world.ana, blast_id=world.blast, channel="start"))
    answer = world.browser().get(f"/r/{link(world, world.ana)}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    for words in ("ana@example.org", "Ana Díaz", "Español", "shoe", "38", "petition", "Europe/Lisbon", "anascode22",
                  "News", "Family &amp; friends", "love-always-wins", "Viste la película"):  # fmt: skip
        assert words in answer.text, words
    assert "amal" not in answer.text


def test_the_file_holds_the_same_for_a_program(world: World) -> None:
    answer = world.browser().get(f"/r/{link(world, world.ana)}.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="record.json"'
    said = json.loads(answer.text)
    assert (said["address"], said["name"], said["language"]) == ("ana@example.org", "Ana Díaz", "es")
    assert [on["slug"] for on in said["lists"]] == ["list-1", "list-0"]
    assert [mail["blast_slug"] for mail in said["mails"]] == ["love-always-wins"]
    assert said["acts"] == []


@pytest.mark.parametrize("way", ["", ".json"])
def test_a_link_is_good_for_a_day_and_for_nobody_else(world: World, way: str) -> None:
    get = world.browser().get
    assert get(f"/r/{link(world, world.ana, hours_ago=24)}{way}").status_code == 200
    assert get(f"/r/{link(world, world.ana, hours_ago=25)}{way}").status_code == 404
    assert get(f"/r/{link(world, world.ana, hours_ago=-1)}{way}").status_code == 404  # of tomorrow: not ours
    assert get(f"/r/{world.token(Purpose.PREFERENCES)}{way}").status_code == 404
    assert get(f"/r/{'0' * 50}{way}").status_code == 404
    gone = world.installation.keyring.token(Purpose.RECORD, Ticket(0, 0))
    assert get(f"/r/{gone}{way}").status_code == 404


def test_a_record_that_is_looked_at_changes_nothing(world: World) -> None:
    before = world.snapshot()
    world.browser().get(f"/r/{link(world, world.ana)}")
    world.browser().get(f"/r/{link(world, world.ana)}.json")
    world.browser().get(f"/p/{world.token(Purpose.PREFERENCES)}/erase")
    assert world.snapshot() == before


def test_who_writes_their_address_is_erased_at_once_and_every_page_stays_calm(world: World) -> None:
    with world.installation.database.read() as session:
        key = session.get_one(Member, world.ana).address_key
    opened, preferences = link(world, world.ana), world.token(Purpose.PREFERENCES)
    for typed in (" ANA@Example.org", "ana@example.org"):
        answer = world.browser().post(f"/p/{preferences}/erase", data={"email": typed})
        assert answer.status_code == 200
        assert "Hemos borrado todo sobre ti" in answer.text
    with world.installation.database.read() as session:
        assert session.get(Member, world.ana) is None
        assert session.get(Member, world.amal) is not None
        assert is_suppressed(session, key)
    get = world.browser().get
    assert get(f"/r/{opened}").status_code == 404
    assert get(f"/p/{preferences}").status_code == 200
    assert get(f"/u/{world.token(Purpose.UNSUBSCRIBE)}").status_code == 200
    assert get(f"/v/{world.token(Purpose.VIEW)}").status_code < 500
    assert get("/s/anascode22/love-always-wins").status_code < 500
    assert world.browser().post(f"/p/{preferences}/record").status_code == 200


@pytest.mark.parametrize("typed", ["", "ana", "amal@example.org", "ana+1@example.org", "'; --@example.org"])
def test_whom_a_mail_was_passed_on_to_erases_nobody(world: World, typed: str) -> None:
    before = world.snapshot()
    answer = world.browser().post(f"/p/{world.token(Purpose.PREFERENCES)}/erase", data={"email": typed})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "example.org" not in answer.text  # nothing typed comes back, and nothing is told
    assert world.snapshot() == before


@pytest.mark.parametrize("typed", ["José@bücher.org", "JOSÉ@xn--bcher-kva.org"])
def test_an_address_of_any_letters_is_known_again(world: World, typed: str) -> None:
    keyring = world.installation.keyring
    with world.installation.database.write() as session:
        ana = session.get_one(Member, world.ana)
        known = Identity(normalise("josé@bücher.org"), "")
        ana.address_key, ana.domain_key, ana.sealed = seal_identity(keyring, known)
    page = f"/p/{world.token(Purpose.PREFERENCES)}"
    form = re.search(rf'<form[^>]*action="{page}/erase"[^>]*>', world.browser().get(page).text)
    assert form
    assert "novalidate" in form[0], "browsers take no such letters before the @ for an address"
    assert "Hemos borrado todo sobre ti" in world.browser().post(f"{page}/erase", data={"email": typed}).text


def test_nobody_finds_out_by_trying_whose_mail_it_was(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knowing, "TRIES", ("3 per hour",))
    address = f"/p/{world.token(Purpose.PREFERENCES)}/erase"
    for n in range(3):
        assert world.browser().post(address, data={"email": f"a{n}@example.org"}).status_code == 422
    for typed in ("ana@example.org", "a9@example.org"):  # which is told as it is: not now, and nothing is changed
        answer = world.browser().post(address, data={"email": typed})
        assert (answer.status_code, "Wait a minute" in answer.text) == (429, True)
    with world.installation.database.read() as session:
        assert session.get(Member, world.ana) is not None


def test_the_link_to_the_record_erases_without_a_word_for_it_went_to_nobody_else(world: World) -> None:
    opened, before = f"/r/{link(world, world.ana)}", world.snapshot()
    assert f'action="{opened}/erase"' in world.browser().get(opened).text
    for wrong in (link(world, world.ana, hours_ago=25), world.token(Purpose.PREFERENCES), "0" * 50):
        assert world.browser().post(f"/r/{wrong}/erase").status_code == 404
    assert f'action="{opened}/erase"' in world.browser().get(f"{opened}/erase").text  # as phones reload by themselves
    assert world.snapshot() == before
    assert "Hemos borrado todo sobre ti" in world.browser().post(f"{opened}/erase").text
    assert world.browser().post(f"{opened}/erase").status_code == 404
    with world.installation.database.read() as session:
        assert session.get(Member, world.ana) is None


@pytest.mark.parametrize("purpose", [at for at in Purpose if at is not Purpose.PREFERENCES])
def test_no_other_token_asks_or_erases(world: World, queued: list[tuple[jobs.Work, int]], purpose: Purpose) -> None:
    token, before = world.token(purpose), world.snapshot()
    for act in ("record", "erase"):
        assert world.browser().post(f"/p/{token}/{act}").status_code == 404
    assert queued == []
    assert world.snapshot() == before
