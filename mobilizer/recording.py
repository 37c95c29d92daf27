"""Jobs: recording what members did. Hits wait in this process for a moment, then in the queue, until they are written.

A hit is at risk for as long as it is in this process alone: BUFFER_SECONDS. Then it is in the queue's server or, where
that is away, in a file of the home folder, from which it goes on by itself.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import cast
from weakref import WeakKeyDictionary, ref

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import LockError, RedisError
from redis.retry import Retry
from sqlalchemy import select

from mobilizer.db import Database, clock
from mobilizer.engagement.damaged import FOLDER, forget_damaged, lay_aside, lay_aside_file, record_readable
from mobilizer.engagement.hits import Hit, Parcel
from mobilizer.installation import Installation

HITS = "mobilizer:hits"  # a list of parcels
ASIDE = "mobilizer:hits:aside"  # damaged ones, until a disk has room for them
BUFFER_SECONDS = 0.05
PUSH_SECONDS = 0.1  # a queue's server that takes longer is away
AWAY_SECONDS = 1.0  # between two tries to reach one that is away
HITS_IN_PARCEL = 1000
CARE_SECONDS = 30.0  # between two looks at the database's clock
ALIKE_SECONDS = 0.1  # clocks that differ by less are alike
PARCELS_AT_ONCE = 10
MOST_IN_HAND = 500  # parcels, where neither queue nor disk nor database takes any
LOCK_SECONDS = 60

log = structlog.get_logger()


class Buffer:
    """The hits of this process on their way out of it. A thread carries them, while there are any."""

    def __init__(self, redis_url: str, home: Path, database: Database) -> None:
        self._redis_url, self._home, self._database = redis_url, home, ref(database)
        self._folder = home / FOLDER
        self._hits: deque[Hit] = deque()
        self._in_hand: deque[Parcel] = deque()
        self._lock = threading.RLock()  # of who empties the buffer
        self._bringing = threading.Lock()  # of who brings on what had to be put down
        self._caring = threading.Lock()  # of who looks at the clock
        self._busy = False
        self._away_until = self._bring_from = self._care_from = 0.0
        self._ahead = 0.0  # seconds of the database's clock before this machine's: mails are settled by that one
        self._left_behind = True  # maybe, by a process before this one

    def note(self, hit: Hit) -> None:
        """Take a hit; it costs no more than that."""
        self._hits.append(hit)
        # Who finds the thread busy has put its hit before it: the thread looks once more after it has said it is idle.
        if not self._busy:
            self._begin()

    def flush(self) -> None:
        """Put every hit where it outlives this process: into the queue's server, else into a file."""
        with self._lock:
            for parcel in self._parcels():
                if not self._push(parcel.packed().encode()):
                    self._put_down(parcel)

    def settle(self) -> None:
        """Flush, and bring on what had to be put down, into the database where the queue's server is away."""
        self.flush()
        self._bring_on()
        with self._caring:  # what was begun ends here
            pass

    def _begin(self) -> None:
        with self._lock:
            if self._busy:
                return
            self._busy = True
        try:
            threading.Thread(target=self._carry, name="hits", daemon=True).start()
        except RuntimeError:  # this process ends, or can't have one thread more
            self._busy = False
            self.flush()

    def _carry(self) -> None:
        while True:
            if time.monotonic() >= self._care_from and self._caring.acquire(blocking=False):
                self._care_from = time.monotonic() + CARE_SECONDS
                threading.Thread(target=self._care, name="hits-care", daemon=True).start()
            time.sleep(BUFFER_SECONDS)
            self.flush()
            if self._left_behind and time.monotonic() >= self._bring_from and not self._bringing.locked():
                threading.Thread(target=self._bring_on, name="hits-left", daemon=True).start()
            self._busy = False
            if not (self._hits or self._left_behind) or not self._take_up():
                return

    def _care(self) -> None:
        """Learn the database's time, and forget what was laid aside on this machine too long ago."""
        try:
            if database := self._database():
                self._ahead = ahead(database)
            forget_damaged(self._home)
        except Exception as error:
            # The edge of a thread: what was known stays good.
            log.warning("clock_unknown", error=type(error).__name__)
        finally:
            self._caring.release()

    def _take_up(self) -> bool:
        """Whether this thread is the one who goes on."""
        with self._lock:
            if self._busy:
                return False
            self._busy = True
            return True

    def _parcels(self) -> Iterator[Parcel]:
        while self._hits:
            hits: list[Hit] = []
            with suppress(IndexError):
                while len(hits) < HITS_IN_PARCEL:
                    hits.append(self._hits.popleft())
            if self._ahead:
                hits = [hit._replace(at=hit.at + self._ahead) for hit in hits]
            yield Parcel(secrets.token_hex(16), hits)

    def _push(self, packed: bytes) -> bool:
        if time.monotonic() < self._away_until:
            return False
        try:
            _quick(self._redis_url).rpush(HITS, packed)
        except RedisError as error:
            self._away_until = time.monotonic() + AWAY_SECONDS
            log.warning("queue_unreachable", work="hits", error=type(error).__name__)
            return False
        return True

    def _put_down(self, parcel: Parcel) -> None:
        self._left_behind = True
        beside = self._folder / f".{parcel.name}"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            with beside.open("w", encoding="utf-8") as file:
                file.write(parcel.packed())
            beside.rename(self._folder / f"{parcel.name}.json")
        except OSError as error:
            with suppress(OSError):
                beside.unlink()  # half of it may be there
            self._in_hand.append(parcel)
            log.error("hits_not_written", error=type(error).__name__)
            while len(self._in_hand) > MOST_IN_HAND:
                log.error("hits_lost", hits=len(self._in_hand.popleft().hits))

    def _bring_on(self) -> None:
        """Take what lies in files and in hand to the queue, else to the database. What fails is tried again."""
        with self._bringing:
            self._left_behind = False
            try:
                for path in sorted(self._folder.glob("*.json")):
                    self._bring_file(path)
                for _ in range(len(self._in_hand)):
                    self._bring_from_hand()
            except Exception as error:
                # The edge of a thread: what it carries stays where it is, whatever is wrong with the way.
                log.error("hits_wait", error=type(error).__name__)
                self._left_behind, self._bring_from = True, time.monotonic() + AWAY_SECONDS

    def _bring_file(self, path: Path) -> None:
        with suppress(FileNotFoundError):  # another process of this home was faster
            packed = path.read_bytes()
            if self._bring(packed):
                path.unlink()
            else:
                lay_aside_file(path, packed)

    def _bring_from_hand(self) -> None:
        packed = self._in_hand[0].packed().encode()
        if not self._bring(packed):
            try:
                lay_aside(self._home, packed)
            except OSError:
                self._in_hand.rotate(-1)  # the others first
                self._left_behind = True
                return
        self._in_hand.popleft()

    def _bring(self, packed: bytes) -> bool:
        """Whether a parcel went on; not if it is damaged."""
        if self._push(packed):
            return True
        database = self._database()
        if database is None:
            raise ReferenceError("the database was closed")
        return not record_readable(database, [packed])


