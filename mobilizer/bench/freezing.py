"""Bench: freezing. Makes up an audience in an empty database and times how fast launches freeze it."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, case, cast, func, insert, literal, literal_column, null, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import CTE

from mobilizer import tables
from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.bench.weight import weigh
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import BlastState, Rendition
from mobilizer.db import BigId, clock
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.installation import Installation

OFFERED = ("en", "es", "fr")
EVERYONE, FRIENDS, AWAY = 1, 2, 3
LISTS = {EVERYONE: "everyone", FRIENDS: "friends", AWAY: "away"}
# Of 33 members: 3 are away, 1 has left, 10 are friends as well; 1 in 99 is suppressed.
TURN = 33


class NotEmpty(ValueError):
    """The database holds members: a benchmark must not add a million to them."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """How one launch went; `bytes_per_delivery` is of all that there are by then."""

    deliveries: int
    batches: int
    seconds: float
    per_second: int
    peak_rss_mb: int
    bytes_per_delivery: dict[str, float]


def bench_freeze(installation: Installation, members: int, launches: int = 1) -> Iterator[Frozen]:
    """Freeze an audience of about `members` people `launches` times, one blast after another. Raises NotEmpty."""
    tables.complete()
    with installation.database.write() as session:
        _invent(session, members)
    _look_around(installation)
    for nth in range(launches):
        with installation.database.write() as session:
            blast_id = _launched(session, f"bench-{nth + 1}")
        started = time.perf_counter()
        launch.freeze(installation, blast_id)
        yield _frozen(installation, blast_id, time.perf_counter() - started)


def _frozen(installation: Installation, blast_id: int, seconds: float) -> Frozen:
    with installation.database.read() as session:
        people = session.scalar(select(func.count()).where(Delivery.blast_id == blast_id)) or 0
        batches, size = session.execute(
            select(func.count(), func.sum(Batch.size)).where(Batch.blast_id == blast_id)
        ).one()
    if people != size:
        raise AssertionError(f"{people} deliveries, but batches of {size}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return Frozen(people, batches, round(seconds, 3), round(people / seconds), peak, weigh(installation.database))


def _launched(session: Session, slug: str) -> int:
    """A blast of an appeal in three languages, whose words nobody will read."""
    appeal = Appeal(slug=slug, source_language=OFFERED[0])
    session.add(appeal)
    session.flush()
    blast = lifecycle.create(session, appeal, slug, lifecycle.Plan((EVERYONE, FRIENDS), (AWAY,), ("en",)))
    session.add_all([Rendition(blast_id=blast.id, language=tag, content_hash="", compiled="{}") for tag in OFFERED])
    lifecycle.move(session, blast.id, BlastState.READY)
    lifecycle.launch(session, blast.id, blast.revision)
    return blast.id


def _look_around(installation: Installation) -> None:
    """What the database's own housekeeping does sooner or later after a million rows have come."""
    with installation.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE")


def _invent(session: Session, audience: int) -> None:
    """So many members that `audience` of them are reached."""
    if session.scalar(select(Member.id).limit(1)) is not None:
        raise NotEmpty
    session.add_all([MemberList(id=number, slug=slug, name=slug.title()) for number, slug in LISTS.items()])
    session.flush()
    numbers = _numbers(audience * TURN // (TURN - 4))
    n = numbers.c.n
    _fill_members(session, n)
    left = case((n % TURN == 3, Standing.UNSUBSCRIBED.value), else_=Standing.CONFIRMED.value)
    for number, standing, some in (
        (EVERYONE, left, n > 0),
        (FRIENDS, cast(Standing.CONFIRMED.value, String), n % TURN > 22),
        (AWAY, cast(Standing.CONFIRMED.value, String), n % TURN < 3),
    ):
        session.execute(
            insert(Subscription).from_select(
                ["list_id", "member_id", "standing", "joined_at", "how", "wording", "changed_at"],
                select(
                    cast(number, BigId), n, standing, clock(), cast("bench", String), cast("Yes.", String), clock()
                ).where(some),
            )
        )
    session.execute(
        insert(Suppression).from_select(
            ["address_key", "reason", "created_at"],
            select(Member.address_key, cast(SuppressedFor.HARD_BOUNCE.value, String), clock()).where(
                Member.id % (3 * TURN) == 4
            ),
        )
    )


def _numbers(last: int) -> CTE:
    first = select(cast(literal(1), BigId).label("n")).cte("numbers", recursive=True)
    return first.union_all(select(first.c.n + 1).where(first.c.n < last))


def _fill_members(session: Session, n: ColumnElement[int]) -> None:
    """Half read English; the others what is offered, what falls back to it, or what it isn't in at all."""
    key = _key(session, n)
    tags = {tag: n % 10 == rest for rest, tag in enumerate(("es", "es-MX", "fr", "fr-CA", "pt-BR"))}
    session.execute(
        insert(Member).from_select(
            ["id", "address_key", "domain_key", "sealed", "language", "second_language", "attributes", "source",
             "share_code", "created_at"],
            select(
                n, key, func.substr(key, 1, 8), key.op("||")(key), case(*[(some, tag) for tag, some in tags.items()],
                else_="en"), case((n % 7 == 0, "fr"), else_=null()), literal_column("'{}'"), cast("bench", String),
                cast(n, String), clock(),
            ),
        )
    )  # fmt: skip


def _key(session: Session, n: ColumnElement[int]) -> ColumnElement[bytes]:
    """32 bytes without order, as a blind index is."""
    if session.get_bind().dialect.name == "sqlite":
        return func.randomblob(32)
    return func.sha256(func.convert_to(cast(n, String), "UTF8"))
