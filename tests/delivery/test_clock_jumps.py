"""The clock of the database jumps, forward and back: nothing is launched twice, and nothing waits for years.

A clock that was put back by a while is what rows look like whose moments were moved ahead by that while.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import Instant, clock
from mobilizer.delivery import claims, heartbeats, holds, launch, leases, reconcile
from mobilizer.delivery.ledger import LONGEST_WAIT, Batch, BatchState, Delivery, DeliveryState, Heartbeat
from mobilizer.problems import Problem
from tests.delivery.test_slices import send
from tests.worlds import World

YEARS = 20 * 365 * 86400.0
MOMENTS = [
    (table, column)
    for table in (Blast, Batch, Delivery, Heartbeat)
    for column in table.__table__.columns
    if isinstance(column.type, Instant)
]


def jump(world: World, seconds: float) -> None:
    """Let the clock jump by so much: every moment that was written down is that much further back, or ahead."""
    with world.installation.database.write() as session:
        for table, column in MOMENTS:
            for key, moment in session.execute(select(*table.__table__.primary_key, column)).all():
                if moment is not None:
                    moved = max(moment - timedelta(seconds=seconds), datetime(1970, 1, 1, tzinfo=UTC))
                    here = next(iter(table.__table__.primary_key)) == key
                    session.execute(update(table.__table__).where(here).values({column: moved}))


def schedule(world: World, seconds: float) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        now = session.scalar(select(clock()))
        assert now is not None
        at = now + timedelta(seconds=seconds)
        assert launching.schedule(session, world.installation.settings, blast, launching.seen(blast), at)


def look_round(world: World) -> None:
    """What the reconciler and a worker do."""
    with world.installation.database.write() as session:
        reconcile.start_due(session)
        reconcile.retry_held(session)
        reconcile.finish(session)
    launch.freeze(world.installation, world.blast_id)


def test_no_wait_that_is_ever_written_is_longer_than_the_longest() -> None:
    assert max(claims.BACKOFF_SECONDS) <= LONGEST_WAIT
    assert sum(claims.BACKOFF_SECONDS) == 48 * 3600


@pytest.mark.parametrize(
    ("late", "state"), [(-60, "scheduled"), (1, "launching"), (3590, "launching"), (3610, "ready"), (YEARS, "ready")]
)
def test_a_schedule_leaves_in_its_hour_and_asks_when_it_is_later(world: World, late: float, state: str) -> None:
    schedule(world, 7200)
    jump(world, 7200 + late)
    with world.installation.database.write() as session:
        reconcile.start_due(session)
    assert world.blast().state == state


def test_who_is_asked_about_a_late_schedule_may_send_it_now_or_choose_another_time(world: World) -> None:
    schedule(world, 60)
    jump(world, 7200)
    look_round(world)
    late = world.blast().held_for
    assert late == reconcile.LATE
    assert world.states() == {}
    schedule(world, 60)
    assert world.blast().held_for is None, "it has a time again, so nothing is wrong with it"
    jump(world, 90)
    look_round(world)
    assert world.states() == {"pending": 5}
    assert world.blast().held_for is None


@pytest.mark.parametrize("there_and_back", [(YEARS, -YEARS), (-YEARS, YEARS), (90, -90, 90, -86400, 86400)])
def test_a_clock_that_jumps_there_and_back_launches_nothing_twice(
    world: World, there_and_back: tuple[float, ...]
) -> None:
    schedule(world, 60)
    for seconds in there_and_back:
        jump(world, seconds)
        look_round(world)
    jump(world, 90)
    look_round(world)
    relay = send(world)
    if world.blast().state == BlastState.READY:
        assert relay.messages == [], "an hour late it asks"
        return
    for seconds in there_and_back:
        jump(world, seconds)
        look_round(world)
        relay.messages += send(world).messages
    assert len(relay.messages) == 5
    assert world.states() == {"accepted": 5}


@pytest.mark.parametrize("back", [86400.0, YEARS])
def test_what_waits_for_a_moment_far_ahead_is_due_where_the_clock_was_put_back(world: World, back: float) -> None:
    world.launch()
    send(world, {"RCPT": b"450 4.2.0 later\r\n"})
    assert set(world.states()) == {"pending"}
    jump(world, -back)
    assert len(send(world).messages) == 5


def test_what_waits_for_a_moment_that_its_rule_allows_goes_on_waiting(world: World) -> None:
    world.launch()
    send(world, {"RCPT": b"450 4.2.0 later\r\n"})
    jump(world, -3600)
    assert send(world).messages == []


@pytest.mark.parametrize(("back", "free"), [(1800.0, False), (4000.0, True), (YEARS, True)])
def test_a_lease_that_ends_later_than_any_may_is_over(world: World, back: float, free: bool) -> None:
    world.launch()
    with world.installation.database.write() as session:
        first = leases.take(session, world.batches()[0], "gone", 120)
    assert first is not None
    jump(world, -back)
    with world.installation.database.write() as session:
        assert (world.batches()[0] in reconcile.due_batches(session, 10)) is free
        assert (leases.take(session, world.batches()[0], "next", 120) is not None) is free
        assert leases.renew(session, first) is not free


def test_a_hold_that_tries_again_far_ahead_tries_again_now(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        assert lifecycle.hold(session, world.blast_id, Problem("relay", "The relay is out."), holds.RETRY_SECONDS)
        reconcile.retry_held(session)
    assert world.blast().state == BlastState.HELD
    jump(world, -YEARS)
    look_round(world)
    assert world.blast().state == BlastState.SENDING


def test_a_worker_that_died_before_the_clock_was_put_back_is_not_alive(world: World) -> None:
    with world.installation.database.write() as session:
        heartbeats.beat(session, "gone", "worker")
        assert heartbeats.alive(session, "worker") == 1
    jump(world, -YEARS)
    with world.installation.database.write() as session:
        assert heartbeats.alive(session, "worker") == 0
        heartbeats.beat(session, "here", "worker")
        assert session.scalars(select(Heartbeat.name)).all() == ["here"]


def test_what_was_in_hand_of_the_dead_when_a_blast_was_cancelled_is_settled_after_the_clock_was_put_back(
    world: World,
) -> None:
    world.launch()
    with world.installation.database.write() as session:
        lease = leases.take(session, world.batches()[0], "gone", 120)
        assert lease is not None
        session.execute(update(Delivery).where(Delivery.batch_id == lease.batch).values(state=DeliveryState.HANDING))
        lifecycle.cancel(session, world.blast_id)
    jump(world, -YEARS)
    with world.installation.database.write() as session:
        reconcile.settle_cancelled(session)
    assert set(world.states()) == {"uncertain", "skipped"}


def test_a_blast_resumed_before_the_clock_was_put_back_is_still_held_for_refusals(world: World) -> None:
    world.join(["en"] * 20)
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(resumed_at=clock(YEARS)))
    send(world, {"RCPT": b"550 5.7.1 no\r\n"}, hold_after=1000)
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(state=BlastState.SENDING))
        reconcile.hold_refused(session)
    assert world.blast().state == BlastState.HELD


def test_a_batch_is_open_again_no_later_than_its_rows_are_due(world: World) -> None:
    world.launch()
    send(world, {"RCPT": b"450 4.2.0 later\r\n"})
    jump(world, -YEARS)
    with world.installation.database.write() as session:
        lease = leases.take(session, world.batches()[0], "now", 120)
        assert lease is not None
        assert leases.give_back(session, lease)
    with world.installation.database.read() as session:
        assert session.scalars(select(Batch.state)).all()[0] == BatchState.OPEN
        assert world.batches()[0] in reconcile.due_batches(session, 10)
