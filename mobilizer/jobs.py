"""Jobs: the only module that knows RQ. The queue carries the kind of work and one number; the database, the truth."""

from __future__ import annotations

import ctypes
import gc
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from functools import cache, partial
from types import FrameType
from typing import Any, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Worker
from rq.exceptions import InvalidJobOperation, StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy.exc import DBAPIError

from mobilizer import tables
from mobilizer.audience.importing import run_import
from mobilizer.audience.rehearsing import run_rehearsal
from mobilizer.audience.undoing import run_undo
from mobilizer.db import disk_is_full
from mobilizer.delivery import heartbeats, launch, sender_domain, slices
from mobilizer.delivery.reports import Report
from mobilizer.engagement.thanks import thanks
from mobilizer.installation import Installation, follow_keys, follow_settings, install
from mobilizer.notices import mailing
from mobilizer.recording import drain_hits
from mobilizer.rights import letters
from mobilizer.rights.holding import held
from mobilizer.segments.choosing import whom
from mobilizer.settings import Settings, load_settings
from mobilizer.signups import letters as sign_up_letters

QUEUE = "mobilizer"
ONCE = "mobilizer:once"
COUNTERS = "mobilizer:counters"
NO_ROOM = "mobilizer:no-room"
NO_ROOM_SECONDS = 60
ENTRY = "mobilizer.jobs.perform"
JOB_SECONDS = 1800  # the last resort: slices stop themselves after a minute
PR_SET_PDEATHSIG = 1
HEARTBEAT_SECONDS = 10
RECONNECT_SECONDS = 1.0

log = structlog.get_logger()


class Work(StrEnum):
    """The kinds of work there are."""

    LAUNCH = "launch"  # number: a blast
    SEND = "send"  # number: a batch
    IMPORT = "import"  # number: an import
    HITS = "hits"  # number: 0
    NOTICE = "notice"  # number: the mail of a notice to one organizer
    SIGN_UP = "sign-up"  # number: a sign-up whose letter is to go
    DOMAIN = "domain"  # number: 0, the sender's own
    RECORD = "record"  # number: a member who asked for all we know of them


class WorkFailed(Exception):
    """A piece of work broke. It says of what kind the error was; the log says where."""


class OurJob(Job):
    """A job that can only ever run `perform`: whoever can write to Redis must not choose what we import."""

    @property
    def func(self) -> Callable[[str, int], None]:
        if self.func_name != ENTRY:
            raise InvalidJobOperation(f"not one of ours: {self.func_name!r}")
        return perform

    success_callback = failure_callback = stopped_callback = property(lambda _self: None)


class OurWorker(Worker):
    """A worker whose work horse never outlives it, and finishes its message before it goes."""

    def setup_work_horse_signals(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, _drain)
        if sys.platform == "linux":
            # Without this a killed worker leaves its horse sending, beside the worker that takes over.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.pid:
                os.kill(os.getpid(), signal.SIGKILL)  # it was killed before we said so, and nobody will tell us

    stopping = False  # of this process, whichever worker heard the signal
    beating = False  # in the middle of a statement: an exception out of a handler would be taken for its failure

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """RQ's own sign of life, and ours: the database remembers after Redis was lost."""
        super().heartbeat(*args, **kwargs)
        if self.is_horse:
            return
        self.beating = True
        try:
            if _installation is not None:
                with _installation.database.write() as session:
                    heartbeats.beat(session, worker_name(), "worker")
        except DBAPIError as error:
            # To go unheard is no reason to end: its horse knows better what the database allows.
            log.error("database_unreachable", error=type(error).__name__)
        finally:
            self.beating = False
        if OurWorker.stopping:  # heard meanwhile, or heard before and lost by who was interrupted
            self.request_stop(signal.SIGTERM, None)

    def monitor_work_horse(self, *args: Any) -> None:
        """Whatever becomes of the queue meanwhile, the horse is waited for: left behind, it would be killed in the
        middle of a message when this process ends."""
        try:
            super().monitor_work_horse(*args)
        finally:
            while self.horse_pid:
                with suppress(RedisError):  # of a signal that can't be noted in the queue
                    self.wait_for_horse()
                    self._horse_pid = 0

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        OurWorker.stopping = True
        if self.beating:
            return
        if self.horse_pid:
            os.kill(self.horse_pid, signal.SIGTERM)
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


_draining = False
_installation: Installation | None = None


def work_on(installation: Installation) -> None:
    """Name the installation that this process's jobs work on; else the settings from the environment do."""
    global _installation
    _installation = installation


def perform(kind: str, number: int) -> None:
    """Do one piece of work: what RQ calls, in a work horse. Raises WorkFailed."""
    installation = follow_settings(_installation or install(load_settings()))
    installation.database.after_fork()
    doing: dict[Work, Callable[[Installation, int], None]] = {
        Work.LAUNCH: partial(launch.freeze, whom=whom),
        Work.SEND: _send,
        Work.IMPORT: _import,
        Work.HITS: drain_hits,
        Work.NOTICE: mailing.send,
        Work.SIGN_UP: sign_up_letters.send,
        Work.DOMAIN: sender_domain.look,
        Work.RECORD: letters.send_link,
    }
    try:
        follow_keys(installation.keyring, installation.database)
        doing[Work(kind)](installation, number)
    except Exception as error:
        log.exception("work_failed", work=kind, number=number)
        if disk_is_full(error):
            note_full_disk(installation.settings)
        # RQ prints an error's words and keeps them in Redis: they may name a person.
        raise WorkFailed(type(error).__name__) from None


