"""A blast in motion: how far it is, what holds it, and the buttons that steer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import heartbeats, limits
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.reconcile import REFUSED
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from mobilizer.pace.pace import Pace
from mobilizer.pace.store import Store
from mobilizer.problems import Problem, write_problem
from mobilizer.transport.relays import RELAYS_FILE, load_relays
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
    assert signed_in(Role.ORGANIZER).get(f"{BLAST}/progress").location == f"{BLAST}/check"


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
    assert organizer.get(f"{BLAST}/cancel").location == f"{BLAST}/progress"


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


def defer(world: World) -> None:
    """Three wait for another try, two of them for one cause; one was refused for a full mailbox."""
    waits = {"reason": "rate", "code": 421, "reply": "4.7.28 <slow> down, ana@example.org", "next_at": clock(300)}
    for member, provider in zip(world.members, ("gmail", "gmail", ""), strict=False):
        settle(world, member, DeliveryState.PENDING, provider=provider, **waits)
    settle(world, world.members[3], DeliveryState.REJECTED, reason="full", code=552, provider="gmail")


@pytest.mark.parametrize("state", ["paused", "held"])
def test_what_is_tried_again_in_a_pause_is_said_to_wait_for_its_end(
    organizer: Browser, launched: World, state: str
) -> None:
    defer(launched)
    put(launched, state=state)
    organizer.post(f"{BLAST}/retry", cause="deferred/rate/421/4.7.28/gmail")
    assert "2 mails are tried again when the blast goes on." in organizer.get(f"{BLAST}/progress").text


def test_a_no_at_the_first_try_is_not_called_one_after_many(organizer: Browser, launched: World) -> None:
    settle(launched, launched.members[0], DeliveryState.REJECTED, reason="soft", code=550, reply="no")
    settle(launched, launched.members[1], DeliveryState.REJECTED, reason="soft", code=450, reply="later")
    page = organizer.get(f"{BLAST}/progress").text
    assert "Rejected without a clear reason<" in page
    assert "“Not now” again and again, then given up" in page


def test_limits_that_mail_waits_for_are_told(
    organizer: Browser, launched: World, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message a minute is no stall: the page says that it was set so, or that the other side asked for it."""
    home = launched.installation.settings.home
    (home / RELAYS_FILE).write_text('[[provider]]\nname = "gmail"\nrate = "1/m"\n')
    pace = Pace(Store.at(redis_url), load_relays(launched.installation.settings).limits())
    monkeypatch.setattr(limits, "pace_of", lambda *_: pace)
    pace.slower("provider:yahoo", "421 4.7.0")
    pace.slower("domain:0123", "421 4.7.0")
    page = organizer.get(f"{BLAST}/progress").text
    assert "Gmail: no more than 1 a minute, as it was set." in page
    assert "Yahoo: slowed to 30 a minute for a while, as the other side asked." in page
    assert "Other mailboxes: slowed to 30 a minute" in page
    put(launched, state="paused")
    assert "Not faster than this" not in organizer.get(f"{BLAST}/progress").text


def test_what_waits_is_told_by_cause_and_tried_again_by_cause(organizer: Browser, launched: World) -> None:
    defer(launched)
    page = organizer.get(f"{BLAST}/progress").text
    assert "Too many at once for the other side" in page
    assert "4.7.28 &lt;slow&gt; down" in page
    assert "Try these 2 now" in page
    assert "Other mailboxes" in page
    organizer.post(f"{BLAST}/retry", cause="deferred/rate/421/4.7.28/gmail")
    assert launched.delivery(launched.members[0]).next_at is None
    assert launched.delivery(launched.members[2]).next_at is not None
    assert "2 mails are tried again now." in organizer.get(f"{BLAST}/progress").text
    organizer.post(f"{BLAST}/retry", cause="rejected/full")
    assert launched.delivery(launched.members[3]).state == "pending"
    with launched.installation.database.read() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.retry")).all()
        assert [entry.detail["count"] for entry in entries] == [2, 1]
        assert {entry.user_id for entry in entries} == {organizer.user_id}


@pytest.mark.parametrize("cause", ["", "rejected/hard", "nonsense", "deferred/rate/x"])
def test_a_cause_that_is_none_changes_nothing(organizer: Browser, launched: World, cause: str) -> None:
    defer(launched)
    settle(launched, launched.members[4], DeliveryState.REJECTED, reason="hard", code=550)
    before = launched.states()
    organizer.post(f"{BLAST}/retry", cause=cause)
    assert launched.states() == before
    assert "Nothing was changed" in organizer.get(f"{BLAST}/progress").text


def test_each_mailbox_provider_shows_how_far_it_is(organizer: Browser, launched: World) -> None:
    settle(launched, launched.members[0], DeliveryState.ACCEPTED, provider="gmail")
    settle(launched, launched.members[1], DeliveryState.ACCEPTED, provider="t-online")
    page = organizer.get(f"{BLAST}/progress").text
    assert "<bdi>Gmail</bdi>" in page
    assert "<bdi>T-Online</bdi>" in page


def test_whoever_wants_a_page_that_stands_still_gets_one(organizer: Browser, launched: World) -> None:
    page = organizer.get(f"{BLAST}/progress?still=1").text
    assert "data-live" not in page
    assert "http-equiv" not in page
    assert "Refresh by itself" in page


def test_a_change_is_read_out_seldom(organizer: Browser, launched: World) -> None:
    page = organizer.get(f"{BLAST}/progress").text
    assert '<p class="visually-hidden" id="live-said" role="status"></p>' in page
    assert 'data-say="Sending: 0% done"' in page
    settle(launched, launched.members[0], DeliveryState.ACCEPTED)
    assert 'data-say="Sending: 20% done"' in organizer.get(f"{BLAST}/progress").text


@pytest.mark.parametrize(
    ("problem", "retry", "said"),
    [
        (Problem("relay", "No answer."), True, "You can wait"),
        (Problem("relay", "No password."), False, "Let the operator mend the relay"),
        (REFUSED, False, "Read the replies beneath"),
        (Problem("relay", "Mail after mail is rejected by policy."), False, "Read the replies beneath"),
        (Problem("relay", "The sending software failed. Its log says how."), True, "find the fault in the worker"),
    ],
)
def test_a_held_blast_says_what_to_do(
    organizer: Browser, launched: World, problem: Problem, retry: bool, said: str
) -> None:
    retry_at = datetime.now(UTC) if retry else None
    put(launched, state="held", hold_reason=write_problem(problem), retry_at=retry_at)
    page = organizer.get(f"{BLAST}/progress").text
    assert said in page
    assert ("by itself:" in page) is retry
    assert "Sending is held" in page
    assert f'href="{BLAST}/progress"' in organizer.get("/").text.split("Needs your decision")[1]


def test_a_bar_never_runs_over_and_shows_what_is_not_nothing() -> None:
    drawn = segments([("a", 1), ("b", 999_997), ("c", 0), ("d", 2)], 1_000_000)
    assert [part.kind for part in drawn] == ["a", "b", "d"]
    assert min(part.width for part in drawn) >= 0.5
    assert drawn[-1].start + drawn[-1].width <= 100.1
    assert segments([("a", 0)], 0) == ()
    half = segments([("a", 1), ("b", 1)], 4)
    assert [(part.start, part.width) for part in half] == [(0, 25), (25, 25)]
