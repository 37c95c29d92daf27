"""Demo: the past. A blast that was sent three weeks ago, and what its members did with it since."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.completeness import complete_languages
from mobilizer.audience.lists import Standing
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import lifecycle, renditions
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState
from mobilizer.demo.aftermath import CHANNELS, Join, Reader, aftermath
from mobilizer.demo.people import Person
from mobilizer.engagement.events import Event
from mobilizer.engagement.recruits import recruited
from mobilizer.installation import Installation
from mobilizer.languages import choose
from mobilizer.transport.losses import Loss

DAYS_AGO = 23
PER_SECOND = 60
BATCH = 500
CHAIN = ("en",)
REPLY = "250 2.0.0 Ok: queued as {:08X}"
UNKNOWN = "550 5.1.1 The mailbox does not exist"


@dataclass(frozen=True, slots=True)
class _Sent:
    """One person of the blast, with the language they got and how it ended."""

    place: int
    member: int
    language: str
    caught_by: str
    state: DeliveryState
    at: datetime


def write_past(
    session: Session,
    installation: Installation,
    appeal: Appeal,
    people: Sequence[Person],
    ids: Sequence[int],
    lists: dict[str, int],
    now: datetime,
) -> Blast:
    """Write a finished blast of `appeal` to the list “everyone”, with its ledger and its events."""
    launched = (now - timedelta(days=DAYS_AGO)).replace(hour=16, minute=0, second=0, microsecond=0)
    plan = lifecycle.Plan(included=(lists["everyone"],), chain=CHAIN, default_language=CHAIN[0])
    blast = lifecycle.create(session, appeal, appeal.slug, plan)
    renditions.freeze(session, installation.settings, blast)
    sent = list(_outcomes(appeal, people, ids, launched))
    _ledger(session, blast, sent, lists["everyone"], people)
    blast.state, blast.launched_at = BlastState.SENT, launched
    blast.finished_at = max((row.at for row in sent), default=launched) + timedelta(seconds=2)
    blast.created_at = launched - timedelta(hours=3)
    blast.frozen_up_to = max(ids, default=0)
    session.flush()
    readers = [
        Reader(blast.id, row.member, row.language, row.at, people[row.place].left)
        for row in sent
        if row.state == DeliveryState.ACCEPTED
    ]
    joins = list(_recruits(people, ids, {reader.member: reader for reader in readers}, launched))
    chance = random.Random(53)  # noqa: S311
    for join in joins:
        recruited(session, join.member, join.by.member, blast.id, chance.choice(CHANNELS))
    if events := aftermath(readers, joins, now):
        session.execute(insert(Event), events)
    return blast


def _outcomes(appeal: Appeal, people: Sequence[Person], ids: Sequence[int], launched: datetime) -> Iterator[_Sent]:
    chance = random.Random(31)  # noqa: S311
    offered = complete_languages(appeal)
    there = [
        place for place, person in enumerate(people) if person.joined_at < launched and "everyone" in person.standings
    ]
    for nth, place in enumerate(there):
        person = people[place]
        if person.standings["everyone"] == Standing.PENDING:
            continue
        given = choose(person.language, person.second, offered, CHAIN, CHAIN[0])
        at = launched + timedelta(seconds=4 + nth / PER_SECOND + chance.random() / 5)
        yield _Sent(place, ids[place], given.language, given.caught_by, _state(person, chance), at)


def _state(person: Person, chance: random.Random) -> DeliveryState:
    if person.suppressed == SuppressedFor.HARD_BOUNCE:
        return DeliveryState.REJECTED
    if person.suppressed in (SuppressedFor.MANUAL, SuppressedFor.SOFT_BOUNCES):
        return DeliveryState.SKIPPED
    if person.left and chance.random() < 0.3:
        return DeliveryState.SKIPPED
    return DeliveryState.UNCERTAIN if chance.random() < 0.0008 else DeliveryState.ACCEPTED


def _ledger(session: Session, blast: Blast, sent: Sequence[_Sent], list_id: int, people: Sequence[Person]) -> None:
    spoken: dict[str, list[_Sent]] = {}
    for row in sent:
        spoken.setdefault(row.language, []).append(row)
    for language, rows in spoken.items():
        for start in range(0, len(rows), BATCH):
            part = rows[start : start + BATCH]
            batch = Batch(
                blast_id=blast.id,
                language=language,
                state=BatchState.DONE,
                epoch=1,
                due_at=part[0].at,
                size=len(part),
            )
            session.add(batch)
            session.flush()
            session.execute(
                insert(Delivery), [_delivery(blast, batch, row, list_id, people[row.place]) for row in part]
            )


def _delivery(blast: Blast, batch: Batch, row: _Sent, list_id: int, person: Person) -> dict[str, object]:
    code, reason, reply = {
        DeliveryState.ACCEPTED: (None, "", REPLY.format(row.member * 2654435761 % 2**32)),
        DeliveryState.REJECTED: (550, "hard", UNKNOWN),
        DeliveryState.SKIPPED: (None, "suppressed" if person.suppressed else "unsubscribed", ""),
        DeliveryState.UNCERTAIN: (None, Loss.HUNG_UP.value, ""),
    }[row.state]
    return {
        "blast_id": blast.id,
        "member_id": row.member,
        "batch_id": batch.id,
        "list_id": list_id,
        "language": row.language,
        "caught_by": row.caught_by,
        "state": row.state,
        "epoch": 0 if row.state == DeliveryState.SKIPPED else 1,
        "code": code,
        "reason": reason,
        "reply": reply,
        "settled_at": row.at,
    }


def _recruits(
    people: Sequence[Person], ids: Sequence[int], readers: Mapping[int, Reader], launched: datetime
) -> Iterator[Join]:
    """Who came in since through a reader's link, or through somebody who came in so before; the oldest first."""
    sharing = dict(readers)
    for place, person in enumerate(people):
        by = sharing.get(ids[person.recruiter]) if person.recruiter is not None else None
        if by and person.joined_at > launched:
            yield Join(by, ids[place], person.language, person.joined_at)
            sharing[ids[place]] = replace(by, member=ids[place], language=person.language, step=by.step + 1)
