"""The overview: what needs me now."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import update

from mobilizer.blasts.blasts import Blast
from mobilizer.delivery import heartbeats
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from tests.web.appeal_stage import settle
from tests.web.conftest import Browser
from tests.worlds import World


def test_at_the_start_it_teaches_the_three_steps(organizer: Browser) -> None:
    page = organizer.get("/").text
    assert "Three steps to your first blast" in page
    assert 'href="/lists"' in page
    assert "No worker is alive" in page


def test_a_blast_that_waits_is_shown_with_members_by_language(organizer: Browser, world: World) -> None:
    page = organizer.get("/").text
    assert "Waiting for you" in page
    assert "Love always wins" in page
    assert '<bdi lang="es" dir="ltr">Español</bdi>' in page
    assert "data-live" not in page


def test_a_blast_in_motion_is_counted_from_the_ledger_and_warns_when_nobody_works(
    organizer: Browser, world: World, installation: Installation
) -> None:
    assert world.launch()
    settle(world, world.members[0], DeliveryState.ACCEPTED)
    page = organizer.get("/").text
    assert "1 of 5 mails are settled." in page
    assert "No worker is alive" in page
    assert 'data-live="5"' in page
    with installation.database.write() as session:
        heartbeats.beat(session, "one", "worker")
        heartbeats.beat(session, "two", "reconciler")
    page = organizer.get("/").text
    assert "1 worker is alive" in page
    assert "The reconciler is alive" in page


def test_the_last_blast_is_summed_up(organizer: Browser, world: World, installation: Installation) -> None:
    world.launch()
    with installation.database.write() as session:
        session.execute(update(Batch).values(epoch=1))
        session.execute(update(Delivery).values(state="accepted"))
        session.execute(update(Delivery).where(Delivery.member_id == world.members[0]).values(state="rejected"))
        session.execute(update(Blast).values(state="sent"))
    page = organizer.get("/").text
    assert "Last blast:" in page
    assert "80%" in page
    assert "20%" in page


def test_a_translator_sees_their_languages_and_no_number_of_people(
    signed_in: Callable[..., Browser], world: World
) -> None:
    page = signed_in(Role.TRANSLATOR, languages="es ar").get("/").text
    assert "العربية" in page
    assert "Members by language" not in page
    assert "Waiting for you" not in page
