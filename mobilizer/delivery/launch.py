"""Delivery: launch. Freezes the audience into one delivery row per member, chunk by chunk, and can go on anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Integer, String, cast, column, func, insert, select, values
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import CTE, Subquery

from mobilizer.audience.audience import audience
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState, Rendition
from mobilizer.db import BigId
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState
from mobilizer.installation import Installation
from mobilizer.languages import choose

BATCHES_PER_CHUNK = 20


def freeze(installation: Installation, blast_id: int) -> None:
    """Freeze the whole audience, then let the blast send. Each chunk and its cursor commit together."""
    more = True
    while more:
        with installation.database.write() as session:
            more = freeze_chunk(session, blast_id, installation.settings.batch_size)


def freeze_chunk(session: Session, blast_id: int, batch_size: int) -> bool:
    """Freeze the next members after the blast's cursor, in a transaction of its own; False once all are frozen,
    it isn't launching, or someone else is freezing it."""
    _see_one_moment(session)
    blast = session.get(Blast, blast_id, with_for_update={"skip_locked": True})
    if blast is None or blast.state != BlastState.LAUNCHING:
        return False
    people = _next_people(session, blast, batch_size * BATCHES_PER_CHUNK)
    last = session.scalar(select(func.max(people.c.member_id)))
    if last is None:
        lifecycle.move(session, blast_id, BlastState.SENDING)
        return False
    _write_rows(session, blast, people, batch_size)
    blast.frozen_up_to = last
    return True


def _see_one_moment(session: Session) -> None:
    """Several statements ask who is in the chunk: whoever joins or changes meanwhile must not make them disagree."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _next_people(session: Session, blast: Blast, limit: int) -> Subquery:
    everybody = audience(
        lifecycle.lists_of(session, blast.id, included=True), lifecycle.lists_of(session, blast.id, included=False)
    ).subquery()
    return (
        select(everybody)
        .where(everybody.c.member_id > blast.frozen_up_to)
        .order_by(everybody.c.member_id)
        .limit(limit)
        .subquery()
    )


def _write_rows(session: Session, blast: Blast, people: Subquery, batch_size: int) -> None:
    placed = _placed(session, blast, people, batch_size)
    sizes = session.execute(
        select(placed.c.gets, placed.c.ordinal, func.count()).group_by(placed.c.gets, placed.c.ordinal)
    ).all()
    batches = _new_batches(session, blast.id, [(gets, ordinal, size) for gets, ordinal, size in sizes])
    session.execute(
        insert(Delivery).from_select(
            ["blast_id", "member_id", "batch_id", "list_id", "language", "caught_by", "state", *_ZEROES],
            select(
                cast(blast.id, BigId),
                placed.c.member_id,
                batches.c.batch_id,
                placed.c.list_id,
                placed.c.gets,
                placed.c.caught_by,
                cast(DeliveryState.PENDING.value, String),
                *[cast(value, Integer if isinstance(value, int) else String) for value in _ZEROES.values()],
            ).join(batches, (batches.c.gets == placed.c.gets) & (batches.c.ordinal == placed.c.ordinal)),
        )
    )


# INSERT ... SELECT bypasses the mapped defaults, so they are said once more here.
_ZEROES: dict[str, int | str] = {"epoch": 0, "tries": 0, "reason": "", "reply": ""}


def _placed(session: Session, blast: Blast, people: Subquery, batch_size: int) -> Subquery:
    """The people with the language each gets, the step that caught it, and the ordinal of their batch."""
    offered = session.scalars(select(Rendition.language).where(Rendition.blast_id == blast.id)).all()
    pairs = session.execute(select(people.c.language, people.c.second_language).distinct()).all()
    rows = []
    for first, second in pairs:
        choice = choose(first, second, offered, blast.chain, blast.default_language)
        rows.append((first, second or "", choice.language, choice.caught_by.value))
    choices = (
        values(
            column("first", String), column("second", String), column("gets", String), column("caught_by", String),
            name="choices",
        )
        .data(rows or [("", "", "", "")])
        .cte("choice")
    )  # fmt: skip
    nth = func.row_number().over(partition_by=choices.c.gets, order_by=people.c.member_id) - 1
    return (
        select(
            people.c.member_id,
            people.c.list_id,
            choices.c.gets,
            choices.c.caught_by,
            cast(func.floor(nth / batch_size), Integer).label("ordinal"),
        )
        .join(
            choices,
            (choices.c["first"] == people.c.language)
            & (choices.c.second == func.coalesce(people.c.second_language, "")),
        )
        .subquery()
    )


def _new_batches(session: Session, blast_id: int, places: Sequence[tuple[str, int, int]]) -> CTE:
    batches = [Batch(blast_id=blast_id, language=gets, state=BatchState.OPEN, size=size) for gets, _, size in places]
    session.add_all(batches)
    session.flush()
    rows = [(batch.id, gets, ordinal) for batch, (gets, ordinal, _) in zip(batches, places, strict=True)]
    return (
        values(column("batch_id", BigId), column("gets", String), column("ordinal", Integer), name="new")
        .data(rows)
        .cte("new_batches")
    )
