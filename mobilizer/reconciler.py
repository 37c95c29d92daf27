"""Jobs: the reconciler's loop. Asks the database what is due, queues it, and outlives both."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from mobilizer import jobs, recording, tables
from mobilizer.audience import headcounts
from mobilizer.custody import retention
from mobilizer.db import disk_is_full
from mobilizer.delivery import heartbeats, late, opening, reconcile, sender_domain
from mobilizer.engagement import winners
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.notices import mailing, noting
from mobilizer.rights import requests
from mobilizer.signups import letters

BATCHES_QUEUED = 64
NOTICES_QUEUED = 16
RECORDS_QUEUED = 16
SIGN_UPS_QUEUED = 64
FORGET_SECONDS = 3600.0
FORGET_STEPS = 20  # transactions in a round

log = structlog.get_logger()
STEPS: tuple[Callable[[Session], object], ...] = (
    reconcile.start_due,
    opening.watch_first,
    opening.open_due,
    winners.choose_due,
    reconcile.retry_held,
    reconcile.hold_refused,
    reconcile.settle_cancelled,
    reconcile.finish,
    headcounts.recount,
    noting.note,
    requests.give_up,
)


class Reconciler:
    """Every `reconcile_seconds`: let the database move on, then queue what is due and not yet queued."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._name = jobs.worker_name()
        self._forgetting: Iterator[tuple[str, int]] | None = None
        self._forget_from = -math.inf
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
            late.join_approved(session, self._installation.settings)
        try:
            self._queue_due()
        except RedisError as error:
            log.warning("queue_unreachable", error=type(error).__name__)
        try:
            self._forget()
        except DBAPIError as error:
            if disk_is_full(error):
                raise
            log.error("not_forgotten", error=type(error).__name__)

    def _forget(self) -> None:
        """Go on forgetting what is over its time, a bit in each round; begin anew every hour. One that breaks off is
        begun anew then, too: it holds up nothing else."""
        if self._forgetting is None and time.monotonic() >= self._forget_from:
            self._forgetting = retention.forget(self._installation)
            self._forget_from = time.monotonic() + FORGET_SECONDS
        for _ in range(FORGET_STEPS if self._forgetting else 0):
            step = next(self._forgetting, None) if self._forgetting else None
            if step is None:
                self._forgetting = None
                break
            name, gone = step
            if gone:
                jobs.count(self._installation.settings, {f"forgotten_{name}": gone})

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
            asking = requests.due(session, RECORDS_QUEUED)
            domain = sender_domain.is_due(session, self._installation.settings)
            signing_up = letters.due(session, SIGN_UPS_QUEUED)
            batches = reconcile.due_batches(session, max(room, 0)) if room > 0 else []
        yield from ((Work.LAUNCH, blast) for blast in launching)
        yield from ((Work.IMPORT, number) for number in imports)
        yield from ((Work.NOTICE, mail) for mail in notices)
        yield from ((Work.RECORD, member) for member in asking)
        yield from ((Work.SIGN_UP, number) for number in signing_up)
        if domain:
            yield Work.DOMAIN, 0
        if recording.hits_waiting(self._installation):
            yield Work.HITS, 0
        yield from ((Work.SEND, batch) for batch in batches)
