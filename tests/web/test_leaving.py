"""A launch that can be undone: the minute it takes, the way back, and the second person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from mobilizer.app import create_app
from mobilizer.blasts.blasts import Blast, Link, Rendition
from mobilizer.db import clock
from mobilizer.delivery import launch, reconcile
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from tests.one_database import database_url  # noqa: F401
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = "/blasts/love-always-wins"
LAUNCH, LEAVING, UNDO, CONFIRM, PROGRESS = (
    f"{BLAST}/{page}" for page in ("launch", "leaving", "undo", "confirm", "progress")
)


@pytest.fixture
def by_two() -> bool:
    return False


@pytest.fixture
def app(installation: Installation, by_two: bool) -> Flask:
    """The application of an organisation that gives itself a minute, and perhaps needs two."""
    settings = installation.settings.model_copy(update={"undo_seconds": 60, "launch_by_two": by_two})
    here = Installation(settings, installation.database, installation.keyring)
    return create_app(settings, here, counter="memory://")


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    return signed_in(Role.ORGANIZER)


def let_pass(world: World, seconds: float) -> None:
    """So many seconds go by, then the reconciler looks."""
    with world.installation.database.write() as session:
        before = session.scalars(select(Blast.scheduled_at)).one()
        assert before is not None
        session.execute(update(Blast).values(scheduled_at=before - timedelta(seconds=seconds)))
        reconcile.start_due(session)


def actions(world: World) -> list[str]:
    with world.installation.database.read() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_launch_waits_a_minute_and_goes_on_by_itself(organizer: Browser, world: World) -> None:
    assert organizer.post(LAUNCH, people="5", **seen(organizer, LAUNCH)).location == LEAVING
    page = organizer.get(LEAVING).text
    assert "It leaves to 5 people in" in page
    assert '<meta http-equiv="refresh"' in page, "without script it counts down, too"
    assert organizer.get(PROGRESS).location == organizer.get(LAUNCH).location == LEAVING
    let_pass(world, 50)
    assert (world.blast().state, world.states()) == ("leaving", {}), "nobody is written down yet"
    # Whatever died meanwhile: who comes back finds in the database that its time has come.
    let_pass(world, 11)
    assert world.blast().state == "launching"
    launch.freeze(world.installation, world.blast_id)
    assert world.states() == {"pending": 5}
    assert organizer.get(LEAVING).location == PROGRESS
    organizer.post(UNDO)
    assert world.blast().state == "sending"
    assert "the blast has moved on meanwhile" in organizer.get(PROGRESS).text
    assert actions(world) == ["blast.launch"]


def test_an_undone_launch_leaves_nothing_and_no_old_form_launches_it_again(organizer: Browser, world: World) -> None:
    form = {"people": "5", **seen(organizer, LAUNCH)}
    organizer.post(LAUNCH, **form)
    organizer.post(UNDO)
    assert "Undone. Nothing was sent, and it is a draft again." in organizer.get(f"{BLAST}/check").text
    assert (world.blast().state, world.blast().scheduled_at) == ("draft", None)
    with world.installation.database.write() as session:
        assert not session.scalars(select(Rendition)).all()
        assert not session.scalars(select(Link)).all()
        reconcile.start_due(session)
    assert organizer.post(LAUNCH, **form).status_code == 409, "somebody else's page of before"
    assert world.blast().state == "draft"
    assert organizer.post(LAUNCH, people="5", **seen(organizer, LAUNCH)).location == LEAVING
    assert actions(world) == ["blast.launch", "blast.undo", "blast.launch"]


def test_who_comes_back_after_more_than_an_hour_asks_first(organizer: Browser, world: World) -> None:
    organizer.post(LAUNCH, people="5", **seen(organizer, LAUNCH))
    let_pass(world, 60 + 3599)
    assert world.blast().state == "launching", "within the hour it goes on"
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(state="leaving", scheduled_at=clock(-3700)))
        reconcile.start_due(session)
    assert world.blast().state == "ready"
    assert "send it now, or choose another time" in organizer.get(LAUNCH).text


def test_the_summary_says_from_whom_what_and_to_whom(organizer: Browser, world: World) -> None:
    world.join(["de"])
    page = organizer.get(LAUNCH).text
    for said in (
        "appeals@mail.example.org",
        "El amor siempre gana",
        "60 seconds after launch: until then you can undo it",
        "As fast as your relay takes it",
        "Type 6, the number of people, to confirm",
        "the default language",
    ):
        assert said in page, said


@pytest.mark.parametrize("by_two", [True])
def test_a_second_person_says_yes_and_never_the_same_one(
    organizer: Browser, signed_in: Callable[..., Browser], world: World
) -> None:
    assert organizer.post(LAUNCH, people="5", **seen(organizer, LAUNCH)).location == LAUNCH
    assert "Somebody else has to say yes" in organizer.get(LAUNCH).text
    assert organizer.post(CONFIRM, people="5", seen_blast="1", seen_appeal="2").status_code == 409
    assert world.blast().state == "asked"
    second = signed_in(Role.ADMIN)
    assert "Organizer Person has looked at this and asks for a launch." in second.get(LAUNCH).text
    assert second.post(CONFIRM, people="4", **seen(second, LAUNCH)).status_code == 422
    assert second.post(CONFIRM, people="5", **seen(second, LAUNCH)).location == LEAVING
    second.post(UNDO)
    assert (world.blast().state, world.blast().asked_by_id) == ("draft", None)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    when = {"day": f"{tomorrow:%Y-%m-%d}", "hour": "09:30", "zone": "UTC", "later_people": "5"}
    assert second.post(f"{BLAST}/schedule", **when, **seen(second, LAUNCH)).location == LAUNCH
    assert organizer.post(CONFIRM, people="5", **seen(organizer, LAUNCH)).location == f"{BLAST}/scheduled"
    assert actions(world) == ["blast.ask", "blast.confirm", "blast.undo", "blast.ask", "blast.confirm"]
