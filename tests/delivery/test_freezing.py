"""Freezing an audience: killed anywhere, started ten times or failing again and again, it leaves one row a member."""

from __future__ import annotations

import dataclasses
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from mobilizer import failpoints
from mobilizer.audience.audience import audience, first_after
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all, subscribe
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.lifecycle import Plan, change
from mobilizer.db import clock
from mobilizer.delivery import launch, reconcile
from mobilizer.delivery.ledger import Batch, Delivery, is_for, numbered, of_blast
from mobilizer.delivery.packing import pack
from mobilizer.failpoints import Point
from tests.delivery.test_books import freeze, start
from tests.worlds import World

CHUNK = 20


def books(world: World) -> None:
    """Every member once, every batch with its own language, no larger than it may be, and of the size it says."""
    with world.installation.database.read() as session:
        members = session.scalars(select(Delivery.member_id).where(of_blast(world.blast_id))).all()
        said = {batch.id: (batch.language, batch.size) for batch in session.scalars(select(Batch))}
        counted = session.execute(
            select(Delivery.batch_id, Delivery.language, func.count()).group_by(Delivery.batch_id, Delivery.language)
        ).all()
    assert sorted(members) == sorted(world.members)
    assert {batch: (language, size) for batch, language, size in counted} == said
    assert max(size for _, size in said.values()) <= world.installation.settings.batch_size


def small_batches(world: World) -> None:
    settings = world.installation.settings.model_copy(update={"batch_size": 7, "hold_after": 3})
    world.installation = dataclasses.replace(world.installation, settings=settings)


@pytest.mark.parametrize("point", [Point.FREEZE_BEFORE_COMMIT, Point.FREEZE_AFTER_COMMIT])
@pytest.mark.parametrize("times", [1, 3, 4])
def test_killed_at_a_chunk_freezing_goes_on_with_nobody_twice_and_nobody_left_out(
    world: World, point: Point, times: int
) -> None:
    small_batches(world)
    world.join(["en", "es", "es-MX"] * 15)
    start(world)
    child = os.fork()
    if not child:
        world.installation.database.after_fork()
        failpoints.arm(f"{point}:{times}")
        launch.freeze(world.installation, world.blast_id, CHUNK)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    launch.freeze(world.installation, world.blast_id, CHUNK)
    books(world)
    assert world.blast().state == BlastState.SENDING


def test_of_ten_launches_at_once_one_is_made_and_the_audience_is_written_once(world: World) -> None:
    small_batches(world)
    world.join(["en", "es"] * 30)
    with world.installation.database.read() as session:
        seen = launching.seen(session.get_one(Blast, world.blast_id))

    def launch_it(_: int) -> bool:
        with world.installation.database.write() as session:
            blast = session.get_one(Blast, world.blast_id)
            launched = launching.launch(session, world.installation.settings, blast, seen)
        launch.freeze(world.installation, world.blast_id, CHUNK)
        return launched

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(launch_it, range(10))) == [False] * 9 + [True]
    launch.freeze(world.installation, world.blast_id, CHUNK)
    books(world)


@pytest.mark.parametrize("batch_size", [16, 40, 1000])
def test_who_falls_back_in_another_way_shares_the_batches_of_their_language(world: World, batch_size: int) -> None:
    settings = world.installation.settings.model_copy(update={"batch_size": batch_size})
    world.installation = dataclasses.replace(world.installation, settings=settings)
    world.join(["en", "de", "es", "es-MX", "pt", "en", "fr"] * 20)
    with world.installation.database.write() as session:
        session.execute(update(Member).where(Member.id % 3 == 0).values(second_language="es"))
        session.execute(update(Member).where(Member.id % 3 == 1).values(second_language="fr"))
    start(world)
    launch.freeze(world.installation, world.blast_id, 60)
    books(world)


@given(
    st.lists(st.tuples(st.sampled_from(["en", "es", "ar"]), st.integers(1, 5)), max_size=60),
    st.integers(5, 20),
)
def test_parcels_hold_everybody_in_order_and_are_neither_too_large_nor_needlessly_small(
    people: list[tuple[str, int]], batch_size: int
) -> None:
    stretches = [(10 * n, language, count) for n, (language, count) in enumerate(people)]
    parcels = pack(stretches, batch_size)
    assert all(parcel.size <= batch_size for parcel in parcels)
    for language in {parcel.group for parcel in parcels}:
        own = [parcel for parcel in parcels if parcel.group == language]
        for parcel, following in pairwise(own):
            assert parcel.first < following.first
            assert parcel.size > batch_size - 5
        starts = [parcel.first for parcel in own] + [10**6]
        for parcel, (first, end) in zip(own, pairwise(starts), strict=True):
            held = [count for at, tag, count in stretches if tag == language and first <= at < end]
            assert sum(held) == parcel.size


def test_a_row_is_numbered_by_its_blast_and_its_member_and_by_nothing_else(world: World) -> None:
    world.launch()
    row = world.delivery(world.members[2])
    assert row.id == numbered(world.blast_id, world.members[2])
    with world.installation.database.read() as session:
        assert session.scalar(select(Delivery.id).where(is_for(world.blast_id, row.member_id))) == row.id
        assert session.scalar(select(Delivery.id).where(is_for(world.blast_id - 1, row.member_id + 2**32))) is None
    with pytest.raises(Exception, match="ck_deliveries_number"), world.installation.database.write() as session:
        session.execute(update(Delivery).where(Delivery.id == row.id).values(id=row.id + 2**40))


