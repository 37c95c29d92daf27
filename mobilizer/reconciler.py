"""Jobs: the reconciler's loop. Asks the database what is due, queues it, and outlives both."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mobilizer import jobs, tables
from mobilizer.audience import headcounts
from mobilizer.audience.importing import forget_uploads
from mobilizer.audience.undoing import forget_traces
from mobilizer.db import disk_is_full
from mobilizer.delivery import heartbeats, reconcile
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.notices import mailing, noting

BATCHES_QUEUED = 64
NOTICES_QUEUED = 16

log = structlog.get_logger()
STEPS: tuple[Callable[[Session], object], ...] = (
    reconcile.start_scheduled,
    reconcile.retry_held,
    reconcile.hold_refused,
    reconcile.settle_cancelled,
    reconcile.finish,
    forget_traces,
    headcounts.recount,
    noting.note,
)


class Reconciler:
    """Every `reconcile_seconds`: let the database move on, then queue what is due and not yet queued."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._name = jobs.worker_name()
        tables.complete()

    def run(self, stop: threading.Event) -> None:
        """Tick until `stop` is set."""
        while not stop.is_set():
            try:
                self.tick()
            except DBAPIError as error:
                # The database is the truth: without it there is nothing to do but to come back.
                if disk_is_full(error):
                    log.error("disk_full")
                    jobs.note_full_disk(self._installation.settings)
                else:
                    log.error("database_unreachable", error=type(error).__name__)
            stop.wait(self._installation.settings.reconcile_seconds)
        with self._installation.database.write() as session:
            heartbeats.leave(session, self._name)

    def tick(self) -> None:
        """One round. Each step is a transaction of its own, so that none holds up another."""
        with self._installation.database.write() as session:
            heartbeats.beat(session, self._name, "reconciler")
        for step in STEPS:
            with self._installation.database.write() as session:
                step(session)
        with self._installation.database.write() as session:
            forget_uploads(session, self._installation)
        try:
            self._queue_due()
        except RedisError as error:
            log.warning("queue_unreachable", error=type(error).__name__)

    def _queue_due(self) -> None:
        waiting = jobs.queued(self._installation.settings)
        for kind, number in self._due(BATCHES_QUEUED - len(waiting)):
            if jobs.job_id(kind, number) not in waiting:
                jobs.enqueue(self._installation, kind, number)

    def _due(self, room: int) -> Iterator[tuple[Work, int]]:
        with self._installation.database.read() as session:
            launching = reconcile.launching(session)
            imports = reconcile.running_imports(session)
            notices = mailing.due(session, NOTICES_QUEUED)
            batches = reconcile.due_batches(session, max(room, 0)) if room > 0 else []
        yield from ((Work.LAUNCH, blast) for blast in launching)
        yield from ((Work.IMPORT, number) for number in imports)
        yield from ((Work.NOTICE, mail) for mail in notices)
        if jobs.hits_waiting(self._installation):
            yield Work.HITS, 0
        yield from ((Work.SEND, batch) for batch in batches)
