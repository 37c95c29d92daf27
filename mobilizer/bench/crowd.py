"""Bench: the crowd. Members by the million, with what years leave behind: lists, blasts, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Integer,
    SQLColumnExpression,
    String,
    Table,
    case,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from mobilizer.appeals.files import put_appeal
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.bench import loading, people
from mobilizer.bench.words import words
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import BigId, clock
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState, numbered
from mobilizer.demo.contents import FOLDER
from mobilizer.demo.names import TONGUES
from mobilizer.engagement.events import Event, EventKind
from mobilizer.installation import Installation

CHUNK = 20_000
TABLES = ("members", "subscriptions", "suppressions", "deliveries", "events")
# Slug, name, and every how many are on it.
LISTS = (("everyone", "Everyone", 1), ("film-nights", "Film nights", 3), ("press", "Press", 50))
RELAY, PROVIDER, REPLY = "relay", "example", "250 2.0.0 Ok: queued as 4fXq2Ld9Gz3kTn"
# Of each hundred who got a mail: how many open it, click, watch, share.
ACTS = ((EventKind.OPEN, 25), (EventKind.CLICK, 5), (EventKind.WATCH, 3), (EventKind.SHARE, 1))
_MEMBERS = cast(Table, Member.__table__)


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was made, by number: the lists, and the blasts that were sent to the first and to the second."""

    lists: tuple[int, ...]
    blasts: tuple[int, int]


def fill(installation: Installation, count: int) -> Crowd:
    """Fill an empty database with `count` members, three lists and two blasts that are over."""
    database = installation.database
    with loading.bare(database, TABLES):
        _join(installation, count)
        with database.write() as session:
            lists = tuple(_list(session, slug, name, every) for slug, name, every in LISTS)
            _suppress(session)
        with database.write() as session:
            made = put_appeal(session, installation.settings.media, words(), FOLDER)
            drafts = [lifecycle.create(session, made, f"earlier-{n}", lifecycle.Plan((lists[n],))) for n in (0, 1)]
            blasts = tuple(blast.id for blast in drafts)
        for blast, one in zip(blasts, lists, strict=False):
            with database.write() as session:
                _send(session, blast, one)
    _look_around(installation)
    return Crowd(lists, (blasts[0], blasts[1]))


def _join(installation: Installation, count: int) -> None:
    with installation.database.read() as session:
        now = session.scalars(select(clock())).one()
    rows = _members(installation, count, now)
    while chunk := list(islice(rows, CHUNK)):
        with installation.database.write() as session:
            loading.write(session, _MEMBERS, chunk)


