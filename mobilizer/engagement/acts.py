"""Engagement: acts. What people did in a blast, added up; of those who were erased only these sums are kept."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Select,
    and_,
    case,
    distinct,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.db import Base, BigId
from mobilizer.delivery.ledger import Delivery, is_for
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, SEEN, Event
from mobilizer.tracking import Tracking


class Acts(NamedTuple):
    """Acts of one kind in one blast and language, by machines or not.

    `brought`: by friends who came through a member's share link, counted in that member's language; nobody knows how
    many people they are. Else by members themselves: `people` of them, `finished` of whom saw the video to its end.
    """

    blast_id: int
    language: str
    kind: str
    machine: bool
    brought: bool
    acts: int
    people: int
    finished: int


class KeptSum(Base):
    """What members did who have been erased since, or so long ago that the events are gone: the sums of past blasts
    stay as they were, and name nobody."""

    __tablename__ = "kept_sums"
    __table_args__ = (CheckConstraint("acts >= 0 AND people >= 0 AND finished >= 0", name="sums"),)

    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"), primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    machine: Mapped[bool] = mapped_column(primary_key=True)
    brought: Mapped[bool] = mapped_column(primary_key=True)
    acts: Mapped[int]
    people: Mapped[int]
    finished: Mapped[int]


def acts_in(session: Session, blast_id: int) -> list[Acts]:
    """Everything that was done in a blast. The same kind may come twice: of those who are there, and of those who were
    erased."""
    kept = select(*[getattr(KeptSum, name) for name in Acts._fields]).where(KeptSum.blast_id == blast_id)
    asked = (*(one.where(Event.blast_id == blast_id) for one in (_own(), _brought(), _by_nobody())), kept)
    return [_acts(row) for one in asked for row in session.execute(one)]


def keep_sums_of(session: Session, member_id: int) -> None:
    """Add what a member did, and what friends did who came through them, to the kept sums: their events can go then."""
    theirs, friends = Event.member_id == member_id, Event.via_id == member_id
    session.execute(select(Event.id).where(theirs | friends).order_by(Event.id).with_for_update())
    keep_sums(session, theirs, friends)


def keep_sums(session: Session, own: ColumnElement[bool], brought: ColumnElement[bool]) -> None:
    """Add some events to the kept sums: those of `own` as what members did themselves, those of `brought` as what
    friends did. The caller has their rows locked, and lets them go."""
    asked = (_own().where(own), _brought().where(brought), _by_nobody().where(own))
    rows = [_acts(row)._asdict() for one in asked for row in session.execute(one)]
    if not rows:
        return
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(KeptSum)
    session.execute(
        insert.on_conflict_do_update(
            index_elements=[KeptSum.blast_id, KeptSum.language, KeptSum.kind, KeptSum.machine, KeptSum.brought],
            set_={name: getattr(KeptSum, name) + insert.excluded[name] for name in ("acts", "people", "finished")},
        ),
        rows,
    )


_MACHINE = Event.machine != ""


def _own() -> Select[int | None, str, str, bool, bool, int, int, int]:
    """What members did themselves.

    Once the first acts in a blast are forgotten, nobody counts as one more person there: it may be somebody who comes
    back, and to tell them apart we would have to remember for ever who did what.
    """
    nobody_forgotten = or_(Blast.forgotten_at.is_(None), Event.at <= Blast.forgotten_at)
    person = case((nobody_forgotten, Event.member_id))
    finished = case((and_(nobody_forgotten, Event.channel.in_(SEEN)), Event.member_id))
    return (
        select(
            Event.blast_id,
            Delivery.language,
            Event.kind,
            _MACHINE,
            literal(False),
            ACTS,
            func.count(distinct(person)),
            func.count(distinct(finished)),
        )
        .join(Delivery, is_for(Event.blast_id, Event.member_id))
        .join(Blast, Blast.id == Event.blast_id)
        .group_by(Event.blast_id, Delivery.language, Event.kind, _MACHINE)
    )


def _brought() -> Select[int | None, str, str, bool, bool, int, int, int]:
    """What friends did who came by a member's share link."""
    return (
        select(Event.blast_id, Delivery.language, Event.kind, _MACHINE, literal(True), ACTS, literal(0), literal(0))
        .join(Delivery, is_for(Event.blast_id, Event.via_id))
        .where(ONCE_A_VIEWING)
        .group_by(Event.blast_id, Delivery.language, Event.kind, _MACHINE)
    )


def _by_nobody() -> Select[int | None, str, str, bool, bool, int, int, int]:
    """What was done in blasts that are counted in sums, in the languages that they have: by whom, nobody knows."""
    return (
        select(Event.blast_id, Event.language, Event.kind, _MACHINE, literal(False), ACTS, literal(0), literal(0))
        .join(Blast, and_(Blast.id == Event.blast_id, Blast.frozen_tracking == Tracking.SUMS))
        .join(Rendition, and_(Rendition.blast_id == Event.blast_id, Rendition.language == Event.language))
        .where(Event.member_id.is_(None), Event.via_id.is_(None))
        .group_by(Event.blast_id, Event.language, Event.kind, _MACHINE)
    )


def _acts(row: tuple[object, ...]) -> Acts:
    found = Acts._make(row)
    return found._replace(machine=bool(found.machine), brought=bool(found.brought))  # SQLite knows only numbers
