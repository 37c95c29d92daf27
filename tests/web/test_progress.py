"""A blast in motion: how far it is, what holds it, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from mobilizer.blasts.blasts import Blast
from mobilizer.delivery import heartbeats
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.organizers.policy import Role
from mobilizer.problems import Problem, write_problem
from mobilizer.web.chart import segments
from tests.web.appeal_stage import make_ready, settle
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = "/blasts/love-always-wins"


@pytest.fixture
def launched(world: World) -> World:
    make_ready(world)
    assert world.launch()
    return world


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], launched: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def put(world: World, **values: object) -> None:
    """Change the blast behind everybody's back."""
    with world.installation.database.write() as session:
        session.execute(update(Blast).where(Blast.id == world.blast_id).values(**values))


def test_before_launch_there_is_no_progress(signed_in: Callable[..., Browser], world: World) -> None:
    assert signed_in(Role.VIEWER).get(f"{BLAST}/progress").location == f"{BLAST}/check"


def test_each_language_shows_how_far_it_is(organizer: Browser, launched: World) -> None:
    settle(launched, launched.members[0], DeliveryState.ACCEPTED)
    settle(launched, launched.members[1], DeliveryState.REJECTED, reason="hard")
    page = organizer.get(f"{BLAST}/progress").text
    assert "3 people are still to come" in page
    assert "2 of 5 people" in page
    assert "Accepted: 1, Waiting: 2" in page, "English"
    assert "Rejected: 1, Waiting: 1" in page, "Spanish"


def test_the_page_freshens_itself_with_and_without_script_until_it_is_final(
    organizer: Browser, launched: World
) -> None:
    page = organizer.get(f"{BLAST}/progress").text
    assert 'data-live="2"' in page
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page
    for member in launched.members:
        settle(launched, member, DeliveryState.ACCEPTED)
    put(launched, state="sent")
    page = organizer.get(f"{BLAST}/progress").text
    assert "data-live" not in page
    assert "http-equiv" not in page
    assert "Every one of 5 people has a final line" in page


def test_without_a_worker_the_page_says_how_to_start_one(organizer: Browser, launched: World) -> None:
    assert "No worker is running" in organizer.get(f"{BLAST}/progress").text
    with launched.installation.database.write() as session:
        heartbeats.beat(session, "worker-1", "worker")
    assert "No worker is running" not in organizer.get(f"{BLAST}/progress").text


def test_a_held_blast_says_why_and_goes_on_when_a_person_says_so(organizer: Browser, launched: World) -> None:
    put(launched, state="held", hold_reason=write_problem(Problem("relay", "The relay refused <sign-in>.")))
    page = organizer.get(f"{BLAST}/progress").text
    assert "The relay refused &lt;sign-in&gt;." in page
    assert "No member is at fault" in page
    organizer.post(f"{BLAST}/resume")
    assert (launched.blast().state, launched.blast().hold_reason) == ("sending", "")


def test_pause_and_resume(organizer: Browser, launched: World) -> None:
    assert organizer.post(f"{BLAST}/pause").location == BLAST
    assert launched.blast().state == "paused"
    assert "Paused by a person" in organizer.get(f"{BLAST}/progress").text
    organizer.post(f"{BLAST}/resume")
    assert launched.blast().state == "sending"


def test_cancel_asks_first_and_is_for_good(organizer: Browser, launched: World) -> None:
    page = organizer.get(f"{BLAST}/cancel").text
    assert "5 people have not been mailed yet" in page
    organizer.post(f"{BLAST}/cancel")
    assert launched.blast().state == "cancelled"
    organizer.post(f"{BLAST}/resume")
    assert launched.blast().state == "cancelled"
    assert organizer.get(f"{BLAST}/cancel").location == BLAST


def test_a_button_that_comes_too_late_says_so(organizer: Browser, launched: World) -> None:
    put(launched, state="sent")
    organizer.post(f"{BLAST}/pause")
    assert launched.blast().state == "sent"
    assert "the blast has moved on meanwhile" in organizer.get(f"{BLAST}/progress").text


@pytest.mark.parametrize("state", ["draft", "ready", "launching"])
def test_resume_never_starts_a_blast_that_was_not_frozen(organizer: Browser, launched: World, state: str) -> None:
    put(launched, state=state)
    organizer.post(f"{BLAST}/resume")
    assert launched.blast().state == state


def test_nothing_is_steered_by_a_get(organizer: Browser, launched: World) -> None:
    for verb in ("pause", "resume"):
        assert organizer.get(f"{BLAST}/{verb}").status_code == 405
    organizer.get(f"{BLAST}/cancel")
    assert launched.blast().state == "sending"


def test_a_viewer_watches_without_buttons(signed_in: Callable[..., Browser], launched: World) -> None:
    page = signed_in(Role.VIEWER).get(f"{BLAST}/progress")
    assert page.status_code == 200
    assert "/pause" not in page.text
    assert "/cancel" not in page.text


def test_a_bar_never_runs_over_and_shows_what_is_not_nothing() -> None:
    drawn = segments([("a", 1), ("b", 999_997), ("c", 0), ("d", 2)], 1_000_000)
    assert [part.kind for part in drawn] == ["a", "b", "d"]
    assert min(part.width for part in drawn) >= 0.5
    assert drawn[-1].start + drawn[-1].width <= 100.1
    assert segments([("a", 0)], 0) == ()
    half = segments([("a", 1), ("b", 1)], 4)
    assert [(part.start, part.width) for part in half] == [(0, 25), (25, 25)]
