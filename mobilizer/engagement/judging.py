"""Engagement: judging. The rules about machines, applied to what is recorded: as it comes, and to a blast anew."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from mobilizer.db import Database
from mobilizer.delivery.acceptance import accepted_at
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.machines import Act, by_agent, verdicts
from mobilizer.engagement.visit_judging import judge_visits

SLICE = 500  # members, or events of nobody known
_OF_MAIL = (EventKind.OPEN, EventKind.CLICK)
_ON_PAGES = (EventKind.WATCH, EventKind.SHARE)


def judge(session: Session, blast_id: int, members: Collection[int]) -> int:
    """Draw the verdicts on what some members did with the mail of a blast, all of it together; returns how many
    verdicts changed."""
    wanted = sorted(members)
    return sum(_judge(session, blast_id, wanted[at : at + SLICE]) for at in range(0, len(wanted), SLICE))


def judge_anew(database: Database, blast_id: int) -> Iterator[tuple[int, int]]:
    """Draw every verdict of a blast anew, by today's rules: after each transaction how many were looked at (members,
    owners of links, or acts of whom only the program is known), and how many verdicts changed. Safe to stop anywhere,
    and to run twice."""
    here = Event.blast_id == blast_id
    yield from _each(database, Event.member_id, (here, Event.kind.in_(_OF_MAIL)), partial(judge, blast_id=blast_id))
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
            wrong = [(id_, by_agent(kind, agent)) for id_, kind, agent, is_ in rows if by_agent(kind, agent) != is_]
            yield len(rows), _change(session, wrong)
        event = rows[-1].id


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


def _judge(session: Session, blast_id: int, members: Collection[int]) -> int:
    accepted = accepted_at(session, blast_id, members)
    asked = (
        select(Event.id, Event.member_id, Event.machine, Event.kind, Event.at, Event.link_n, Event.agent)
        .where(Event.blast_id == blast_id, Event.member_id.in_(members), Event.kind.in_(_OF_MAIL))
        .order_by(Event.member_id, Event.at, Event.id)
    )
    wrong: list[tuple[int, str]] = []
    for member, group in groupby(session.execute(asked), lambda row: row.member_id):
        rows = list(group)
        acts = [Act(row.kind, row.at.timestamp(), row.link_n or 0, row.agent) for row in rows]
        said = verdicts(acts, accepted.get(member))
        wrong += [(row.id, rule) for row, rule in zip(rows, said, strict=True) if row.machine != rule]
    return _change(session, wrong)


def _change(session: Session, verdicts_by_event: Collection[tuple[int, str]]) -> int:
    rows: list[dict[str, Any]] = [{"id": number, "machine": rule} for number, rule in verdicts_by_event]
    if rows:
        session.execute(update(Event), rows)
    return len(rows)
