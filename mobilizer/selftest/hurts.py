"""Selftest: hurts. What can happen to a machine while it sends, each done to the campaign's own processes alone."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from redis import Redis
from sqlalchemy import text

from mobilizer.demo.children import Child
from mobilizer.demo.processes import answers_ping
from mobilizer.selftest import hands
from mobilizer.selftest.crew import Mate, process_of
from mobilizer.selftest.site import CONNECTIONS, Site

YEARS_SECONDS = 20 * 365 * 86_400.0
STOPPED_SECONDS, PAUSED_SECONDS, FULL_SECONDS = 1.0, 1.5, 1.5
LOCK_SECONDS, SENDING_SECONDS, TAKEN_OVER_SECONDS, UP_SECONDS = 2.0, 4.0, 4.0, 10.0


class Scene(Protocol):
    """Where it happens: the campaign, as far as it concerns us."""

    site: Site
    queue: Child
    workers: list[Mate]
    chance: random.Random
    cut: int
    cut_off: int
    stood: Counter[str]  # who lost their leases and went on, how often
    wrong: list[str]
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
    scene.stood[owner] += 1
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


def jump_ahead(scene: Scene) -> None:
    """The clock is put ahead by twenty years: every lease is over, and everything is due."""
    _jump(scene, YEARS_SECONDS)


def jump_back(scene: Scene) -> None:
    """The clock is put back by twenty years: what is due in a moment would be due in twenty years."""
    _jump(scene, -YEARS_SECONDS)


def _jump(scene: Scene, seconds: float) -> None:
    scene.wait_for(lambda: bool(hands.owners(scene.site)), SENDING_SECONDS)
    senders = hands.jump(scene.site, seconds)
    scene.stood.update(senders)
    # A lease that was taken over while its messages were out leaves those in doubt that are told "not now" then.
    scene.cut_off += CONNECTIONS * len(senders)


def pause(scene: Scene) -> None:
    """A person pauses the blast. Until they let it go on, no message starts."""
    if not hands.pause(scene.site):
        return  # it holds itself
    scene.breathe_for(STOPPED_SECONDS)
    waiting = hands.pending(scene.site)
    scene.breathe_for(PAUSED_SECONDS)
    if begun := hands.begun_among(scene.site, waiting):
        scene.wrong.append(f"{len(begun)} messages were claimed while the blast was paused")
    hands.resume(scene.site)


def fill_disk(scene: Scene) -> None:
    """The disk of PostgreSQL is full, as far as it concerns what becomes of a message."""
    database = scene.site.installation.database
    with database.write() as session:
        session.execute(text(_FULL_FUNCTION))
        session.execute(text(_FULL_TRIGGER))
    try:
        scene.breathe_for(FULL_SECONDS)
    finally:
        with database.write() as session:
            session.execute(text("DROP TRIGGER disk_full ON deliveries"))


# The error that a full disk is told by, at the commit, where a row changes its state.
_FULL_FUNCTION = """CREATE OR REPLACE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"""
_FULL_TRIGGER = """CREATE CONSTRAINT TRIGGER disk_full AFTER UPDATE ON deliveries DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION disk_full()"""


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
    "clock_ahead": jump_ahead,
    "clock_back": jump_back,
    "paused": pause,
}
# How large a file of SQLite may grow is each connection's own affair: no other process can say that its disk is full.
ON_POSTGRESQL: dict[str, Callable[[Scene], None]] = {"disk_full": fill_disk}


def of(dialect: str) -> dict[str, Callable[[Scene], None]]:
    """What can happen on a kind of database."""
    return HURTS | (ON_POSTGRESQL if dialect == "postgresql" else {})
