"""The disk of the database is full: nobody gets a mail twice, nobody is skipped, and with room again all goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from redis import Redis
from sqlalchemy import text

from mobilizer import jobs
from mobilizer.db import disk_is_full
from mobilizer.delivery import launch, leases, reconcile, slices
from mobilizer.installation import Installation
from mobilizer.jobs import Work, WorkFailed
from mobilizer.reconciler import Reconciler
from tests.delivery.test_books import start
from tests.delivery.witness import GO_ON, TAKEN, Witness, at_first
from tests.full_disk import ANSWER, CLAIM, EVERYTHING, FINISH, FREEZE, HOLD, LEASE, Disk, Write
from tests.worlds import World


@pytest.fixture
def disk(world: World, monkeypatch: pytest.MonkeyPatch) -> Disk:
    """The disk of the world's database. Nobody waits for it."""
    monkeypatch.setattr(slices, "ROOM_SECONDS", 0.0)
    return Disk(world.installation.database)


def retry(world: World) -> None:
    """The time of a hold is over, and the reconciler looks."""
    with world.installation.database.write() as session:
        session.execute(text("UPDATE blasts SET retry_at = '2000-01-01 00:00:00' WHERE retry_at IS NOT NULL"))
        reconcile.retry_held(session)


def fails_for_want_of_room(act: Callable[[], object]) -> None:
    with pytest.raises(Exception) as failed:
        act()
    assert disk_is_full(failed.value), failed.value


def told(world: World) -> tuple[str, str, bool]:
    """The blast's state, why it holds itself, and whether it tries again by itself."""
    blast = world.blast()
    return blast.state, blast.held_for.code if blast.held_for else "", blast.retry_at is not None


HELD = ("held", "held.no_room", True)


def run(world: World, statement: str) -> None:
    with world.installation.database.write() as session:
        session.execute(text(statement))


def test_an_audience_that_finds_no_room_is_frozen_once_there_is_some(world: World, disk: Disk) -> None:
    world.join(["en"] * 30)
    start(world)

    def freeze() -> None:
        launch.freeze(world.installation, world.blast_id, chunk=10)

    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, batch_size=5, chunk=10)
    frozen = world.states()
    with disk.full(FREEZE):
        fails_for_want_of_room(freeze)
        assert (world.states(), told(world)) == (frozen, HELD)
    retry(world)
    with disk.full(FREEZE, HOLD):
        fails_for_want_of_room(freeze)
        assert world.blast().state == "launching", "not even that could be written"
    freeze()
    assert world.states() == {"pending": 35}
    assert Witness(world).rest() == []


@pytest.mark.parametrize("also", [(), (HOLD,)], ids=["room to hold", "no room to hold"])
def test_a_lease_that_finds_no_room_sends_nothing(world: World, disk: Disk, also: tuple[Write, ...]) -> None:
    world.launch()
    witness = Witness(world)
    with disk.full(LEASE, *also):
        fails_for_want_of_room(witness.send)
        assert told(world) == (("sending", "", False) if also else HELD)
    assert (witness.seen, world.states()) == ([], {"pending": 5})
    retry(world)
    assert witness.rest() == []
    assert world.states() == {"accepted": 5}


@pytest.mark.parametrize("full", [(CLAIM,), (CLAIM, HOLD), EVERYTHING], ids=["claims", "claims and hold", "everything"])
def test_a_claim_that_finds_no_room_hands_nothing_over(world: World, disk: Disk, full: tuple[Write, ...]) -> None:
    """The relay waits for the content: it gets none, and the member gets it later."""
    world.launch()
    witness = Witness(world)
    fails_for_want_of_room(lambda: witness.send(DATA=at_first(lambda: disk.fill(*full), GO_ON)))
    assert told(world) == (HELD if full == (CLAIM,) else ("sending", "", False))
    disk.make_room()
    retry(world)
    assert (witness.seen, world.states()) == ([], {"pending": 5})
    assert witness.rest() == []
    assert world.states() == {"accepted": 5}


@pytest.mark.parametrize("full", [(ANSWER,), (ANSWER, HOLD), EVERYTHING], ids=["answers", "and hold", "everything"])
def test_an_answer_that_finds_no_room_leaves_one_message_uncertain(
    world: World, disk: Disk, full: tuple[Write, ...]
) -> None:
    """It has arrived, and that could not be written: it is asked about, and never sent again by itself."""
    world.launch()
    witness = Witness(world, torn=1)
    fails_for_want_of_room(lambda: witness.send(DOT=at_first(lambda: disk.fill(*full), TAKEN)))
    assert told(world) == (HELD if full == (ANSWER,) else ("sending", "", False))
    assert len(witness.seen) == 2, "one content and its answer"
    disk.make_room()
    retry(world)
    assert witness.rest() == []
    assert world.states() == {"accepted": 4, "uncertain": 1}


