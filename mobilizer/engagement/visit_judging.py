"""Engagement: judging visits. Which by a share link were a friend's, and which of the link's owner or a machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.delivery.acceptance import accepted_at
from mobilizer.engagement.crowds import CROWD
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.own_visits import BESIDE_SECONDS, IN_MAIL, OWN, SOON_SECONDS, OwnAct, Visit, visit_verdicts

SLICE = 500  # owners of links
REACH = timedelta(seconds=max(BESIDE_SECONDS, SOON_SECONDS))  # what lies further from a visit says nothing about it
_ACTS = (EventKind.CLICK, EventKind.SHARE, EventKind.VISIT)


def judge_arrived(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Judge the visits among rows of Event that were just written, and what visits say about which they have news."""
    by_blast: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["blast_id"] and _has_news(row):
            by_blast[row["blast_id"]].append(row)
    for blast_id, news in by_blast.items():
        _judge_news(session, blast_id, news)


def judge_visits(session: Session, blast_id: int, members: Collection[int]) -> int:
    """Draw the verdicts on all visits by the share links of SLICE members at most; returns how many changed."""
    return _judge(session, blast_id, members, _acts(session, blast_id, members))


def _has_news(row: Mapping[str, Any]) -> bool:
    match row["kind"]:
        case EventKind.VISIT:
            return bool(row["via_id"] or row["member_id"])
        case EventKind.SHARE:
            return bool(row["member_id"])
        case EventKind.CLICK:
            return bool(row["member_id"] and row["machine"])
        case _:
            return False


def _judge_news(session: Session, blast_id: int, news: Sequence[Mapping[str, Any]]) -> None:
    """A link that was posted for all to see may be followed by a hundred thousand: unless its owner did something then,
    or it is the first that we see of the link in their mail, nobody's visits are read."""
    begins, ends = min(row["at"] for row in news) - REACH, max(row["at"] for row in news) + REACH
    near, around = Event.at.between(begins, ends), Event.at.between(begins - REACH, ends + REACH)
    owners = sorted({row["via_id"] or row["member_id"] for row in news})
    mailed = {row["via_id"] for row in news if row["via_id"] and row["channel"] == IN_MAIL}
    for start in range(0, len(owners), SLICE):
        some = owners[start : start + SLICE]
        acts = _acts(session, blast_id, some, around)
        by_mail = mailed.intersection(some)
        came = _came(session, blast_id, acts.keys() | by_mail, Event.at < begins)
        _judge(session, blast_id, sorted(acts.keys() | (by_mail - came)), acts, came, near)


def _judge(
    session: Session,
    blast_id: int,
    owners: Collection[int],
    acts: Mapping[int, Sequence[OwnAct]],
    came: Collection[int] = (),
    *near: ColumnElement[bool],
) -> int:
    if not owners:
        return 0
    accepted = accepted_at(session, blast_id, owners)
    asked = select(Event.id, Event.via_id, Event.at, Event.channel, Event.agent, Event.times, Event.machine)
    rows = session.execute(asked.where(*_visits(blast_id, owners), *near).order_by(Event.via_id, Event.at, Event.id))
    wrong: list[dict[str, Any]] = []
    for owner, group in groupby(rows, lambda row: row.via_id):
        theirs = list(group)
        visits = [Visit(row.at.timestamp(), row.channel, row.agent, row.times) for row in theirs]
        said = visit_verdicts(visits, acts.get(owner, ()), accepted.get(owner), came_before=owner in came)
        wrong += [
            {"id": row.id, "machine": rule}
            for row, rule in zip(theirs, said, strict=True)
            if row.machine != rule and (rule or row.machine != CROWD)
        ]
    if wrong:
        session.execute(update(Event), wrong)
    return len(wrong)


def _visits(blast_id: int, owners: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    return Event.via_id.in_(owners), Event.kind == EventKind.VISIT, Event.blast_id == blast_id


def _acts(
    session: Session, blast_id: int, owners: Collection[int], *around: ColumnElement[bool]
) -> dict[int, list[OwnAct]]:
    """What owners did themselves that says something of visits by their link: of clicks only what machines did."""
    asked = select(Event.member_id, Event.kind, Event.at, Event.channel, Event.machine)
    mine = (Event.blast_id == blast_id, Event.kind.in_(_ACTS), Event.member_id.in_(owners))
    found: dict[int, list[OwnAct]] = {}
    for owner, kind, at, channel, machine in session.execute(asked.where(*mine, *around)):
        if owner and (machine or kind != EventKind.CLICK):
            found.setdefault(owner, []).append(OwnAct(kind, at.timestamp(), channel, machine))
    return found


def _came(session: Session, blast_id: int, owners: Collection[int], before: ColumnElement[bool]) -> set[int]:
    """Who is known to have followed the link in their mail before."""
    if not owners:
        return set()
    theirs = (Event.via_id == Member.id, Event.kind == EventKind.VISIT, Event.blast_id == blast_id)
    own = select(Event.id).where(*theirs, Event.channel == IN_MAIL, Event.machine == OWN, before)
    return set(session.scalars(select(Member.id).where(Member.id.in_(owners), own.correlate(Member).exists())))
