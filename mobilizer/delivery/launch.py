"""Delivery: launch. Freezes the audience into one delivery row per member, chunk by chunk, and can go on anywhere."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CreateTableAs,
    Integer,
    Select,
    String,
    Table,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session
from sqlalchemy.schema import DropTable

from mobilizer.audience.audience import audience, first_after
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.drawn import keep
from mobilizer.blasts.narrowing import CannotChoose, Whom, narrowing_of, unnarrowed
from mobilizer.db import BigId, disk_is_full
from mobilizer.delivery import turns, waves
from mobilizer.delivery.holds import RETRY_SECONDS, note_full_disk
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.delivery.planning import PART, STEPS, Plan, planned
from mobilizer.failpoints import Point, reach
from mobilizer.installation import Installation
from mobilizer.problems import N_, Problem

# So many member numbers a transaction: few enough that nobody who writes meanwhile waits long.
CHUNK = 100_000
UNFROZEN = Problem("held.unfrozen", N_("The list of who gets it could not be written down. Nothing has been sent yet."))


def freeze(installation: Installation, blast_id: int, chunk: int = CHUNK, whom: Whom = unnarrowed) -> None:
    """Freeze the whole audience, then let the blast send. Each chunk and its cursor commit together.

    `whom` says how the blast is narrowed. Where it can't, or freezing fails again and again, the blast is held:
    resumed, it goes on with what is left.
    """
    try:
        while _froze(installation, _Order(blast_id, installation.settings.batch_size, chunk, whom)):
            pass
    except CannotChoose as error:
        with installation.database.write() as session:
            lifecycle.hold(session, blast_id, error.problem, None, start=(BlastState.LAUNCHING,))
    except Exception as error:
        _note_trouble(installation, blast_id, error)
        raise


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be frozen, and how."""

    blast_id: int
    batch_size: int
    chunk: int
    whom: Whom


@dataclass(frozen=True, slots=True)
class _Piece:
    """Members of a blast to freeze: those numbered above `first - 1` and no higher than `up_to`, of whom the blast has
    none yet: its cursor is, or will be, at `cursor`."""

    blast: Blast
    cursor: int
    first: int
    up_to: int


def _froze(installation: Installation, order: _Order) -> bool:
    """Freeze the next piece and, where the database has several writers, at the same time the one after it; False
    once all are frozen.

    The second is written in a transaction of its own that moves the cursor on when the first has committed, or not at
    all: whatever stops either, the cursor stands at the end of what is written.
    """
    committed = Future[bool]()
    with ThreadPoolExecutor(1) as other:
        second: Future[None] | None = None
        try:
            with installation.database.write() as session:
                piece = _taken(session, order)
                if piece is not None:
                    if _has_second(session, order, piece):
                        second = other.submit(_freeze_behind, installation, order, piece.up_to, committed)
                    _freeze_piece(session, order, piece)
                reach(Point.FREEZE_BEFORE_COMMIT)
            committed.set_result(True)
        finally:
            if not committed.done():
                committed.set_result(False)
        reach(Point.FREEZE_AFTER_COMMIT)
        if second is not None:
            second.result()
    return piece is not None


def _freeze_behind(installation: Installation, order: _Order, cursor: int, committed: Future[bool]) -> None:
    """Freeze the piece at `cursor` while the one before it is written, and commit behind it."""
    with installation.database.write() as session:
        blast = session.get_one(Blast, order.blast_id)
        piece = _next(session, blast, cursor, order)
        if piece is None or not _alone(session, order.blast_id, cursor):
            return
        session.expunge(blast)  # the row is moved on below, by a condition
        _write_piece(session, order, piece)
        reach(Point.FREEZE_BEFORE_COMMIT)
        if not committed.result() or not _moved(session, piece):
            session.rollback()
            return
    reach(Point.FREEZE_AFTER_COMMIT)


def _note_trouble(installation: Installation, blast_id: int, error: Exception) -> None:
    """Count a failure against the blast: after so many in a row it must not stay as it is with nobody told."""
    with installation.database.write() as session:
        if disk_is_full(error):
            note_full_disk(session, blast_id)
            return
        troubles = session.scalar(
            update(Blast)
            .where(Blast.id == blast_id, Blast.state == BlastState.LAUNCHING)
            .values(troubles=Blast.troubles + 1)
            .execution_options(synchronize_session=False)
            .returning(Blast.troubles)
        )
        if troubles is not None and troubles >= installation.settings.hold_after:
            lifecycle.hold(session, blast_id, UNFROZEN, RETRY_SECONDS, start=(BlastState.LAUNCHING,))


def freeze_chunk(session: Session, blast_id: int, batch_size: int, chunk: int = CHUNK, whom: Whom = unnarrowed) -> bool:
    """Freeze the next members after the blast's cursor, in a transaction of its own; False once all are frozen,
    it isn't launching, or someone else is freezing it. Raises blasts.narrowing.CannotChoose."""
    order = _Order(blast_id, batch_size, chunk, whom)
    piece = _taken(session, order)
    if piece is None:
        return False
    _freeze_piece(session, order, piece)
    return True


def _taken(session: Session, order: _Order) -> _Piece | None:
    """The piece at the blast's cursor, for this transaction alone; None if there is nobody left, and the blast may
    send, or if it is not ours to freeze."""
    # NO KEY: whoever writes batches of this blast behind us may refer to it meanwhile.
    locked = {"skip_locked": True, "key_share": True}
    blast = session.get(Blast, order.blast_id, with_for_update=locked)
    if blast is None or blast.state != BlastState.LAUNCHING or not _alone(session, blast.id, blast.frozen_up_to):
        return None
    piece = _next(session, blast, blast.frozen_up_to, order)
    if piece is None:
        lifecycle.send(session, blast.id)
    return piece