def _import(installation: Installation, number: int) -> None:
    """Go on with rehearsing an import, with running it, or with undoing it, whichever is under way."""
    run_rehearsal(installation, number)
    run_import(installation, number)
    run_undo(installation, number, held)


def _send(installation: Installation, batch: int) -> None:
    report = Report()
    # What takes longer has lost its leases anyway, and must not keep their rows from whoever has them next.
    installation.database.hurry(installation.settings.lease_seconds / 2)
    try:
        slices.send(installation, batch, worker_name(), lambda: _draining, report, thanks)
    finally:
        if report.batches:
            log.info("slice", **report.line())
            count(installation.settings, report.counts())


def enqueue(installation: Installation, kind: Work, number: int = 0) -> bool:
    """Queue one piece of work. False when Redis is away: the reconciler queues it again within its period."""
    try:
        queue = _queue(installation.settings)
        queue.enqueue_call(
            ENTRY,
            args=(str(kind), number),
            job_id=job_id(kind, number),
            timeout=JOB_SECONDS,
            # A slice takes up to a minute, and there may be hundreds: nobody else stands behind them.
            at_front=kind is not Work.SEND,
            result_ttl=0,
            failure_ttl=24 * 3600,
        )
    except RedisError as error:
        log.warning("queue_unreachable", work=str(kind), error=type(error).__name__)
        return False
    return True


def job_id(kind: Work, number: int) -> str:
    """The name of a piece of work in the queue: 'send-17'."""
    return f"{kind}-{number}"


def queued(settings: Settings) -> set[str]:
    """The ids of the jobs that wait in the queue ('send-17'). Raises RedisError."""
    return set(_queue(settings).job_ids)


def is_first(installation: Installation, name: str, seconds: int) -> bool:
    """Whether something of this name is heard of for the first time in so many seconds; yes where Redis is away."""
    try:
        return bool(_quick_redis(installation.settings.redis_url).set(f"{ONCE}:{name}", 1, nx=True, ex=seconds))
    except RedisError:
        return True


def count(settings: Settings, counts: Mapping[str, float]) -> None:
    """Count up, for the metrics; not worth a word where Redis is away."""
    with suppress(RedisError):
        pipe = _redis(settings).pipeline(transaction=False)
        for name, number in counts.items():
            pipe.hincrbyfloat(COUNTERS, name, number)
        pipe.execute()


def counted(settings: Settings) -> dict[str, float]:
    """What workers have counted up since Redis began. Raises RedisError."""
    found = cast("dict[bytes, bytes]", _redis(settings).hgetall(COUNTERS))
    return {name.decode(): float(value) for name, value in found.items()}


def note_full_disk(settings: Settings) -> None:
    """Say for a minute that the database's disk is full: what the database itself can't be told any more."""
    with suppress(RedisError):
        _redis(settings).set(NO_ROOM, 1, ex=NO_ROOM_SECONDS)


def no_room(settings: Settings) -> bool:
    """Whether the database's disk was found full within the last minute, as far as is known here."""
    try:
        return bool(_quick_redis(settings.redis_url).exists(NO_ROOM))
    except RedisError:
        return False


def worker(installation: Installation) -> OurWorker:
    """One RQ worker on the one queue; `worker(...).work()` blocks, and returns when it is stopped or Redis is lost."""
    work_on(installation)
    tables.complete()
    # What is loaded by now stays: the collector of each forked job need not look at it again.
    gc.collect()
    gc.freeze()
    return OurWorker(
        [_queue(installation.settings)],
        name=f"{worker_name()}-{secrets.token_hex(3)}",
        connection=_redis(installation.settings),
        job_class=OurJob,
        serializer=JSONSerializer,
        default_result_ttl=0,
        worker_ttl=HEARTBEAT_SECONDS * 3,
        job_monitoring_interval=HEARTBEAT_SECONDS,
    )


def run_worker(installation: Installation, burst: bool = False) -> None:
    """Work until a signal says stop; when Redis goes away, wait for it to come back."""
    while not OurWorker.stopping:
        try:
            worker(installation).work(burst=burst, logging_level=installation.settings.log_level)
            if burst:
                break
        except StopRequested:
            break
        except RedisError as error:
            # Also where the queue went away first and the signal came while its worker said so.
            log.warning("queue_unreachable", error=type(error).__name__)
        with suppress(StopRequested, RedisError):  # the last worker's handler still hears the signal
            time.sleep(RECONNECT_SECONDS if not OurWorker.stopping else 0)
    with installation.database.write() as session:
        heartbeats.leave(session, worker_name())


def worker_name() -> str:
    """This process, as leases and heartbeats name it."""
    return f"{socket.gethostname()}-{os.getpid()}"


def _drain(_signum: int, _frame: FrameType | None) -> None:
    global _draining
    _draining = True


@cache
def _connect(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=30)


@cache
def _quick_redis(url: str) -> Redis:
    """A member waits on this one: a server that hangs must not keep them."""
    return Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5)


def _redis(settings: Settings) -> Redis:
    return _connect(settings.redis_url)


def _queue(settings: Settings) -> Queue:
    return Queue(QUEUE, connection=_redis(settings), job_class=OurJob, serializer=JSONSerializer)
