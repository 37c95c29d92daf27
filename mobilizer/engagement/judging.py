"""Engagement: judging. The rules about machines, applied to what is recorded: as it comes, and to a blast anew."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from mobilizer.db import Database
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.machines import REACH_SECONDS, Act, by_agent, verdicts

REACH = timedelta(seconds=REACH_SECONDS)
SLICE = 500  # members, or events of nobody known
_OF_MAIL = (EventKind.OPEN, EventKind.CLICK)
_SEEN = (*_OF_MAIL, EventKind.VISIT)
_LOOKED_AT = (Event.member_id, Event.at, Event.id, Event.kind, Event.link_n, Event.agent, Event.machine)


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
            yield len(members), _judge(session, blast_id, dict.fromkeys(members, ()))
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


def _judge(
    session: Session,
    blast_id: int,
    fresh: Mapping[int, Iterable[dict[str, Any]]],
    span: tuple[datetime, datetime] | None = None,
) -> int:
    """Judge what members did, what is written and what is fresh together, of the written only what lies in a span, if
    one is given; returns how many written verdicts changed."""
    accepted = _accepted(session, blast_id, fresh)
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


def _accepted(session: Session, blast_id: int, members: Iterable[int]) -> dict[int, float]:
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
