"""Blasts: the lifecycle. One table says which moves are legal; one conditional UPDATE makes each of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, not_, select, true, update
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.blasts.blasts import EVERYBODY, Blast, BlastList, BlastState
from mobilizer.blasts.narrowing import NOTHING, Narrowing
from mobilizer.db import clock
from mobilizer.problems import Problem, write_problem
from mobilizer.tracking import Tracking

log = structlog.get_logger()
S = BlastState
MOVES: dict[BlastState, frozenset[BlastState]] = {
    S.DRAFT: frozenset({S.READY, S.CANCELLED}),
    S.READY: frozenset({S.DRAFT, S.ASKED, S.SCHEDULED, S.LEAVING, S.LAUNCHING, S.CANCELLED}),
    S.ASKED: frozenset({S.DRAFT, S.SCHEDULED, S.LEAVING, S.LAUNCHING, S.CANCELLED}),
    S.SCHEDULED: frozenset({S.READY, S.LAUNCHING, S.CANCELLED}),
    S.LEAVING: frozenset({S.DRAFT, S.READY, S.LAUNCHING, S.CANCELLED}),
    S.LAUNCHING: frozenset({S.SENDING, S.HELD, S.CANCELLED}),
    S.SENDING: frozenset({S.PAUSED, S.HELD, S.SENT, S.CANCELLED}),
    S.PAUSED: frozenset({S.SENDING, S.LAUNCHING, S.CANCELLED}),
    S.HELD: frozenset({S.SENDING, S.LAUNCHING, S.PAUSED, S.CANCELLED}),
    S.SENT: frozenset({S.SENDING}),  # a person has put some of its messages back
    S.CANCELLED: frozenset(),
}
# Launching holds itself, and goes on, while its audience isn't whole: sending would be to go without the rest of it.
WHOLE = Blast.frozen_up_to >= EVERYBODY
# Launched or to be, with nothing frozen but the words: it leaves when its moment comes.
WAITS = (S.SCHEDULED, S.LEAVING)
# Legal moves by the states they start from: what a conditional UPDATE asks for.
SOURCES = {to: tuple(a for a, targets in MOVES.items() if to in targets) for to in BlastState}


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom a blast goes to and in which languages: list ids, what narrows them, a fallback chain and where it ends.

    Who speaks one of `waits` waits for it until it is approved (waiting.py). `tracking` and `discreet` are what the
    blast asks for; its lists may ask for more (modes.py).
    """

    included: tuple[int, ...]
    excluded: tuple[int, ...] = ()
    chain: tuple[str, ...] = ()
    default_language: str = "en"
    narrowing: Narrowing = NOTHING
    waits: tuple[str, ...] = ()
    tracking: Tracking = Tracking.PSEUDONYMOUS
    discreet: bool = False


def create(session: Session, appeal: Appeal, slug: str, plan: Plan, user_id: int | None = None) -> Blast:
    """A new blast of an appeal, in draft. The slug must be free."""
    blast = Blast(
        slug=slug,
        appeal=appeal,
        default_language=plan.default_language,
        chain=list(plan.chain),
        narrowing=plan.narrowing.written,
        waits=list(plan.waits),
        tracking=plan.tracking,
        discreet=plan.discreet,
        created_by_id=user_id,
    )
    session.add(blast)
    session.flush()
    _aim(session, blast, plan)
    return blast


def change(session: Session, blast: Blast, plan: Plan) -> None:
    """Change whom a blast goes to, before launch; its revision grows, so a launch that saw the old plan fails."""
    blast.default_language, blast.chain = plan.default_language, list(plan.chain)
    blast.narrowing, blast.waits = plan.narrowing.written, list(plan.waits)
    blast.tracking, blast.discreet = plan.tracking, plan.discreet
    blast.revision += 1
    blast.targets.clear()
    session.flush()
    _aim(session, blast, plan)


def move(
    session: Session,
    blast_id: int,
    to: BlastState,
    revision: int | None = None,
    start: Collection[BlastState] = (),
    only: ColumnElement[bool] = true(),  # noqa: B008 - a constant
    **values: object,
) -> bool:
    """Make one legal move, from the states of `start` alone where it names some, and where `only` is so.

    False if the blast was not where the move starts (or not at `revision`).
    """
    statement = update(Blast).where(Blast.id == blast_id, Blast.state.in_(start or SOURCES[to]), only)
    if revision is not None:
        statement = statement.where(Blast.revision == revision)
    moved = session.execute(
        statement.values(state=to, **values).execution_options(synchronize_session=False).returning(Blast.id)
    ).all()
    session.expire_all()
    return bool(moved)