def test_whoever_is_on_several_lists_or_on_an_excluded_one_is_counted_as_the_check_list_counts(world: World) -> None:
    """One question, asked whole by the check list and in pieces by the launch."""
    second, away = world.make_list("second"), world.make_list("away")
    few = world.join(["fr", "es", "en"], second)
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        change(session, blast, Plan(included=(second, world.list_id), excluded=(away,)))
        for member in (world.members[0], world.members[4], few[0]):
            subscribe(session, member, second, how="test", wording="")
        for member in (world.members[4], few[2]):
            subscribe(session, member, away, how="test", wording="")
        away_too = update(Subscription).where(Subscription.list_id == away, Subscription.member_id == few[2])
        session.execute(away_too.values(standing=Standing.PENDING))
        leave_all(session, world.members[1])
        whole = audience((second, world.list_id), (away,)).subquery()
        rows = {row[0]: row[1:] for row in session.execute(select(whole))}
        pieces = [audience((second, world.list_id), (away,), n, n + 3).subquery() for n in range(0, 12, 3)]
        assert {row[0]: row[1:] for piece in pieces for row in session.execute(select(piece))} == rows
        assert session.scalar(first_after((second,), world.members[0])) == world.members[4]
        assert session.scalar(first_after((second,), few[2])) is None
        assert session.scalar(first_after((), 0)) is None
    start(world)
    launch.freeze(world.installation, world.blast_id, 3)
    for member, (_, _, list_id) in rows.items():
        assert world.delivery(member).list_id == list_id
    assert world.states() == {"pending": len(rows)} == {"pending": 5}
    assert world.delivery(world.members[0]).list_id == world.list_id


def break_freezing(patch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no such column")

    patch.setattr(launch, "_write", broken)


def fail(world: World, times: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        break_freezing(patch)
        for _ in range(times):
            with pytest.raises(RuntimeError):
                launch.freeze(world.installation, world.blast_id, CHUNK)


def test_a_freeze_that_fails_again_and_again_holds_the_blast_and_says_why(world: World) -> None:
    small_batches(world)
    start(world)
    fail(world, 2)
    assert world.blast().state == BlastState.LAUNCHING
    fail(world, 1)
    blast = world.blast()
    assert blast.state == BlastState.HELD
    assert blast.held_for == launch.UNFROZEN
    assert blast.retry_at is not None
    assert world.states() == {}


def test_failures_with_a_chunk_between_them_hold_nothing(world: World) -> None:
    small_batches(world)
    world.join(["en"] * 40)
    start(world)
    fail(world, 2)
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, 7, CHUNK)
    fail(world, 2)
    assert world.blast().state == BlastState.LAUNCHING


@pytest.mark.parametrize("paused", [False, True])
def test_a_blast_held_with_half_its_audience_goes_on_freezing_and_never_sends_without_the_rest(
    world: World, paused: bool
) -> None:
    small_batches(world)
    world.join(["en", "es"] * 20)
    start(world)
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, 7, CHUNK)
    fail(world, 3)
    with world.installation.database.write() as session:
        if paused:
            assert lifecycle.pause(session, world.blast_id)
        assert lifecycle.resume(session, world.blast_id)
    assert world.blast().state == BlastState.LAUNCHING
    assert world.blast().held_for is None
    with world.installation.database.write() as session:
        assert reconcile.finish(session) == []
    launch.freeze(world.installation, world.blast_id, CHUNK)
    books(world)
    assert world.blast().state == BlastState.SENDING


def test_a_held_launch_is_tried_again_by_itself(world: World) -> None:
    small_batches(world)
    start(world)
    fail(world, 3)
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(retry_at=clock(-1)))
        reconcile.retry_held(session)
    assert world.blast().state == BlastState.LAUNCHING
    freeze(world)
    assert world.states() == {"pending": 5}


def test_a_held_launch_can_be_cancelled_and_then_freezes_nobody_else(world: World) -> None:
    small_batches(world)
    world.join(["en"] * 40)
    start(world)
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, 7, CHUNK)
    before = world.states()["pending"]
    fail(world, 3)
    with world.installation.database.write() as session:
        assert lifecycle.cancel(session, world.blast_id)
        reconcile.settle_cancelled(session)
    freeze(world)
    assert world.states() == {"skipped": before}


def test_a_launch_that_was_seen_before_the_hold_does_not_start_again_from_the_beginning(world: World) -> None:
    small_batches(world)
    with world.installation.database.read() as session:
        revision = session.get_one(Blast, world.blast_id).revision
    start(world)
    fail(world, 3)
    with world.installation.database.write() as session:
        now = session.get_one(Blast, world.blast_id).revision
        assert not lifecycle.launch(session, world.blast_id, now)
        assert not lifecycle.launch(session, world.blast_id, revision)
        assert not lifecycle.launch_due(session, world.blast_id)
        assert not lifecycle.send(session, world.blast_id)


def test_an_audience_that_all_left_is_sent_to_nobody_at_once(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(delete(Subscription))
    start(world)
    freeze(world)
    with world.installation.database.write() as session:
        assert reconcile.finish(session) == [world.blast_id]
    assert world.states() == {}


def test_members_with_gaps_between_their_numbers_are_frozen_all_the_same(world: World) -> None:
    small_batches(world)
    with world.installation.database.write() as session:
        for number in (10_000, 2_000_000_000):
            session.add(
                Member(
                    id=number, address_key=b"k%d" % number, domain_key=b"d", sealed=b"s", language="es",
                    share_code=str(number),
                )
            )  # fmt: skip
            session.flush()
            subscribe(session, number, world.list_id, how="test", wording="")
            world.members.append(number)
    start(world)
    launch.freeze(world.installation, world.blast_id, CHUNK)
    books(world)
