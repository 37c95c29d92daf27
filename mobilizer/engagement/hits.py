"""Engagement: the hit, an event on its way in. Pages note hits one by one; they are recorded many at a time."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self, cast

from sqlalchemy import ColumnElement, Table, delete, insert, select, true
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from mobilizer.audience.members import Member
from mobilizer.audience.merged import stayed
from mobilizer.blasts.blasts import Blast
from mobilizer.db import Base, clock
from mobilizer.engagement.crowds import judge_crowds_arrived
from mobilizer.engagement.events import Event
from mobilizer.engagement.judging import judge
from mobilizer.engagement.recruits import steps_of
from mobilizer.engagement.visit_judging import judge_arrived

_EVENTS = cast("Table", Event.__table__)  # the bare table takes all rows at once, whatever is empty in each
FEW = 10
SAME_SECONDS = 1
SAME_SECONDS_OF_NOBODY = 60


class Hit(NamedTuple):
    """What an Event will hold, in plain numbers and strings that JSON can carry. 0 is nobody, no blast, no link.

    `at` is in seconds since 1970 (UTC); `via` is the member whose share link brought the visitor;
    `agent` is the class of program that asked (agents.py), `machine` the name of the rule (machines.py) that says no
    person did it, or empty.
    """

    kind: str
    at: float
    blast: int = 0
    member: int = 0
    via: int = 0
    link_n: int = 0
    language: str = ""
    channel: str = ""
    agent: str = ""
    machine: str = ""


class Parcel(NamedTuple):
    """Hits that travel together. However often a parcel arrives, after a timeout or a crash, it is recorded once."""

    name: str
    hits: Sequence[Hit]

    def packed(self) -> str:
        """The parcel as JSON."""
        return json.dumps(self, separators=(",", ":"))

    @classmethod
    def unpacked(cls, packed: str | bytes) -> Self:
        """The parcel of a JSON text that `packed` made."""
        name, hits = json.loads(packed)
        return cls(name, [Hit(*hit) for hit in hits])


class RecordedParcel(Base):
    """The name of a parcel that is recorded, kept for as long as it may come once more."""

    __tablename__ = "recorded_parcels"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=clock(), index=True)


def record_parcels(session: Session, parcels: Iterable[Parcel]) -> int:
    """Write the hits of those parcels that were not written before; returns how many hits.

    Of two transactions that write the same parcel at once one fails: its caller comes again.
    """
    fresh = {parcel.name: parcel for parcel in parcels}
    known = select(RecordedParcel.name).where(RecordedParcel.name.in_(fresh))
    for name in session.scalars(known).all():
        del fresh[name]
    if not fresh:
        return 0
    session.execute(insert(RecordedParcel), [{"name": name} for name in fresh])
    rows = _rows(session, [hit for parcel in fresh.values() for hit in parcel.hits])
    for blast in {row["blast_id"] for row in rows if row["blast_id"]}:
        judge(session, blast, [row for row in rows if row["blast_id"] == blast])
    written = _write(session, rows)
    judge_arrived(session, rows)
    judge_crowds_arrived(session, rows)
    return written


def forget_parcels(session: Session, seconds: float, most: int) -> int:
    """Forget the names of parcels that were recorded longer than `seconds` ago; returns how many."""
    old = select(RecordedParcel.name).where(RecordedParcel.at < clock(-seconds)).limit(most)
    gone = delete(RecordedParcel).where(RecordedParcel.name.in_(old)).returning(RecordedParcel.name)
    return len(session.scalars(gone).all())


def record(session: Session, hits: Sequence[Hit]) -> int:
    """Write hits as events in one statement; returns how many hits.

    What a crowd does in one moment is one event that says how often: however many come on one link, they cost the
    database little.

    A hit of a blast that is gone is dropped, as that blast's events were, and so is what somebody did who turned
    tracking off since their mail left; a member who is gone stays out. What comes by a mail to a record that was merged
    is done by the one who stays.
    """
    return _write(session, _rows(session, hits))


def _rows(session: Session, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    blasts = _still_there(session, Blast.id, (hit.blast for hit in hits))
    named = {number for hit in hits for number in (hit.member, hit.via) if number}
    there = _still_there(session, Member.id, named)
    members = {number: number for number in there} | stayed(session, named - there)
    untracked = _still_there(session, Member.id, members.values(), ~Member.tracking)
    kept = [
        hit
        for hit in hits
        if (not hit.blast or hit.blast in blasts)
        and untracked.isdisjoint((members.get(hit.member), members.get(hit.via)))
    ]
    steps = steps_of(session, {(members[hit.via], hit.blast) for hit in kept if hit.blast and hit.via in members})
    return [_row(hit, times, members, steps) for hit, times in _folded(kept)]


def _write(session: Session, rows: Sequence[dict[str, Any]]) -> int:
    """Returns how many hits the rows stand for."""
    if rows:
        session.execute(insert(_EVENTS), rows)
    return sum(row["times"] for row in rows)


def _folded(hits: Iterable[Hit]) -> list[tuple[Hit, int]]:
    """Hits in the order of their moments, each with how often it was.

    Of more than a FEW that are alike within a second, or a minute where nobody is known to have done it, the first
    stands for itself, for it may be the link's owner, and the second for all others.
    """
    alike: defaultdict[tuple[object, ...], list[Hit]] = defaultdict(list)
    for hit in hits:
        alike[hit.at // (SAME_SECONDS if hit.member else SAME_SECONDS_OF_NOBODY), hit.kind, *hit[2:]].append(hit)
    found: list[tuple[Hit, int]] = []
    for some in alike.values():
        if len(some) > FEW:
            first, second, *_others = sorted(some)
            found += [(first, 1), (second, len(some) - 1)]
        else:
            found += [(hit, 1) for hit in some]
    return sorted(found, key=lambda one: one[0].at)


def _row(hit: Hit, times: int, members: Mapping[int, int], steps: Mapping[tuple[int, int], int]) -> dict[str, Any]:
    return {
        "kind": hit.kind,
        "at": datetime.fromtimestamp(hit.at, UTC),
        "times": times,
        "blast_id": hit.blast or None,
        "member_id": members.get(hit.member),
        "via_id": members.get(hit.via),
        "step": steps.get((members.get(hit.via, 0), hit.blast)),
        "link_n": hit.link_n or None,
        "language": hit.language,
        "channel": hit.channel,
        "agent": hit.agent,
        "machine": hit.machine,
    }


def _still_there(
    session: Session,
    column: InstrumentedAttribute[int],
    numbers: Iterable[int],
    only: ColumnElement[bool] = true(),  # noqa: B008 - a constant
) -> set[int]:
    wanted = sorted({number for number in numbers if number})
    found: set[int] = set()
    # In slices: a statement may carry only so many parameters.
    for start in range(0, len(wanted), 500):
        found.update(session.scalars(select(column).where(column.in_(wanted[start : start + 500]), only)))
    return found