def launch(session: Session, blast_id: int, revision: int) -> bool:
    """Launch what was seen at `revision`; of any number of simultaneous launches one returns True."""
    seen = (S.READY, S.ASKED, S.SCHEDULED)
    return move(
        session, blast_id, S.LAUNCHING, revision, seen, launched_at=clock(), frozen_up_to=0, hold_reason="", troubles=0
    )


def launch_due(session: Session, blast_id: int, due: ColumnElement[bool] = true()) -> bool:  # noqa: B008 - a constant
    """Launch what waits for its moment, as it was seen when it was scheduled or launched, where it is `due` still: it
    may have been taken back and given another time since it was looked up."""
    return move(session, blast_id, S.LAUNCHING, start=WAITS, only=due, launched_at=clock(), frozen_up_to=0, troubles=0)


def undo(session: Session, blast_id: int) -> bool:
    """Take back a launch that has not left, or that waits for a second person: a draft again, of a higher revision, so
    that no form which saw it before launches it once more."""
    start = (S.LEAVING, S.ASKED)
    if not move(session, blast_id, S.DRAFT, start=start, scheduled_at=None, asked_by_id=None, departure={}):
        return False
    session.get_one(Blast, blast_id).revision += 1
    return True


def send(session: Session, blast_id: int) -> bool:
    """Send to an audience that is whole now: only who froze all of it may say so."""
    return move(session, blast_id, S.SENDING, start=(S.LAUNCHING,), frozen_up_to=EVERYBODY, troubles=0)


def pause(session: Session, blast_id: int) -> bool:
    """Pause; it holds for every message whose content has not started."""
    return move(session, blast_id, S.PAUSED)


def resume(session: Session, blast_id: int, start: Collection[BlastState] = (S.PAUSED, S.HELD)) -> bool:
    """Go on after a pause or a hold: with sending, or with freezing the audience where that was not done."""
    again: dict[str, Any] = {"hold_reason": "", "retry_at": None, "troubles": 0, "resumed_at": clock()}
    return move(session, blast_id, S.SENDING, start=start, only=WHOLE, **again) or move(
        session, blast_id, S.LAUNCHING, start=start, only=not_(WHOLE), **again
    )


def reopen(session: Session, blast_id: int) -> bool:
    """Send again what a person has put back into a blast that was sent; the others of it stay as they are."""
    return move(session, blast_id, S.SENDING, start=(S.SENT,), finished_at=None, resumed_at=clock(), troubles=0)


def cancel(session: Session, blast_id: int) -> bool:
    """Stop for good; what has not started is settled as skipped by the reconciler."""
    return move(session, blast_id, S.CANCELLED, finished_at=clock())


def hold(
    session: Session,
    blast_id: int,
    problem: Problem,
    retry_seconds: float | None,
    start: Collection[BlastState] = (S.SENDING,),
) -> bool:
    """The software's own pause: `problem` says why; tried again by itself after `retry_seconds`, or never."""
    retry_at = None if retry_seconds is None else clock(retry_seconds)
    held = move(session, blast_id, S.HELD, start=start, hold_reason=write_problem(problem), retry_at=retry_at)
    if held:
        log.warning("held", blast=blast_id, code=problem.code, reason=problem.text(), retry_seconds=retry_seconds)
    return held


def by_slug(session: Session, slug: str) -> Blast | None:
    """The blast of a slug."""
    return session.scalars(select(Blast).where(Blast.slug == slug)).one_or_none()


def lists_of(session: Session, blast_id: int, *, included: bool) -> list[int]:
    """Ids of the lists a blast goes to, or stays away from."""
    return list(
        session.scalars(select(BlastList.list_id).where(BlastList.blast_id == blast_id, BlastList.included == included))
    )


def _aim(session: Session, blast: Blast, plan: Plan) -> None:
    targets: Sequence[tuple[int, bool]] = [(i, True) for i in plan.included] + [(i, False) for i in plan.excluded]
    for list_id, included in targets:
        session.add(BlastList(blast_id=blast.id, list_id=list_id, included=included))
    session.flush()
    session.refresh(blast, ["targets"])
