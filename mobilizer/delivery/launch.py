"""Delivery: launch. Freezes the audience into one delivery row per member, chunk by chunk, and can go on anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    SQLColumnExpression,
    String,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Session

from mobilizer.audience.audience import audience, first_after
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState, Rendition
from mobilizer.db import BigId, clock
from mobilizer.delivery.holds import RETRY_SECONDS
from mobilizer.delivery.ledger import MEMBERS, Batch, BatchState, Delivery, DeliveryState, numbered
from mobilizer.failpoints import Point, reach
from mobilizer.installation import Installation
from mobilizer.languages import CaughtBy, Choice, choose
from mobilizer.problems import N_, Problem

# So many member numbers a transaction: few enough that nobody who writes meanwhile waits long.
CHUNK = 50_000
UNFROZEN = Problem("held.unfrozen", N_("The list of who gets it could not be written down. Nothing has been sent yet."))
STEPS = tuple(CaughtBy)


def freeze(installation: Installation, blast_id: int, chunk: int = CHUNK) -> None:
    """Freeze the whole audience, then let the blast send. Each chunk and its cursor commit together.

    Where that fails again and again the blast is held: resumed, it goes on with what is left.
    """
    try:
        while _froze(installation, blast_id, chunk):
            pass
    except Exception:
        _note_trouble(installation, blast_id)
        raise


def _froze(installation: Installation, blast_id: int, chunk: int) -> bool:
    with installation.database.write() as session:
        more = freeze_chunk(session, blast_id, installation.settings.batch_size, chunk)
        reach(Point.FREEZE_BEFORE_COMMIT)
    reach(Point.FREEZE_AFTER_COMMIT)
    return more


def _note_trouble(installation: Installation, blast_id: int) -> None:
    """Count a failure against the blast: after so many in a row it must not stay as it is with nobody told."""
    with installation.database.write() as session:
        troubles = session.scalar(
            update(Blast)
            .where(Blast.id == blast_id, Blast.state == BlastState.LAUNCHING)
            .values(troubles=Blast.troubles + 1)
            .execution_options(synchronize_session=False)
            .returning(Blast.troubles)
        )
        if troubles is not None and troubles >= installation.settings.hold_after:
            lifecycle.hold(session, blast_id, UNFROZEN, RETRY_SECONDS, start=(BlastState.LAUNCHING,))


def freeze_chunk(session: Session, blast_id: int, batch_size: int, chunk: int = CHUNK) -> bool:
    """Freeze the next members after the blast's cursor, in a transaction of its own; False once all are frozen,
    it isn't launching, or someone else is freezing it."""
    _see_one_moment(session)
    blast = session.get(Blast, blast_id, with_for_update={"skip_locked": True})
    if blast is None or blast.state != BlastState.LAUNCHING:
        return False
    included = lifecycle.lists_of(session, blast.id, included=True)
    first = session.scalar(first_after(included, blast.frozen_up_to))
    if first is None:
        lifecycle.send(session, blast_id)
        return False
    after, up_to = first - 1, first - 1 + chunk
    people = audience(included, lifecycle.lists_of(session, blast.id, included=False), after, up_to)
    _write(session, blast, people, _choices(session, blast, after, up_to), batch_size)
    _count(session, blast.id, after, up_to)
    blast.frozen_up_to, blast.troubles = up_to, 0
    return True


def _see_one_moment(session: Session) -> None:
    """Several statements ask who is in the chunk: whoever joins or changes meanwhile must not make them disagree."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


@dataclass(frozen=True, slots=True)
class _Choices:
    """What each pair of languages is given, the commonest pair first; `languages` are all that the blast is sent in."""

    languages: Sequence[str]
    pairs: Sequence[tuple[str, str | None, Choice]]

    def code(self, first: ColumnElement[str], second: ColumnElement[str | None]) -> ColumnElement[int]:
        """The choice for a pair as one number: the place of its language times STEPS, plus the step that caught it."""
        return case(
            *(
                (
                    and_(first == one, second.is_(None) if other is None else second == other),
                    self.languages.index(choice.language) * len(STEPS) + STEPS.index(choice.caught_by),
                )
                for one, other, choice in self.pairs
            )
        )


def _choices(session: Session, blast: Blast, after: int, up_to: int) -> _Choices:
    offered = session.scalars(select(Rendition.language).where(Rendition.blast_id == blast.id)).all()
    pairs = session.execute(
        select(Member.language, Member.second_language)
        .where(Member.id > after, Member.id <= up_to)
        .group_by(Member.language, Member.second_language)
        .order_by(func.count().desc())
    ).all()
    return _Choices(
        sorted({*offered, blast.default_language}),
        [(one, other, choose(one, other, offered, blast.chain, blast.default_language)) for one, other in pairs],
    )


def _write(
    session: Session, blast: Blast, people: Select[int, str, str | None, int], choices: _Choices, batch_size: int
) -> None:
    """One row for each of the people. The batches of the languages take turns, so that these leave side by side."""
    who = people.subquery()
    chosen = select(
        who.c.member_id, who.c.list_id, choices.code(who.c.language, who.c.second_language).label("choice")
    ).subquery()
    language, step = chosen.c.choice // len(STEPS), chosen.c.choice % len(STEPS)
    nth = func.row_number(type_=BigId).over(partition_by=language, order_by=chosen.c.member_id) - 1
    turn = nth // batch_size * len(choices.languages) + language
    row: dict[str, ColumnElement[Any]] = {
        "id": numbered(literal(blast.id, BigId), chosen.c.member_id),
        "blast_id": cast(blast.id, BigId),
        "member_id": chosen.c.member_id,
        "batch_id": literal(_next_batch(session, blast.id), BigId) + turn,
        "list_id": chosen.c.list_id,
        "language": case(dict(enumerate(choices.languages)), value=language),
        "caught_by": case({place: one.value for place, one in enumerate(STEPS)}, value=step),
        "state": cast(DeliveryState.PENDING.value, String),
        # INSERT ... SELECT bypasses the mapped defaults, so they are said once more here.
        "epoch": cast(0, Integer),
        "tries": cast(0, Integer),
        "reason": cast("", String),
        "reply": cast("", String),
    }
    session.execute(insert(Delivery).from_select(list(row), select(*row.values()), include_defaults=False))


def _next_batch(session: Session, blast_id: int) -> int:
    """The first free number of the blast's batches: they are numbered as its deliveries are."""
    last = session.scalar(
        select(func.max(Batch.id)).where(Batch.id.between(numbered(blast_id, 0), numbered(blast_id, MEMBERS - 1)))
    )
    return numbered(blast_id, 1) if last is None else last + 1


def _count(session: Session, blast_id: int, after: int, up_to: int) -> None:
    """The batches of the deliveries just written, with their sizes."""
    batch: dict[str, SQLColumnExpression[Any]] = {
        "id": Delivery.batch_id,
        "blast_id": cast(blast_id, BigId),
        "language": func.min(Delivery.language),
        "state": cast(BatchState.OPEN.value, String),
        "epoch": cast(0, Integer),
        "owner": cast("", String),
        "due_at": clock(),
        "size": func.count(),
    }
    written = (
        select(*batch.values())
        .where(Delivery.id.between(numbered(blast_id, after + 1), numbered(blast_id, up_to)))
        .group_by(Delivery.batch_id)
    )
    session.execute(insert(Batch).from_select(list(batch), written, include_defaults=False))