_buffers: WeakKeyDictionary[Database, Buffer] = WeakKeyDictionary()
_making = threading.Lock()


def buffer_of(installation: Installation) -> Buffer:
    """The one buffer of this process for an installation."""
    with _making:
        found = _buffers.get(installation.database)
        if found is None:
            settings = installation.settings
            found = Buffer(settings.redis_url, settings.home, installation.database)
            _buffers[installation.database] = found
            # Runs when a process ends, also one that a web server forked, which `atexit` does not know.
            Finalize(found, Buffer.flush, args=(found,), exitpriority=1)
    return found


def settle(database: Database) -> None:
    """Bring on all that this process still has for a database that is about to be closed."""
    if found := _buffers.get(database):
        found.settle()


def hits_waiting(installation: Installation) -> int:
    """How many parcels of hits wait in the queue's server. Raises RedisError."""
    return int(_steady(installation.settings.redis_url).llen(HITS))


def drain_hits(installation: Installation, _number: int = 0) -> None:
    """Move the parcels that wait in the queue's server into the database, some of them a transaction."""
    redis = _steady(installation.settings.redis_url)
    lock = redis.lock(f"{HITS}:lock", timeout=LOCK_SECONDS)
    if not lock.acquire(blocking=False):
        return  # another worker drains
    try:
        # Committed first, forgotten after: a crash between brings a parcel again, which is not recorded again.
        while raw := cast("list[bytes]", redis.lrange(HITS, 0, PARCELS_AT_ONCE - 1)):
            for packed in record_readable(installation.database, raw):
                redis.rpush(ASIDE, packed)  # where no disk is full
            # By what they are, not by how many: if this took longer than the lock holds, another worker was here.
            with redis.pipeline(transaction=False) as pipe:
                for packed in raw:
                    pipe.lrem(HITS, 1, packed)  # type: ignore[arg-type]  # bytes are taken as they are
                pipe.execute()
            lock.reacquire()
        _lay_aside(redis, installation.settings.home)
    finally:
        with suppress(LockError):
            lock.release()


def ahead(database: Database) -> float:
    """How many seconds the database's clock is ahead of this machine's, by the quickest of three answers; 0 where the
    two may be alike. Raises SQLAlchemyError."""
    answers: list[tuple[float, float]] = []
    with database.read() as session:
        for _ in range(3):
            asked = time.time()
            said = session.scalars(select(clock())).one()
            heard = time.time()
            answers.append((heard - asked, said.timestamp() - (asked + heard) / 2))
    took, found = min(answers)
    return found if abs(found) > took / 2 + ALIKE_SECONDS else 0.0


def _lay_aside(redis: Redis, home: Path) -> None:
    """Put what is damaged on the disk of this machine, and let go what lies there for too long. Where there is no room
    it stays in the queue's server."""
    while packed := cast("bytes | None", redis.lindex(ASIDE, 0)):
        try:
            lay_aside(home, packed)
        except OSError as error:
            log.error("hits_not_written", error=type(error).__name__)
            return
        redis.lpop(ASIDE)
    forget_damaged(home)


@cache
def _quick(url: str) -> Redis:
    """Hits are at risk while this one is waited for. Once is enough: what fails is kept, and comes again."""
    return Redis.from_url(
        url, socket_connect_timeout=PUSH_SECONDS, socket_timeout=PUSH_SECONDS, retry=Retry(NoBackoff(), 0)
    )


@cache
def _steady(url: str) -> Redis:
    return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=30)