def test_answers_in_hand_wait_for_room_and_are_all_written(
    world: World, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full for a moment, as by another's big file, leaves no doubt about anybody."""
    monkeypatch.setattr(slices, "ROOM_SECONDS", 30.0)
    world.launch()
    witness = Witness(world)
    tried: list[int] = []
    commit = slices.Hands.commit

    def counted(self: slices.Hands, *ready: object) -> object:
        try:
            return commit(self, *ready)  # type: ignore[arg-type]
        except Exception:
            tried.append(1)
            if len(tried) == 3:
                disk.make_room()
            raise

    monkeypatch.setattr(slices.Hands, "commit", counted)
    fails_for_want_of_room(lambda: witness.send(DOT=at_first(lambda: disk.fill(ANSWER), TAKEN)))
    assert (len(tried), world.states()) == (3, {"accepted": 1, "pending": 4})
    retry(world)
    assert witness.rest() == []
    assert world.states() == {"accepted": 5}


def test_a_blast_that_can_not_be_declared_sent_is_once_there_is_room(world: World, disk: Disk) -> None:
    world.launch()
    witness = Witness(world)
    witness.send()

    def finish() -> None:
        with world.installation.database.write() as session:
            reconcile.finish(session)

    with disk.full(FINISH):
        fails_for_want_of_room(finish)
        assert world.blast().state == "sending"
    assert witness.rest() == []
    assert world.blast().state == "sent"


def test_a_lease_is_swept_once_there_is_room_and_not_before(world: World, disk: Disk) -> None:
    world.launch()
    batch = world.delivery(world.members[0]).batch_id
    with world.installation.database.write() as session:
        lease = leases.take(session, batch, "lost")
        assert lease is not None
        session.execute(text(f"UPDATE deliveries SET state = 'handing', epoch = 1 WHERE batch_id = {batch}"))  # noqa: S608
    witness = Witness(world, torn=3)
    with disk.full(ANSWER):
        fails_for_want_of_room(lambda: witness.take_over("next"))
        assert world.states() == {"handing": 3, "pending": 2}
    assert witness.rest() == []
    assert world.states() == {"accepted": 2, "uncertain": 3}


@pytest.fixture
def queued(world: World, redis_url: str) -> World:
    """The world with a queue."""
    settings = world.installation.settings.model_copy(update={"redis_url": redis_url, "loopback_only": True})
    world.installation = dataclasses.replace(world.installation, settings=settings)
    return world


def test_the_reconciler_lives_through_a_full_disk_and_says_so(queued: World, disk: Disk) -> None:
    class Once:
        def __init__(self) -> None:
            self.asked = 0

        def is_set(self) -> bool:
            self.asked += 1
            return self.asked > 1

        def wait(self, _seconds: float) -> None:
            disk.make_room()

    here = queued.installation
    queued.launch()
    reconciler = Reconciler(here)
    disk.fill(*EVERYTHING)
    reconciler.run(Once())  # type: ignore[arg-type]
    assert jobs.no_room(here.settings)
    reconciler.tick()
    assert queued.blast().state == "sending"
    assert jobs.queued(here.settings), "the batches are queued again"


def test_a_job_says_that_the_disk_is_full_where_the_database_can_not(
    queued: World, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    here: Installation = queued.installation
    queued.launch()
    batch = queued.batches()[0]
    monkeypatch.setattr(jobs, "_installation", here)
    assert not jobs.no_room(here.settings)
    disk.fill(*EVERYTHING)
    here.database.close()  # as before a fork
    with pytest.raises(WorkFailed):
        jobs.perform(Work.SEND, batch)
    disk.make_room()
    assert jobs.no_room(here.settings)
    with Redis.from_url(here.settings.redis_url) as redis:
        assert 0 < redis.ttl(jobs.NO_ROOM) <= jobs.NO_ROOM_SECONDS
    assert queued.states() == {"pending": 5}


def test_no_answer_is_known_where_the_queue_is_away_too(world: World) -> None:
    jobs.note_full_disk(world.installation.settings)
    assert not jobs.no_room(world.installation.settings)


def test_another_error_is_no_full_disk(world: World) -> None:
    for statement in ("SELECT nothing FROM nowhere", "INSERT INTO batches (id) VALUES (NULL)"):
        with pytest.raises(Exception) as failed:
            run(world, statement)
        assert not disk_is_full(failed.value)
    assert not disk_is_full(OSError(28, "No space left on device"))
