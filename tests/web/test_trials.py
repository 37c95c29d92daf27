"""Variants on the pages: how a trial is asked for, how it stands, who chooses, and what is told of it afterwards."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Translation
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.departure import Departure, departure_of
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.delivery.waves import Wave
from mobilizer.engagement.events import Event
from mobilizer.organizers.audit import AuditEntry
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, seen, settle
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = "/blasts/love-always-wins"
LAUNCH, PROGRESS, RESULTS = f"{BLAST}/launch", f"{BLAST}/progress", f"{BLAST}/results"
TRIAL = {"people": "65", "sample": "10", "goal": "clicks", "trial_hours": ""}


@pytest.fixture
def world(world: World) -> World:
    """51 read English, of which there are two variants, 14 Spanish, of which there is one."""
    world.join(["en"] * 48 + ["es"] * 12)
    with world.installation.database.write() as session:
        english = session.scalars(select(Translation).where(Translation.language == "en")).one()
        english.subject_b, english.opening_b = "Two minutes, {{ first_name }}", "It begins in a small town."
    make_ready(world)
    return world


def test_what_is_no_trial_is_refused_and_says_why(organizer: Browser, world: World) -> None:
    told = organizer.get(LAUNCH).text
    assert "Try the variants first" in told
    assert "one wording: it goes at once" in told
    assert '<bdi lang="en">Two minutes, {{ first_name }}</bdi>' in told, "the sheet has the subject of each variant"
    for wrong, said in (
        ({"sample": "3"}, "at least 10"),
        ({"sample": "13"}, "at most 12 a variant"),
        ({"trial_hours": "1000"}, "at most 168"),
        ({"first": "5", "first_of": "people"}, "Choose one of both"),
    ):
        answer = organizer.post(LAUNCH, **{**TRIAL, **wrong}, **seen(organizer, LAUNCH))
        assert (answer.status_code, said in answer.text) == (422, True), wrong
    assert world.blast().state in ("draft", "ready")
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(tracking="off"))
    assert "Try the variants first" not in organizer.get(LAUNCH).text
    assert organizer.post(LAUNCH, **TRIAL, **seen(organizer, LAUNCH)).status_code == 422
    assert world.blast().departure == {}


def test_a_trial_is_launched_watched_chosen_and_told(organizer: Browser, world: World) -> None:
    assert organizer.post(LAUNCH, **TRIAL, **seen(organizer, LAUNCH)).status_code == 303
    assert departure_of(world.blast().departure) == Departure(sample=10, goal="clicks")
    launch.freeze(world.installation, world.blast_id)
    assert "31 people are held until you choose the best variant." in organizer.get("/").text
    page = organizer.get(PROGRESS).text
    assert "Until you choose the best variant" in page
    assert "Many still wait for theirs" in page
    tried = select(Delivery.member_id, Batch.variant).join(Batch, Batch.id == Delivery.batch_id)
    with world.installation.database.read() as session:
        rows = session.execute(tried.where(Batch.language == "en", Batch.wave == 0)).all()
    drawn = {variant: [member for member, other in rows if other == variant] for variant in "ab"}
    assert {variant: len(members) for variant, members in drawn.items()} == {"a": 10, "b": 10}
    for members in drawn.values():
        for member in members:
            settle(world, member, DeliveryState.ACCEPTED)
    with world.installation.database.write() as session:
        session.add_all(Event(kind="click", blast_id=world.blast_id, member_id=member) for member in drawn["b"])
    assert "B does better than the others by more than chance." in organizer.get(PROGRESS).text
    assert organizer.post(f"{BLAST}/waves/1/release").status_code == 400
    said = organizer.post(f"{BLAST}/waves/1/choose", variant="b")
    assert said.location == PROGRESS
    assert "31 people are held no longer." in organizer.get(PROGRESS).text
    organizer.post(f"{BLAST}/waves/1/choose", variant="a")
    with world.installation.database.read() as session:
        assert session.scalars(select(Wave.winner)).one() == "b"
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.choose_variant")).one()
        assert entry.user_id is not None
    assert "<bdi>(B)</bdi>" in organizer.get(f"{BLAST}/deliveries").text
    assert "until you choose" not in organizer.get("/").text
    *_, first, second = csv.DictReader(StringIO(organizer.get(f"{RESULTS}.csv").text))
    names = ("language", "variant", "people", "accepted", "clickers", "clickers_share", "joins", "recruiters")
    assert [first[name] for name in names] == ["en", "a", "10", "10", "0", "0.0", "", "0"]
    assert [second[name] for name in names] == ["en", "b", "10", "10", "10", "1.0", "", "0"]
    assert "B was chosen, and went to 31 people more." in organizer.get(f"{RESULTS}/report").text.replace("\u2068", "")
    told = organizer.get(RESULTS).text
    assert "B was chosen, and went to 31 people more." in told.replace("\u2068", "")
    assert "It did better than the others by more than chance." in told


def test_each_variant_is_checked_shown_and_proved(organizer: Browser, world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Translation).where(Translation.language == "en").values(subject_c="BUY THIS NOW NOW"))
    page = organizer.get(f"{BLAST}/check").text
    assert "The subject in English (C) is all in capitals" in page
    assert 'value="en:b"' in page
    shown = organizer.get("/appeals/love-always-wins/preview/en?variant=b&view=inbox").text
    assert "Two minutes, Ana" in shown or "Two minutes," in shown
    assert "It begins in a small town." in organizer.get("/appeals/love-always-wins/preview/en/mail?variant=b").text
    assert "It begins" not in organizer.get("/appeals/love-always-wins/preview/en/mail").text
    with world.installation.database.write() as session:
        session.execute(update(Translation).values(subject_c=Translation.subject, opening_c=""))
    assert "Variants A and C say the same." in organizer.get(f"{BLAST}/check").text