def _members(installation: Installation, count: int, now: datetime) -> Iterator[dict[str, Any]]:
    """Members of every tongue we have names in; one of twenty was brought in by somebody."""
    for row in people.members(installation.keyring, count, now, tuple(TONGUES)):
        yield {**row, "recruited_by_id": row["id"] // 3 if row["id"] % 20 == 7 and row["id"] > 3 else None}


def _of_hundred(number: SQLColumnExpression[int], some: int, salt: int) -> ColumnElement[bool]:
    """Whether a member is among `some` of each hundred; another `salt` takes others, and both no neighbours."""
    return (number % 1_000_003 * 48_271 + salt) % 100 < some


def _list(session: Session, slug: str, name: str, every: int) -> int:
    made = MemberList(slug=slug, name=name)
    session.add(made)
    session.flush()
    standing = case(
        (_of_hundred(Member.id, 4, made.id), Standing.UNSUBSCRIBED.value),
        (_of_hundred(Member.id, 5, made.id), Standing.PENDING.value),
        else_=Standing.CONFIRMED.value,
    )
    row: dict[str, SQLColumnExpression[Any]] = {
        "list_id": as_type(made.id, BigId),
        "member_id": Member.id,
        "standing": standing,
        "joined_at": Member.created_at,
        "how": as_type("import", String),
        "wording": as_type("I want news of the campaign.", String),
        "changed_at": Member.created_at,
    }
    chosen = select(*row.values()).where(Member.id % every == 0).order_by(Member.id)
    session.execute(insert(Subscription).from_select(list(row), chosen))
    return made.id


def _suppress(session: Session) -> None:
    chosen = select(Member.address_key, as_type(SuppressedFor.HARD_BOUNCE.value, String), clock())
    some = chosen.where(_of_hundred(Member.id, 1, 50))
    session.execute(insert(Suppression).from_select(["address_key", "reason", "created_at"], some))


def _send(session: Session, blast: int, list_id: int) -> None:
    """A blast that is over: of a hundred mails two were skipped and one refused."""
    session.execute(
        update(Blast)
        .where(Blast.id == blast)
        .values(state=BlastState.SENT, launched_at=clock(-90_000 * blast), finished_at=clock(-80_000 * blast))
    )
    _deliver(session, blast, list_id)
    ledger = select(
        Delivery.batch_id, Delivery.blast_id, Delivery.language, literal(BatchState.DONE.value), func.count()
    )
    batches = ledger.where(Delivery.blast_id == blast).group_by(*list(ledger.selected_columns)[:3])
    columns = ["id", "blast_id", "language", "state", "size"]
    fixed = batches.add_columns(literal(1), literal(""), clock())
    session.execute(insert(Batch).from_select([*columns, "epoch", "owner", "due_at"], fixed))
    for salt, (kind, some) in enumerate(ACTS):
        _act(session, blast, kind, some, 100 * blast + 7 * salt)


def _deliver(session: Session, blast: int, list_id: int) -> None:
    tongues = tuple(TONGUES)
    language = func.substr(Member.language, 1, 2)
    place = case({tag: at for at, tag in enumerate(tongues)}, value=language, else_=0)
    state = case(
        (_of_hundred(Member.id, 1, 20), DeliveryState.REJECTED.value),
        (_of_hundred(Member.id, 3, 20), DeliveryState.SKIPPED.value),
        else_=DeliveryState.ACCEPTED.value,
    )
    row: dict[str, SQLColumnExpression[Any]] = {
        "id": numbered(literal(blast, BigId), Member.id),
        "blast_id": as_type(blast, BigId),
        "member_id": Member.id,
        "batch_id": numbered(blast, 1) + Member.id // 8000 * len(tongues) + place,
        "list_id": as_type(list_id, BigId),
        "language": language,
        "caught_by": as_type("exact", String),
        "state": state,
        "epoch": as_type(1, Integer),
        "tries": as_type(1, Integer),
        "reason": as_type("", String),
        "reply": as_type(REPLY, String),
        "settled_at": clock(-85_000 * blast),
        "relay": as_type(RELAY, String),
        "provider": as_type(PROVIDER, String),
    }
    people = (
        select(*row.values())
        .join(Subscription, (Subscription.member_id == Member.id) & (Subscription.list_id == list_id))
        .where(Subscription.standing == Standing.CONFIRMED)
        .order_by(Member.id)
    )
    session.execute(insert(Delivery).from_select(list(row), people, include_defaults=False))


def _act(session: Session, blast: int, kind: EventKind, some: int, salt: int) -> None:
    """What people did with a blast; every fifth opening was a machine's."""
    machine = case((Delivery.member_id % 5 == 0, "proxy"), else_="") if kind is EventKind.OPEN else literal("")
    row: dict[str, SQLColumnExpression[Any]] = {
        "kind": as_type(kind.value, String),
        "at": clock(-80_000 * blast),
        "blast_id": Delivery.blast_id,
        "member_id": Delivery.member_id,
        "link_n": as_type(1, Integer) if kind is EventKind.CLICK else null(),
        "language": Delivery.language,
        "channel": as_type("mail", String),
        "machine": machine,
    }
    did = select(*row.values()).where(
        Delivery.blast_id == blast,
        Delivery.state == DeliveryState.ACCEPTED,
        _of_hundred(Delivery.member_id, some, salt),
    )
    session.execute(insert(Event).from_select(list(row), did, include_defaults=False))


def _look_around(installation: Installation) -> None:
    """What the database's own housekeeping has long done where members have come over the years."""
    with installation.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE" if connection.dialect.name == "postgresql" else "ANALYZE")
