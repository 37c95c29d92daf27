"""Delivery: waves. Parts of an audience that leave at a moment or a word of their own; until then they are held.

A wave's batches are written with all others, so that everyone has their one delivery from the launch on; to open the
wave is to open its batches. What leaves at once is in no wave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    case,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.appeals.variants import FIRST
from mobilizer.audience.audience import audience
from mobilizer.audience.draws import PRIME, lot_of
from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import EVERYBODY, Blast, BlastState
from mobilizer.blasts.departure import Departure, departure_of
from mobilizer.blasts.waiting import frozen_languages
from mobilizer.db import Base, BigId, clock
from mobilizer.delivery import trials
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, is_open
from mobilizer.problems import Problem, read_problem

AT_ONCE = 0


class Kind(StrEnum):
    """What a wave waits for."""

    ZONE = "zone"  # the hour of some time zones
    REST = "rest"  # how the first few take it
    LANGUAGE = "language"  # a translation
    WINNER = "winner"  # which variant of their language does best


class Wave(Base):
    """A part of a blast's audience. Held until `opened_at`; `opens_at` is when it opens by itself, None: never.

    Of a first wave and its rest, who draws a lot `below` goes first. `stopped_for` says why the software no longer
    opens it by itself. Of a language whose variants are tried, `cuts` has for each variant the lot below which people
    get it if they do not get one before it; once it is open, `winner` is the variant that went to the others, and
    `found` what was known then.
    """

    __tablename__ = "waves"
    __table_args__ = (CheckConstraint("kind IN ('zone', 'rest', 'language', 'winner')", name="kind"),)

    blast_id: Mapped[int] = mapped_column(BigId, ForeignKey("blasts.id", ondelete="CASCADE"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    below: Mapped[int] = mapped_column(BigId, default=0)
    opens_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    stopped_for: Mapped[str] = mapped_column(default="")
    cuts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    winner: Mapped[str] = mapped_column(default="")
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)


@dataclass(frozen=True, slots=True)
class HeldWave:
    """A wave that is held, and its people; `falls_back` says to what languages how many of them would, `variants` among
    which one is chosen for them."""

    n: int
    kind: str
    language: str
    opens_at: datetime | None
    stopped_for: Problem | None
    people: int
    falls_back: tuple[tuple[str, int], ...]
    variants: tuple[str, ...]


def prepare(session: Session, blast: Blast, only: ColumnElement[bool] | None = None) -> None:
    """Write down the waves that a blast will leave in, before the first of its audience; `only` says how it is
    narrowed. Those that turn out to be empty do no harm."""
    departure = departure_of(blast.departure)
    ready = frozen_languages(session, blast, ()).offered
    waves = [Wave(kind=Kind.LANGUAGE, language=tag) for tag in blast.waits if tag not in ready]
    after = clock(departure.after_hours * 3600.0) if departure.after_hours else None
    if departure.hour:
        waves += [Wave(kind=Kind.ZONE, opens_at=at) for at in departure.moments(_zones(session))]
    elif departure.percent or departure.people:
        waves.append(Wave(kind=Kind.REST, below=_below(session, blast, departure, only), opens_at=after))
    elif departure.sample:
        found = trials.cuts(session, blast, departure, [wave.language for wave in waves], only)
        waves += [Wave(kind=Kind.WINNER, language=tag, cuts=mine, opens_at=after) for tag, mine in found.items()]
    for n, wave in enumerate(waves, start=AT_ONCE + 1):
        wave.blast_id, wave.n = blast.id, n
        session.add(wave)
    session.flush()


def part_of(session: Session, blast: Blast, after: int, up_to: int) -> ColumnElement[int] | None:
    """The wave of a member by the way their blast leaves, or the variant that is tried on them (see
    trials.wave_and_variant), as a column for members numbered above `after` and no higher than `up_to`; None if all of
    them go at once."""
    departure = departure_of(blast.departure)
    if departure.hour:
        waves = {wave.opens_at: wave.n for wave in of_blast(session, blast.id, Kind.ZONE)}
        zones = departure.moments(_zones(session, after, up_to))
        others = waves[departure.moment(None)]
        # Whoever has come from a zone that nobody was in has no wave of their own.
        named = [(names, waves.get(at, others)) for at, names in zones.items() if names]
        whens = [(Member.time_zone.in_(names), literal(n)) for names, n in named if n != others]
        return case(*whens, else_=others) if whens else literal(others)
    for rest in of_blast(session, blast.id, Kind.REST):
        return case((lot_of(blast.id) < rest.below, AT_ONCE), else_=rest.n)
    if departure.sample:
        late = [wave.language for wave in of_blast(session, blast.id, Kind.LANGUAGE)]
        tried = {wave.language: (wave.n, wave.cuts) for wave in of_blast(session, blast.id, Kind.WINNER)}
        return trials.part_of(session, blast, tried, late, (after, up_to))
    return None


def of_blast(session: Session, blast_id: int, *kinds: Kind) -> Iterable[Wave]:
    """A blast's waves, all or those of some kinds."""
    asked = select(Wave).where(Wave.blast_id == blast_id, Wave.kind.in_(kinds or list(Kind)))
    return session.scalars(asked.order_by(Wave.n)).all()


