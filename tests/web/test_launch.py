"""The check list, proofs and the launch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts.blasts import Link, Rendition
from mobilizer.delivery.ledger import Delivery
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.transport.inbox import Inbox, serve
from mobilizer.web.typed_number import typed_number
from tests.one_app import app_of
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

CHECK, LAUNCH, PROOF, TESTERS = (f"/blasts/love-always-wins/{page}" for page in ("check", "launch", "proof", "testers"))


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    return signed_in(Role.ORGANIZER)


def test_the_check_list_says_who_gets_what(organizer: Browser, world: World) -> None:
    world.join(["de", "es-MX"])
    page = organizer.get(CHECK).text
    assert "7 people will get exactly one mail each." in page
    assert "1 person who speaks Deutsch gets it in English." in page
    assert "Español (México)" in page
    assert "another form of their language" in page
    assert "Type 7, the number of people, to confirm" in page


def test_a_red_line_forbids_launch_and_leads_to_where_it_is_mended(organizer: Browser, world: World) -> None:
    words = "/appeals/love-always-wins/words/es"
    organizer.post(words, body="Míralo.", **seen(organizer, words))
    page = organizer.get(CHECK).text
    assert "The link to https://example.org/en of English is missing here." in page
    assert f'href="{words}#f-body"' in page
    assert "1 red line of the check list has to be mended first." in page
    assert 'name="people"' not in page
    assert organizer.post(LAUNCH, people="5", seen_blast="1", seen_appeal="2").status_code == 422
    assert world.blast().state == "draft"


def test_launch_freezes_the_words_and_shows_the_progress(organizer: Browser, world: World) -> None:
    answer = organizer.post(LAUNCH, people="5", **seen(organizer, LAUNCH))
    assert (answer.status_code, answer.location) == (303, "/blasts/love-always-wins/progress")
    assert world.blast().state == "launching"
    with world.installation.database.read() as session:
        assert set(session.scalars(select(Rendition.language))) == {"en", "es"}
        assert session.scalars(select(Link.n)).all()
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.launch")).one()
        assert entry.user_id == organizer.user_id


def test_the_number_of_people_counts_the_suppressed_too(organizer: Browser, world: World) -> None:
    with world.installation.database.write() as session:
        suppress(session, world.installation.keyring.address_key("member0@example.org"), SuppressedFor.MANUAL)
    page = organizer.get(LAUNCH).text
    assert "Type 5, the number of people, to confirm" in page
    assert organizer.post(LAUNCH, people="٥", **seen(organizer, LAUNCH)).status_code == 303


@pytest.mark.parametrize("typed", ["", "4", "50", "five", "5.5x", "-5"])
def test_another_number_launches_nothing(organizer: Browser, world: World, typed: str) -> None:
    answer = organizer.post(LAUNCH, people=typed, **seen(organizer, LAUNCH))
    assert answer.status_code == 422
    assert "That is not the number of people. It goes to 5." in answer.text
    assert world.blast().state == "draft"


def test_a_double_click_launches_once(organizer: Browser, world: World) -> None:
    form = {"people": "5", **seen(organizer, LAUNCH)}
    first, second = (organizer.post(LAUNCH, **form) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    with world.installation.database.read() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.launch")).all()) == 1


@pytest.mark.parametrize("changed", ["words", "plan"])
def test_what_has_changed_since_it_was_seen_is_not_launched(organizer: Browser, world: World, changed: str) -> None:
    form = {"people": "5", **seen(organizer, LAUNCH)}
    if changed == "words":
        words = "/appeals/love-always-wins/words/es"
        organizer.post(words, button="Otro", **seen(organizer, words))
    else:
        edit = {f"list-{world.list_id}": "in", "default_language": "es"}
        organizer.post("/blasts/love-always-wins/edit", **edit)
    answer = organizer.post(LAUNCH, **form)
    assert answer.status_code == 409
    assert "has changed since you looked" in answer.text
    assert world.blast().state == "draft"


def test_a_launch_without_what_was_seen_is_refused(organizer: Browser, world: World) -> None:
    assert organizer.post(LAUNCH, people="5", seen_blast="x", seen_appeal="9" * 40).status_code == 409
    assert world.blast().state == "draft"


def test_the_pages_before_launch_lead_on_once_it_is_launched(organizer: Browser, world: World) -> None:
    world.launch()
    for page in (CHECK, LAUNCH):
        assert organizer.get(page).location == "/blasts/love-always-wins/progress"


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


@pytest.fixture
def app(installation: Installation, inbox: Inbox, tmp_path: Path, free_port: int) -> Flask:
    """The application with a relay that is listening: the built-in inbox."""
    settings = installation.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": free_port})
    here = Installation(settings, installation.database, installation.keyring)
    return app_of(here)


def test_a_proof_goes_to_any_address_and_is_never_counted(
    organizer: Browser, world: World, app: Flask, inbox: Inbox, tmp_path: Path
) -> None:
    relay = serve(tmp_path / "inbox", "127.0.0.1", app.extensions["mobilizer"].settings.smtp_port)
    try:
        answer = organizer.post(PROOF, address="someone.else@Example.ORG", language="es")
        assert "The proof in Español is on its way." in organizer.get(CHECK).text
        (mail,) = inbox.messages()
        organizer.post(TESTERS, tester="Ours@example.org")
        assert organizer.post(TESTERS, tester="nobody at all").status_code == 422
        organizer.post(PROOF, address="", language="*", testers="1")
        page = organizer.get(CHECK).text
        assert "2 proofs are on their way." in page
    finally:
        relay.stop()
    assert answer.status_code == 303
    assert mail.recipient == "someone.else@example.org"
    assert mail.subject == "[Prueba] El amor siempre gana", "nobody takes it for the mail itself"
    assert {one.subject.partition("]")[0] for one in inbox.messages() if one.recipient == "ours@example.org"} == {
        "[Proof",
        "[Prueba",
    }
    number = page.partition(f"{TESTERS}/")[2].partition("/")[0]
    organizer.post(f"{TESTERS}/{number}/remove")
    assert "ours@example.org" not in organizer.get(CHECK).text
    with world.installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0, "a proof is in no ledger"
        entries = session.scalars(select(AuditEntry).where(AuditEntry.subject == "testers")).all()
        assert [one.action for one in entries] == ["tester.add", "tester.remove"]
        entries = session.scalars(select(AuditEntry)).all()
        assert "example" not in str([entry.detail for entry in entries])


def test_a_relay_that_is_away_is_said_and_nothing_breaks(organizer: Browser) -> None:
    organizer.post(PROOF, address="a@example.org", language="es")
    assert "Nothing was sent, the relay could not be used" in organizer.get(CHECK).text


def test_a_broken_address_is_named_and_kept(organizer: Browser) -> None:
    answer = organizer.post(PROOF, address="nobody at example", language="es")
    assert answer.status_code == 422
    assert 'value="nobody at example"' in answer.text
    assert 'id="f-address-error"' in answer.text


def test_a_proof_in_a_language_that_is_not_complete_is_refused(organizer: Browser) -> None:
    assert organizer.post(PROOF, address="a@example.org", language="fr").status_code == 400


def test_proofs_are_limited(organizer: Browser) -> None:
    answers = [organizer.post(PROOF, address="broken", language="es").status_code for _ in range(31)]
    assert answers[:30] == [422] * 30
    assert answers[30] == 429


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("48213", 48213),
        ("48,213", 48213),
        ("48.213", 48213),
        ("48\u202f213", 48213),
        ("٤٨٬٢١٣", 48213),
        ("४८२१३", 48213),
        (" 7 ", 7),
        ("", None),
        ("x7", None),
        ("7-", None),
        ("9" * 16, None),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, number: int | None) -> None:
    assert typed_number(text) == number
