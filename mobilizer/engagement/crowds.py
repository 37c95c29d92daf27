"""Engagement: crowds. What comes by a share link that was posted in public is counted apart from what friends do.

Nobody on a watch page is known, so one person who reloads it, or a program that fetches stamps, looks like many. But
nobody has so many friends a day: where a link is followed more often, nothing that comes by it on that day says how
many people a member brought. It is kept, shown as what it is, and decides nothing. Who joins confirms it: they count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.engagement.events import ACTS, ONCE_A_VIEWING, Event, EventKind
from mobilizer.engagement.hours import hour_of

CROWD = "crowd"  # the rule
MOST_A_DAY = 100  # visits, viewings or shares by one link in a blast that may be friends'; days are UTC
SLICE = 500  # owners of links
_BY_LINK = (EventKind.VISIT, EventKind.WATCH, EventKind.SHARE)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Posted:
    """What came by links that were posted in public: by how many, and the visits by the one that was followed most."""

    links: int = 0
    visits: int = 0
    viewings: int = 0
    most: int = 0


def posted(session: Session, blast_id: int) -> Posted:
    """What crowds did in a blast. Only what is not forgotten is counted."""
    asked = select(Event.via_id, Event.kind, ACTS).where(
        Event.blast_id == blast_id, Event.kind.in_(_BY_LINK), Event.machine == CROWD, ONCE_A_VIEWING
    )
    acts = {(link, kind): times for link, kind, times in session.execute(asked.group_by(Event.via_id, Event.kind))}
    visits = [times for (_link, kind), times in acts.items() if kind == EventKind.VISIT]
    viewings = sum(times for (_link, kind), times in acts.items() if kind == EventKind.WATCH)
    return Posted(len({link for link, _kind in acts}), sum(visits), viewings, max(visits, default=0))


def judge_crowds_arrived(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Judge rows of Event that were just written, and what came by the same links on the same day.

    Of a link that is known to be a crowd's only the moments of the new rows are looked at: however many follow it, each
    transaction does as much.
    """
    moments: defaultdict[tuple[int, datetime], defaultdict[int, list[datetime]]]
    moments = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["blast_id"] and row["via_id"] and row["kind"] in _BY_LINK and not row["machine"]:
            moments[row["blast_id"], _day_of(row["at"])][row["via_id"]].append(row["at"])
    for (blast_id, day), owners in sorted(moments.items()):
        numbers = sorted(owners)
        for start in range(0, len(numbers), SLICE):
            some = numbers[start : start + SLICE]
            known = _known(session, blast_id, day, some)
            fresh = _fresh(session, blast_id, day, set(some) - known)
            at = [moment for one in known for moment in owners[one]]
            if at:
                _say(session, Event.at.between(min(at), max(at)), *_by_links(blast_id, known, day))
            if fresh:
                _say(session, *_by_links(blast_id, fresh, day))


def judge_crowds(session: Session, blast_id: int, members: Collection[int]) -> int:
    """Draw anew the verdicts on what came by the share links of SLICE members at most; returns how many changed."""
    day = func.substr(hour_of(Event.at), 1, 10)
    which = (Event.blast_id == blast_id, Event.via_id.in_(members), Event.kind.in_(_BY_LINK))
    counted = select(Event.via_id, day).where(*which, Event.machine.in_(("", CROWD)), ONCE_A_VIEWING)
    often = counted.group_by(Event.via_id, day, Event.kind).having(ACTS > MOST_A_DAY)
    crowds = {(owner or 0, date) for owner, date in session.execute(often)}
    marked = select(Event.via_id, day).where(*which, Event.machine == CROWD).distinct()
    changed = 0
    for owner, date in sorted(crowds | {(owner or 0, date) for owner, date in session.execute(marked)}):
        begins = datetime.strptime(date, "%Y-%m-%d").replace(tzinfo=UTC)
        changed += _say(session, *_by_links(blast_id, [owner], begins), crowd=(owner, date) in crowds)
    return changed


def _known(session: Session, blast_id: int, day: datetime, owners: Sequence[int]) -> set[int]:
    """Whose link is known to have been a crowd's that day."""
    theirs = (Event.via_id == Member.id, Event.blast_id == blast_id, Event.kind.in_(_BY_LINK))
    said = select(Event.id).where(*theirs, *_within(day), Event.machine == CROWD).correlate(Member).exists()
    return set(session.scalars(select(Member.id).where(Member.id.in_(owners), said)))


def _fresh(session: Session, blast_id: int, day: datetime, owners: Collection[int]) -> set[int]:
    """Whose link turns out to be one."""
    theirs = select(Event.via_id).where(*_by_links(blast_id, owners, day), Event.machine == "", ONCE_A_VIEWING)
    found = session.scalars(theirs.group_by(Event.via_id, Event.kind).having(ACTS > MOST_A_DAY))
    return {owner for owner in found if owner}


def _by_links(blast_id: int, owners: Collection[int], day: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Event.blast_id == blast_id, Event.via_id.in_(owners), Event.kind.in_(_BY_LINK), *_within(day))


def _within(day: datetime) -> tuple[ColumnElement[bool], ...]:
    return Event.at >= day, Event.at < day + _DAY


def _day_of(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _say(session: Session, *which: ColumnElement[bool], crowd: bool = True) -> int:
    """Say of events, of which no other rule says anything, that a crowd did them, or that none did."""
    said, says = ("", CROWD) if crowd else (CROWD, "")
    change = update(Event).where(*which, Event.machine == said).values(machine=says)
    result = session.execute(change.execution_options(synchronize_session=False))
    return cast("CursorResult[Any]", result).rowcount
