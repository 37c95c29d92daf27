"""Engagement: judging. The rules about machines, applied to what is recorded: as it comes, and to a blast anew."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from mobilizer.db import Database
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.machines import Act, by_agent, verdicts

SLICE = 500  # members, or events of nobody known
_OF_MAIL = (EventKind.OPEN, EventKind.CLICK)
_SEEN = (*_OF_MAIL, EventKind.VISIT)


def judge(session: Session, blast_id: int, members: Collection[int]) -> int:
    """Draw the verdicts on what some members did with the mail of a blast, all of it together; returns how many
    verdicts changed."""
    wanted = sorted(members)
    return sum(_judge(session, blast_id, wanted[at : at + SLICE]) for at in range(0, len(wanted), SLICE))


def judge_anew(database: Database, blast_id: int) -> Iterator[tuple[int, int]]:
    """Draw every verdict of a blast anew, by today's rules: after each transaction how many acts were looked at, and
    how many verdicts changed. Safe to stop anywhere, and to run twice."""
    member = 0
    here = Event.blast_id == blast_id
    while True:
        with database.write() as session:
            known = select(Event.member_id).where(here, Event.kind.in_(_OF_MAIL), Event.member_id > member).distinct()
            members = [n for n in session.scalars(known.order_by(Event.member_id).limit(SLICE)) if n]
            if not members:
                break
            yield len(members), judge(session, blast_id, members)
        member = members[-1]
    event = 0
    while True:
        with database.write() as session:
            nobodys = (here, Event.kind.in_(_SEEN), Event.member_id.is_(None), Event.id > event)
            asked = select(Event.id, Event.kind, Event.agent, Event.machine)
            rows = session.execute(asked.where(*nobodys).order_by(Event.id).limit(SLICE)).all()
            if not rows:
                break
            wrong = [(id_, by_agent(kind, agent)) for id_, kind, agent, is_ in rows if by_agent(kind, agent) != is_]
            yield len(rows), _change(session, wrong)
        event = rows[-1].id


def _judge(session: Session, blast_id: int, members: Collection[int]) -> int:
    accepted = _accepted(session, blast_id, members)
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


def _accepted(session: Session, blast_id: int, members: Collection[int]) -> dict[int, float]:
    """When a relay took the mail of each."""
    of_them: ColumnElement[bool] = Delivery.id.in_([numbered(blast_id, member) for member in members])
    asked = select(Delivery.member_id, Delivery.settled_at).where(
        of_them, Delivery.state == DeliveryState.ACCEPTED, Delivery.settled_at.is_not(None)
    )
    return {member: at.timestamp() for member, at in session.execute(asked) if at}


def _change(session: Session, verdicts_by_event: Collection[tuple[int, str]]) -> int:
    rows: list[dict[str, Any]] = [{"id": number, "machine": rule} for number, rule in verdicts_by_event]
    if rows:
        session.execute(update(Event), rows)
    return len(rows)
