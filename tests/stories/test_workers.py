"""Real workers, a real queue, a real relay: from launch to sent, and through the death of a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from email import message_from_bytes

import pytest
from redis import Redis
from redis.exceptions import ConnectionError
from rq.exceptions import StopRequested
from rq.job import Job
from sqlalchemy import update
from sqlalchemy.exc import OperationalError, ProgrammingError

from mobilizer import jobs
from mobilizer.audience.standing import leave_all
from mobilizer.db import clock
from mobilizer.delivery import heartbeats
from mobilizer.delivery.ledger import Batch
from mobilizer.installation import Installation, install
from mobilizer.jobs import Work
from mobilizer.reconciler import Reconciler
from mobilizer.settings import Settings
from tests.stories.processes import until, worker
from tests.transport.scripted_relay import ScriptedRelay
from tests.worlds import World


@pytest.fixture
def here(settings: Settings, redis_url: str) -> Iterator[Installation]:
    """An installation with a keyring of its own, whose workers are processes."""
    changed = {"redis_url": redis_url, "loopback_only": True, "smtp_connections": 1, "batch_size": 10}
    installation = install(settings.model_copy(update=changed))
    yield installation
    installation.database.close()


@pytest.fixture
def world(here: Installation) -> World:
    world = World(here)
    world.make_list()
    world.join(["en", "es"] * 12)
    world.write_appeal()
    return world


def recipients(relay: ScriptedRelay) -> list[str]:
    """Whom the arrived mails are for."""
    return sorted(str(message_from_bytes(content)["To"]) for content in relay.messages)


def test_two_workers_send_a_launched_blast_and_the_reconciler_declares_it_sent(world: World) -> None:
    world.launch()
    reconciler = Reconciler(world.installation)
    with ExitStack() as stack:
        relay = stack.enter_context(ScriptedRelay())
        for _ in range(2):
            stack.enter_context(worker(world.installation, relay.port))
        until(lambda: world.blast().state == "sent", reconciler.tick)
    assert world.states() == {"accepted": 24}
    assert len(set(recipients(relay))) == len(relay.messages) == 24


def test_launching_is_a_job_too(world: World) -> None:
    from mobilizer.blasts import launching
    from mobilizer.blasts.blasts import Blast

    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert launching.launch(session, world.installation.settings, blast, launching.seen(blast))
    assert jobs.enqueue(world.installation, Work.LAUNCH, world.blast_id)
    with ScriptedRelay() as relay, worker(world.installation, relay.port):
        until(lambda: world.blast().state == "sent", Reconciler(world.installation).tick)
    assert len(relay.messages) == 24


def test_a_worker_killed_in_the_middle_sends_nobody_twice_and_skips_nobody(world: World) -> None:
    """Killed while its answer is held: that one message is uncertain, all others arrive once."""
    world.launch()
    reconciler = Reconciler(world.installation)
    held: list[int] = []

    def hold_the_fifth(_line: str) -> bytes:
        held.append(1)
        if len(held) == 5:
            time.sleep(5)
        return b"250 2.0.0 taken\r\n"

    with ScriptedRelay({"DOT": hold_the_fifth}) as relay:
        with worker(world.installation, relay.port) as first:
            until(lambda: len(held) >= 5, reconciler.tick)
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
        with world.installation.database.write() as session:  # its lease runs out
            session.execute(update(Batch).where(Batch.state == "leased").values(lease_until=clock(-1)))
        with worker(world.installation, relay.port):
            until(lambda: world.blast().state == "sent", reconciler.tick)
        arrived = recipients(relay)
    assert len(arrived) == len(set(arrived)) == 24
    assert world.states() == {"accepted": 23, "uncertain": 1}


def test_the_queue_may_be_lost_whole_at_any_moment(world: World) -> None:
    world.launch()
    reconciler = Reconciler(world.installation)

    def lose_everything_and_tick() -> None:
        if len(relay.messages) < 12:
            with Redis.from_url(world.installation.settings.redis_url) as redis:
                redis.flushall()
        reconciler.tick()

    with ScriptedRelay() as relay, worker(world.installation, relay.port):
        until(lambda: world.blast().state == "sent", lose_everything_and_tick)
    assert len(set(recipients(relay))) == len(relay.messages) == 24


def test_terminating_a_worker_ends_it_between_messages(world: World) -> None:
    world.launch()
    reconciler = Reconciler(world.installation)

    def slowly(_line: str) -> bytes:
        time.sleep(0.2)
        return b"250 2.0.0 taken\r\n"

    with ScriptedRelay({"DOT": slowly}) as relay:
        with worker(world.installation, relay.port) as process:
            until(lambda: len(relay.messages) >= 2, reconciler.tick)
            process.terminate()
            process.wait(30)
        states = world.states()
        assert states["pending"] > 0
        assert set(states) == {"accepted", "pending"}, "nothing is left in hand"
        assert states["accepted"] == len(relay.messages)


def test_who_unsubscribes_while_queued_gets_nothing(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        leave_all(session, world.members[7])
    with ScriptedRelay() as relay, worker(world.installation, relay.port):
        until(lambda: world.blast().state == "sent", Reconciler(world.installation).tick)
    assert len(relay.messages) == 23
    assert world.delivery(world.members[7]).reason == "unsubscribed"


def test_a_horse_is_waited_for_though_the_queue_is_lost_meanwhile(here: Installation) -> None:
    """Left behind, it would be killed in the middle of a message when its worker ends."""

    class Bereft(jobs.OurWorker):
        def maintain_heartbeats(self, *_: object) -> None:
            raise ConnectionError("no queue")

    with Redis.from_url(here.settings.redis_url) as redis:
        bereft = Bereft([jobs.QUEUE], connection=redis, job_monitoring_interval=1)
        job = Job.create(jobs.ENTRY, connection=redis, timeout=60)
        horse = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(2)"])
        bereft._horse_pid = horse.pid
        with pytest.raises(ConnectionError):
            bereft.monitor_work_horse(job, bereft.queues[0], None)  # type: ignore[arg-type]
    with pytest.raises(ProcessLookupError):
        os.kill(horse.pid, 0)
    horse.wait()


def test_a_worker_lives_on_though_the_database_does_not_hear_it(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard(*_: object) -> None:
        raise OperationalError("UPDATE heartbeats", {}, Exception("database is locked"))

    monkeypatch.setattr(heartbeats, "beat", unheard)
    monkeypatch.setattr(jobs, "_installation", None)
    jobs.worker(here).heartbeat()


def test_a_worker_told_to_stop_in_the_middle_of_a_heartbeat_stops(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's driver, interrupted by the handler's exception, fails with one of its own: nobody would stop."""
    doomed = jobs.worker(here)

    def interrupted(*_: object) -> None:
        try:
            doomed.request_stop(signal.SIGTERM, None)
        except StopRequested as stop:
            raise ProgrammingError("UPDATE heartbeats", {}, stop) from stop

    monkeypatch.setattr(heartbeats, "beat", interrupted)
    monkeypatch.setattr(jobs.OurWorker, "stopping", False)
    handlers = [signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)]
    try:
        with pytest.raises(StopRequested):
            doomed.heartbeat()
    finally:
        for name, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
            signal.signal(name, handler)


def test_a_job_that_is_not_ours_never_runs(here: Installation) -> None:
    from rq import Queue
    from rq.serializers import JSONSerializer

    with Redis.from_url(here.settings.redis_url) as redis:
        queue = Queue(jobs.QUEUE, connection=redis, serializer=JSONSerializer)
        evil = queue.enqueue("os.mkdir", str(here.settings.home / "evil"))
        jobs.worker(here).work(burst=True, logging_level="ERROR")
        assert not (here.settings.home / "evil").exists()
        assert evil.get_status() == "failed"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody tells a process that its parent died")
@pytest.mark.parametrize("orphan", [True, False])
def test_a_horse_whose_worker_died_before_it_could_ask_to_be_told_does_not_live(orphan: bool) -> None:
    horse = jobs.OurWorker.__new__(jobs.OurWorker)
    horse.pid = 0 if orphan else os.getpid()
    pid = os.fork()
    if not pid:
        horse.setup_work_horse_signals()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) == orphan
