"""Selftest: hurts. What can happen to a machine while it sends, each done to the campaign's own processes alone."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from typing import Protocol

from redis import Redis
from sqlalchemy import text

from mobilizer.demo.children import Child
from mobilizer.demo.processes import answers_ping
from mobilizer.selftest import hands
from mobilizer.selftest.crew import Mate, process_of
from mobilizer.selftest.site import CONNECTIONS, Site

LOCK_SECONDS, SENDING_SECONDS, TAKEN_OVER_SECONDS, UP_SECONDS = 2.0, 4.0, 4.0, 10.0


class Scene(Protocol):
    """Where it happens: the campaign, as far as it concerns us."""

    site: Site
    queue: Child
    workers: list[Mate]
    chance: random.Random
    cut: int
    cut_off: int
    standing: bool  # a sender stands still: nobody may be asked to end who would wait for it

    def killed(self, what: str) -> None:
        """Count a kill."""

    def breathe_for(self, seconds: float) -> None:
        """Let time pass."""

    def wait_for(self, true: Callable[[], bool], seconds: float) -> bool:
        """Let time pass until something is true."""


def flush_queue(scene: Scene) -> None:
    """Redis forgets everything."""
    with Redis.from_url(scene.site.settings.redis_url) as redis:
        redis.flushall()


def restart_queue(scene: Scene) -> None:
    """Redis dies and comes back empty."""
    scene.queue.wait_or_kill(until=time.monotonic())
    scene.breathe_for(0.5)
    scene.queue.start()
    scene.wait_for(lambda: answers_ping(scene.site.box.queue_port), UP_SECONDS)


def cut_off_database(scene: Scene) -> None:
    """PostgreSQL ends every connection but ours; SQLite is locked by somebody for a while."""
    database = scene.site.installation.database
    if database.engine.dialect.name == "sqlite":
        with database.write():
            time.sleep(LOCK_SECONDS)
        return
    scene.cut_off += CONNECTIONS * len(scene.workers)
    with database.read() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def kill_worker(scene: Scene) -> None:
    """A worker and its sender are gone at once."""
    mate = scene.chance.choice(scene.workers)
    mate.end(polite=False)
    scene.killed("worker")
    mate.start()


def kill_sender(scene: Scene) -> None:
    """The process that sends is gone, its worker stays."""
    if owner := _sender(scene):
        scene.killed("sender")
        _signal(owner, signal.SIGKILL)


def stop_sender(scene: Scene) -> None:
    """The process that sends stands still for longer than its lease lasts, and then goes on as if nothing had been."""
    owner = _sender(scene)
    if owner is None:
        return
    scene.cut += CONNECTIONS
    scene.standing = True
    try:
        with scene.site.installation.database.write() as session:
            hands.end_leases(session, scene.site.blast, owner)
            # Within our transaction: on SQLite it can't be in one of its own, which would stop everybody.
            _signal(owner, signal.SIGSTOP)
        scene.wait_for(lambda: owner not in hands.owners(scene.site), TAKEN_OVER_SECONDS)
    finally:
        _signal(owner, signal.SIGCONT)
        scene.standing = False


def _sender(scene: Scene) -> str | None:
    """One of the processes that send; None if none comes up in a while."""
    scene.wait_for(lambda: bool(hands.owners(scene.site)), SENDING_SECONDS)
    return next(iter(hands.owners(scene.site)), None)


def _signal(owner: str, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has come to its end just now
        os.kill(process_of(owner), number)


HURTS: dict[str, Callable[[Scene], None]] = {
    "queue_flushed": flush_queue,
    "queue_restarted": restart_queue,
    "database_cut_off": cut_off_database,
    "worker_killed": kill_worker,
    "sender_killed": kill_sender,
    "sender_stopped": stop_sender,
}