def held(session: Session, blast_id: int) -> list[HeldWave]:
    """The waves of a blast that are held and have people in them."""
    rows = session.execute(
        select(Wave, Batch.otherwise, func.sum(Batch.size))
        .join(Batch, (Batch.blast_id == Wave.blast_id) & (Batch.wave == Wave.n))
        .where(Wave.blast_id == blast_id, Batch.state == BatchState.HELD)
        .group_by(Wave.blast_id, Wave.n, Batch.otherwise)
        .order_by(Wave.n, func.sum(Batch.size).desc())
    ).all()
    found: dict[int, tuple[Wave, list[tuple[str, int]]]] = {}
    for wave, otherwise, people in rows:
        found.setdefault(wave.n, (wave, []))[1].append((otherwise, int(people)))
    return [_held(wave, parts) for wave, parts in found.values()]


def held_for_a_person(session: Session) -> list[tuple[int, str, int]]:
    """(blast, kind, people) of what is held, of the blasts that are sending, until a person says what becomes of it:
    it opens by itself at no moment."""
    asked = (
        select(Wave.blast_id, Wave.kind, func.sum(Batch.size))
        .join(Batch, (Batch.blast_id == Wave.blast_id) & (Batch.wave == Wave.n))
        .join(Blast, Blast.id == Wave.blast_id)
        .where(
            Blast.state == BlastState.SENDING,
            Wave.kind.in_((Kind.REST, Kind.WINNER)),
            Wave.opens_at.is_(None),
            Batch.state == BatchState.HELD,
        )
        .group_by(Wave.blast_id, Wave.kind)
    )
    return [(row[0], row[1], int(row[2])) for row in session.execute(asked)]


def release(session: Session, blast_id: int, n: int, variant: str = FIRST, **told: object) -> bool:
    """Open a wave: its people get what was frozen for them, in a `variant` of it; `told` is kept with the wave. False
    if it is open already, or not all of them are written down yet; of any number of simultaneous calls one returns
    True."""
    whole = exists().where(Blast.id == blast_id, lifecycle.WHOLE)
    taken = update(Wave).where(Wave.blast_id == blast_id, Wave.n == n, Wave.opened_at.is_(None), whole)
    if session.scalar(taken.values(opened_at=clock(), **told).returning(Wave.n)) is None:
        return False
    session.execute(
        update(Batch)
        .where(Batch.blast_id == blast_id, Batch.wave == n, Batch.state == BatchState.HELD)
        .values(state=BatchState.OPEN, due_at=clock(), variant=variant)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return True


def fall_back(session: Session, blast_id: int, n: int) -> bool:
    """Let the people of a wave wait for their language no longer: each gets what the fallback chain gives them.
    False as `release`."""
    if not release(session, blast_id, n):
        return False
    mine = (Batch.blast_id == blast_id, Batch.wave == n, Batch.otherwise != "")
    for language, step in session.execute(select(Batch.otherwise, Batch.otherwise_by).where(*mine).distinct()).all():
        same = (*mine, Batch.otherwise == language, Batch.otherwise_by == step)
        session.execute(
            update(Delivery)
            .where(Delivery.blast_id == blast_id, is_open(), Delivery.batch_id.in_(select(Batch.id).where(*same)))
            .values(language=language, caught_by=step)
            .execution_options(synchronize_session=False)
        )
    session.execute(
        update(Batch).where(*mine).values(language=Batch.otherwise).execution_options(synchronize_session=False)
    )
    return True


def _held(wave: Wave, parts: list[tuple[str, int]]) -> HeldWave:
    return HeldWave(
        n=wave.n,
        kind=wave.kind,
        language=wave.language,
        opens_at=wave.opens_at,
        stopped_for=read_problem(wave.stopped_for),
        people=sum(people for _, people in parts),
        falls_back=tuple((tag, people) for tag, people in parts if tag),
        variants=tuple(sorted(wave.cuts)),
    )


def _zones(session: Session, after: int = 0, up_to: int = EVERYBODY) -> list[str | None]:
    """The time zones of some members, or of all."""
    some = select(Member.time_zone).where(Member.id > after, Member.id <= up_to)
    return list(session.scalars(some.distinct().order_by(Member.time_zone)))


def _below(session: Session, blast: Blast, departure: Departure, only: ColumnElement[bool] | None) -> int:
    """The lot below which people go first: as many of them as are wanted, of the audience as it is now."""
    included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
    people = audience(included, excluded, only=only).add_columns(lot_of(blast.id).label("lot")).subquery()
    first = departure.first_of(session.scalar(select(func.count()).select_from(people)) or 0)
    return session.scalar(select(people.c.lot).order_by(people.c.lot).offset(first).limit(1)) or PRIME
