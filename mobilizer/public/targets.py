"""Public: targets. Where the links of mails lead, known from memory: a click waits for the database at most once.

A blast's links are few, and kept. Its members are many: they are remembered by blocks of neighbours, packed, and the
oldest block is forgotten where there is no more room. What was known stays good while the database is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import structlog
from sqlalchemy import case, select
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.urls import iri_to_uri

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.members import Member
from mobilizer.blasts.blasts import Blast, Link, Rendition
from mobilizer.db import Database
from mobilizer.delivery.ledger import Delivery, numbered

BLOCK = 256  # members
MOST_BLOCKS = 8000  # 2 million members, in about 25 MB
MOST_BLASTS = 1000
KEEP_SECONDS = 300.0
TRAP = 0  # the number of the link that nobody can see: message.values puts it into each mail
PATIENCE_SECONDS = 2.5  # for the database: longer than a busy one takes, shorter than a person waits
AWAY_SECONDS = 5.0  # for which it is not waited for again
MOST_WAITING = 1000  # questions at once: anybody can think up names

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

log = structlog.get_logger()


class Away(Exception):
    """The database does not answer, and what was asked is not known."""


@dataclass(frozen=True, slots=True)
class Lead:
    """Where one link leads: its kind, as blasts.Link has it, its address if that is not ours, and what it is about:
    the appeal, by the name that its pages have in this blast, in the languages of the blast."""

    kind: str
    url: str
    appeal_id: int
    slug: str
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Reader:
    """Who follows a link: the share code they are known by on pages, and the language of their mail."""

    code: str
    language: str


class Block:
    """Neighbours in one blast, packed: a byte for the language and the letters of the code, each at its place."""

    def __init__(self, readers: Mapping[int, Reader]) -> None:
        self._languages = ("", *sorted({reader.language for reader in readers.values()}))
        self._width = 1 + max((len(reader.code) for reader in readers.values()), default=0)
        nobody = bytes(self._width)
        self._packed = b"".join(
            self._pack(readers[place]) if place in readers else nobody for place in range(BLOCK if readers else 0)
        )

    def reader(self, place: int) -> Reader | None:
        """Who is at a place, if anybody."""
        at = place * self._width
        packed = self._packed[at : at + self._width]
        if not packed or not packed[0]:
            return None
        return Reader(packed[1:].rstrip(b"\0").decode(), self._languages[packed[0]])

    def _pack(self, reader: Reader) -> bytes:
        return (bytes([self._languages.index(reader.language)]) + reader.code.encode()).ljust(self._width, b"\0")


class Memory(Generic[Key, Value]):
    """What `ask` says of a key, for so many seconds; longer, while it can't be asked.

    Each asks in threads of its own: who waits for one kind of answer is not behind who waits for another.
    """

    def __init__(self, ask: Callable[[Key], Value], most: int, seconds: float = KEEP_SECONDS) -> None:
        self._ask, self._most, self._seconds = ask, most, seconds
        self._asking = ThreadPoolExecutor(max_workers=2, thread_name_prefix="memory")
        self._known: dict[Key, tuple[float, Value]] = {}
        self._waiting: dict[Key, Future[Value]] = {}
        self._lock = threading.Lock()
        self._away_until = 0.0

    def get(self, key: Key) -> Value:
        """What is known of it, else what is said within PATIENCE_SECONDS. Raises Away."""
        known, begun = self._known.get(key), time.monotonic()
        if known is not None and begun < known[0]:
            return known[1]
        patience = PATIENCE_SECONDS if begun >= self._away_until else 0
        try:
            return self._asked(key, patience)
        except (TookTooLong, SQLAlchemyError) as error:
            if patience:  # who did not wait has not found out that it is still away
                self._away_until = time.monotonic() + AWAY_SECONDS
                if known is None:
                    log.error("target_unknown", error=type(error).__name__)
            if known is None:
                raise Away from error
            return known[1]

    def _asked(self, key: Key, patience: float) -> Value:
        """Ask, all who want to know together. Raises TookTooLong, at once where too many others are waiting."""
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                if len(self._waiting) >= MOST_WAITING:
                    raise TookTooLong
                waiting = self._waiting[key] = self._asking.submit(self._learn, key)
        return waiting.result(patience)

    def _learn(self, key: Key) -> Value:
        try:
            value = self._ask(key)
            with self._lock:
                self._known.pop(key, None)
                while len(self._known) >= self._most:
                    del self._known[next(iter(self._known))]
                self._known[key] = time.monotonic() + self._seconds, value
        finally:
            with self._lock:
                self._waiting.pop(key, None)
        return value


class Targets:
    """The targets of one database's links."""

    def __init__(self, database: Database) -> None:
        self._leads = Memory[int, Mapping[int, Lead]](partial(leads, database), MOST_BLASTS)
        self._blocks = Memory[tuple[int, int], Block](partial(_block, database), MOST_BLOCKS)

    def lead(self, blast: int, n: int) -> Lead | None:
        """Where the n-th link of a blast leads, None where there is no such link. Raises Away."""
        return self._leads.get(blast).get(n)

    def reader(self, blast: int, member: int) -> Reader | None:
        """A member who has a mail of this blast and is still there. Raises Away."""
        block, place = divmod(member, BLOCK)
        return self._blocks.get((blast, block)).reader(place)


def leads(database: Database, blast: int) -> Mapping[int, Lead]:
    """The links of a blast, by their numbers, as the database has them now."""
    asked = (
        select(Link.n, Link.kind, Link.url, Appeal.id, case((Blast.frozen_discreet, Appeal.code), else_=Appeal.slug))
        .join(Blast, Blast.id == Link.blast_id)
        .join(Appeal, Appeal.id == Blast.appeal_id)
        .where(Link.blast_id == blast)
    )
    with database.read() as session:
        rows = session.execute(asked).all()
        languages = frozenset(session.scalars(select(Rendition.language).where(Rendition.blast_id == blast)))
    found = {
        n: Lead(kind, iri_to_uri(url) if kind == "url" else "", appeal, slug, languages)
        for n, kind, url, appeal, slug in rows
        if kind != "url" or _is_web(url)
    }
    # Whoever comes by the link that nobody can see arrives, too.
    film = next((lead for lead in found.values() if lead.kind == "watch"), None)
    return {TRAP: film, **found} if film else found


def _is_web(url: str) -> bool:
    return url.lower().startswith(("https://", "http://", "mailto:"))


def _block(database: Database, key: tuple[int, int]) -> Block:
    blast, block = key
    first = numbered(blast, block * BLOCK)
    asked = (
        select(Delivery.member_id, Delivery.language, Member.share_code)
        .join(Member, Member.id == Delivery.member_id)
        .where(Delivery.id.between(first, first + BLOCK - 1))
    )
    with database.read() as session:
        rows = session.execute(asked).all()
    return Block({member % BLOCK: Reader(code, language) for member, language, code in rows})