def _next(session: Session, blast: Blast, cursor: int, order: _Order) -> _Piece | None:
    included = lifecycle.lists_of(session, blast.id, included=True)
    first = session.scalar(first_after(included, cursor))
    return None if first is None else _Piece(blast, cursor, first, first - 1 + order.chunk)


def _has_second(session: Session, order: _Order, piece: _Piece) -> bool:
    """Whether the piece after one can be written beside it. Not beside the first of a blast that is narrowed or leaves
    in waves: who was drawn there, and into which wave, is seen when it has committed. Nor where each is written alone.
    """
    first = not piece.cursor and (piece.blast.narrowing or _in_parts(piece.blast))
    if not _has_many_writers(session) or first or _capped(piece.blast):
        return False
    return _next(session, piece.blast, piece.up_to, order) is not None


def _capped(blast: Blast) -> bool:
    """Whether a frequency cap, or that people get one follow-up only, looks at what other blasts write."""
    kept = narrowing_of(blast.narrowing)
    return kept.most > 0 or kept.follows > 0


def _has_many_writers(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _alone(session: Session, blast_id: int, cursor: int) -> bool:
    """Whether nobody else freezes the piece at a cursor, until this transaction ends. Who commits behind another
    has no lock on the blast for a moment: it is this one that keeps others from the same members."""
    if not _has_many_writers(session):
        return True
    locked: bool = session.scalars(select(func.pg_try_advisory_xact_lock(numbered(blast_id, cursor)))).one()
    return locked


def _freeze_piece(session: Session, order: _Order, piece: _Piece) -> None:
    _write_piece(session, order, piece)
    piece.blast.frozen_up_to, piece.blast.troubles = piece.up_to, 0


def _moved(session: Session, piece: _Piece) -> bool:
    """Move the cursor over a piece; False if it isn't where it should be, or nothing is to be frozen any more."""
    here = (Blast.id == piece.blast.id, Blast.state == BlastState.LAUNCHING, Blast.frozen_up_to == piece.cursor)
    moved = update(Blast).where(*here).values(frozen_up_to=piece.up_to, troubles=0).returning(Blast.id)
    return session.scalar(moved) is not None


def _write_piece(session: Session, order: _Order, piece: _Piece) -> None:
    blast, after = piece.blast, piece.first - 1
    (turns.alone if _capped(blast) else turns.beside)(session)
    included = lifecycle.lists_of(session, blast.id, included=True)
    excluded = lifecycle.lists_of(session, blast.id, included=False)
    asked = audience(included, excluded, after, piece.up_to, _only(session, order, piece))
    part = waves.part_of(session, blast, after, piece.up_to) if blast.departure else None
    people = _gathered(session, asked if part is None else asked.add_columns(part.label(PART)))
    _write(session, blast, people, planned(session, blast, people, order.batch_size, piece.first))
    session.execute(DropTable(people))


def _only(session: Session, order: _Order, piece: _Piece) -> ColumnElement[bool] | None:
    """Whom of a piece the blast goes to. What it takes by lot is drawn with its first piece, for all of them, and the
    waves that it leaves in are written down then."""
    chosen = order.whom(session, piece.blast)
    if chosen is not None:
        keep(session, chosen.draws)
    fits = None if chosen is None else chosen.where
    if not piece.cursor and _in_parts(piece.blast):
        waves.prepare(session, piece.blast, fits)
    return fits


def _in_parts(blast: Blast) -> bool:
    """Whether some of a blast's audience may leave later than the others."""
    return bool(blast.waits or blast.departure)


def _gathered(session: Session, audience: Select[*tuple[Any, ...]]) -> Table:
    """The people as they are now: who joins or changes meanwhile must not make what follows disagree."""
    sorting = session.get_bind().dialect.name == "postgresql"
    if sorting:
        # To group by sorting leaves them in the order of their numbers, in which everything else wants them.
        session.execute(text("SET LOCAL work_mem = '64MB'"))
        session.execute(text("SET LOCAL enable_hashagg = off"))
    kept = CreateTableAs(audience.order_by(Member.id), "people", temporary=True)
    session.execute(kept)
    if sorting:
        session.execute(text("SET LOCAL enable_hashagg = on"))
    return kept.table


def _write(session: Session, blast: Blast, people: Table, plan: Plan) -> None:
    """One row for each of the people."""
    if not plan.batches:
        return
    chosen = (
        select(people.c.member_id, people.c.list_id, plan.code(people).label("choice"))
        .offset(0)  # worked out here, not wherever it is used
        .subquery("chosen")
    )
    group, step = chosen.c.choice // len(STEPS), chosen.c.choice % len(STEPS)
    row: dict[str, ColumnElement[Any]] = {
        "id": numbered(literal(blast.id, BigId), chosen.c.member_id),
        "blast_id": cast(blast.id, BigId),
        "member_id": chosen.c.member_id,
        "batch_id": plan.batch(group, "chosen.member_id"),
        "list_id": chosen.c.list_id,
        "language": case({place: one.language for place, one in enumerate(plan.groups)}, value=group),
        "caught_by": case({place: one.value for place, one in enumerate(STEPS)}, value=step),
        "state": cast(DeliveryState.PENDING.value, String),
        # INSERT ... SELECT bypasses the mapped defaults, so they are said once more here.
        "epoch": cast(0, Integer),
        "tries": cast(0, Integer),
        "reason": cast("", String),
        "reply": cast("", String),
    }
    session.execute(insert(Delivery).from_select(list(row), select(*row.values()), include_defaults=False))
