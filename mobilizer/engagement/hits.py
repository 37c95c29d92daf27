"""Engagement: the hit, an event on its way in. Pages note hits one by one; they are recorded many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, insert, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from mobilizer.audience.members import Member
from mobilizer.audience.merged import stayed
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.events import Event
from mobilizer.engagement.recruits import steps_of


@dataclass(frozen=True, slots=True)
class Hit:
    """What an Event will hold, in plain numbers and strings that JSON can carry. 0 is nobody, no blast, no link.

    `at` is in seconds since 1970 (UTC); `via` is the member whose share link brought the visitor;
    `machine` is the name of the rule (machines.py) that says no person did it, or empty.
    """

    kind: str
    at: float
    blast: int = 0
    member: int = 0
    via: int = 0
    link_n: int = 0
    language: str = ""
    channel: str = ""
    machine: str = ""


def record(session: Session, hits: Sequence[Hit]) -> int:
    """Write hits as events in one statement; returns how many.

    A hit of a blast that is gone is dropped, as that blast's events were, and so is what somebody did who turned
    tracking off since their mail left; a member who is gone stays out. What comes by a mail to a record that was merged
    is done by the one who stays.
    """
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
    rows = [_row(hit, members, steps) for hit in kept]
    if rows:
        session.execute(insert(Event), rows)
    return len(rows)


def _row(hit: Hit, members: Mapping[int, int], steps: Mapping[tuple[int, int], int]) -> dict[str, object]:
    return {
        "kind": hit.kind,
        "at": datetime.fromtimestamp(hit.at, UTC),
        "blast_id": hit.blast or None,
        "member_id": members.get(hit.member),
        "via_id": members.get(hit.via),
        "step": steps.get((members.get(hit.via, 0), hit.blast)),
        "link_n": hit.link_n or None,
        "language": hit.language,
        "channel": hit.channel,
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
