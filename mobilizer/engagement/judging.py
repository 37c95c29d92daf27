"""Engagement: judging. The rules about machines, applied to what is recorded: as it comes, and to a blast anew."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from mobilizer.db import Database
from mobilizer.delivery.acceptance import accepted_at
from mobilizer.engagement.crowds import CROWD, judge_crowds
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.machines import REACH_SECONDS, Act, by_agent, verdicts
from mobilizer.engagement.visit_judging import judge_visits

REACH = timedelta(seconds=REACH_SECONDS)
SLICE = 500  # members, or events of nobody known
_OF_MAIL = (EventKind.OPEN, EventKind.CLICK)
_LOOKED_AT = (Event.member_id, Event.at, Event.id, Event.kind, Event.link_n, Event.agent, Event.machine)
_ON_PAGES = (EventKind.WATCH, EventKind.SHARE)


def judge(session: Session, blast_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Draw the verdicts on opens and clicks of members that are about to be written, rows of Event of one blast, into
    the rows; and anew on what is written already and lies near enough to be of the same hand."""
    fresh: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["member_id"] and row["kind"] in _OF_MAIL:
            fresh[row["member_id"]].append(row)
    members = sorted(fresh)
    for start in range(0, len(members), SLICE):
        some = {member: fresh[member] for member in members[start : start + SLICE]}
        times = [row["at"] for member in some for row in some[member]]
        _judge(session, blast_id, some, (min(times) - REACH, max(times) + REACH))


def judge_anew(database: Database, blast_id: int) -> Iterator[tuple[int, int]]:
    """Draw every verdict of a blast anew, by today's rules: after each transaction how many were looked at (members,
    owners of links, or acts of whom only the program is known), and how many verdicts changed. Safe to stop anywhere,
    and to run twice."""
    here = Event.blast_id == blast_id
    yield from _each(
        database, Event.member_id, (here, Event.kind.in_(_OF_MAIL)), partial(_judge_all, blast_id=blast_id)
    )
    visits = (here, Event.kind == EventKind.VISIT)  # by what their owners did, of which all is said now
    yield from _each(database, Event.via_id, visits, partial(judge_visits, blast_id=blast_id))
    event = 0
    while True:
        with database.write() as session:
            alone = or_(
                Event.kind.in_(_ON_PAGES),
                and_(Event.kind.in_(_OF_MAIL), Event.member_id.is_(None)),
                and_(Event.kind == EventKind.VISIT, Event.via_id.is_(None)),
            )
            asked = select(Event.id, Event.kind, Event.agent, Event.machine).where(here, alone, Event.id > event)
            rows = session.execute(asked.order_by(Event.id).limit(SLICE)).all()
            if not rows:
                break
            said = [(id_, by_agent(kind, agent), is_) for id_, kind, agent, is_ in rows]
            wrong = [(id_, rule) for id_, rule, is_ in said if rule != is_ and (rule or is_ != CROWD)]
            yield len(rows), _change(session, wrong)
        event = rows[-1].id
    yield from _each(database, Event.via_id, (here,), partial(judge_crowds, blast_id=blast_id))  # of what is left


def _each(
    database: Database,
    who: InstrumentedAttribute[int | None],
    which: tuple[ColumnElement[bool], ...],
    judged: Callable[..., int],
) -> Iterator[tuple[int, int]]:
    """Judge what some events are of, SLICE members a transaction."""
    last = 0
    while True:
        with database.write() as session:
            asked = select(who).where(*which, who > last).distinct().order_by(who).limit(SLICE)
            members = [number for number in session.scalars(asked) if number]
            if not members:
                return
            yield len(members), judged(session, members=members)
        last = members[-1]


def _judge_all(session: Session, blast_id: int, members: Collection[int]) -> int:
    """Draw the verdicts on all opens and clicks of some members; returns how many changed."""
    return _judge(session, blast_id, dict.fromkeys(members, ()))


def _judge(
    session: Session,
    blast_id: int,
    fresh: Mapping[int, Iterable[dict[str, Any]]],
    span: tuple[datetime, datetime] | None = None,
) -> int:
    """Judge what members did, what is written and what is fresh together, of the written only what lies in a span, if
    one is given; returns how many written verdicts changed."""
    accepted = accepted_at(session, blast_id, fresh.keys())
    asked = select(*_LOOKED_AT).where(Event.blast_id == blast_id, Event.member_id.in_(fresh), Event.kind.in_(_OF_MAIL))
    if span:  # and what its acts are judged by
        asked = asked.where(Event.at.between(span[0] - REACH, span[1] + REACH))
    theirs = {member: [_noted(row) for row in rows] for member, rows in fresh.items()}
    for member, *written in session.execute(asked).all():
        theirs[member or 0].append(tuple(written))
    wrong: list[tuple[int, str]] = []
    for member, noted in theirs.items():
        noted.sort(key=_in_order)
        acts = [Act(kind, at.timestamp(), link or 0, agent) for at, _, kind, link, agent, _ in noted]
        for (at, which, *_, said), rule in zip(noted, verdicts(acts, accepted.get(member)), strict=True):
            if not isinstance(which, int):
                which["machine"] = rule or said
            elif said != rule and (not span or span[0] <= at <= span[1]):
                wrong.append((which, rule))
    return _change(session, wrong)


def _noted(row: dict[str, Any]) -> tuple[Any, ...]:
    """A fresh act as a written one is read, with itself in place of its number."""
    return row["at"], row, row["kind"], row["link_n"], row["agent"], row["machine"]


def _in_order(noted: tuple[Any, ...]) -> tuple[datetime, int]:
    return noted[0], noted[1] if isinstance(noted[1], int) else sys.maxsize


def _change(session: Session, verdicts_by_event: Collection[tuple[int, str]]) -> int:
    rows: list[dict[str, Any]] = [{"id": number, "machine": rule} for number, rule in verdicts_by_event]
    if rows:
        session.execute(update(Event), rows)
    return len(rows)
