"""Selftest: the site. A throw-away installation with people in it and a blast that is about to launch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from mobilizer import tables
from mobilizer.appeals.states import withdraw
from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.bench import people
from mobilizer.bench.grounds import ground
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.departure import Departure, Goal
from mobilizer.delivery.ledger import FINAL, Delivery, LeaseRecord
from mobilizer.demo import APPEAL
from mobilizer.demo.box import Box, open_box
from mobilizer.demo.contents import read_content
from mobilizer.installation import Installation, install
from mobilizer.keys import Purpose, Ticket
from mobilizer.migrations import upgrade
from mobilizer.selftest.books import Row
from mobilizer.settings import Settings

CONNECTIONS = 4
BATCHES = 80
FIRST, LATE = Departure(percent=20), "es"  # who goes first, and what language comes late, where some are held
TRIAL = Departure(sample=2, goal=Goal.CLICKS)
STAY_AWAY_EVERY = 25  # one of so many has left before the launch, another is suppressed


@dataclass(frozen=True, slots=True)
class Site:
    """The installation under test. `audience` are the members that the blast is for, by number; those of them who
    are `suppressed` are in its ledger and must get nothing. Of some blasts a part is `held` until a person comes."""

    box: Box
    installation: Installation
    blast: int
    audience: frozenset[int]
    suppressed: frozenset[int]
    held: bool = False

    @property
    def settings(self) -> Settings:
        """What its processes start from; where they send to is said later."""
        return self.installation.settings

    @property
    def notebook(self) -> Path:
        """What the relay writes."""
        return self.box.home / "relay.jsonl"

    def state(self) -> str:
        """How the blast stands."""
        with self.installation.database.read() as session:
            return session.scalars(select(Blast.state).where(Blast.id == self.blast)).one()

    def states(self) -> dict[str, int]:
        """The blast's deliveries by state."""
        with self.installation.database.read() as session:
            rows = session.execute(
                select(Delivery.state, func.count()).where(Delivery.blast_id == self.blast).group_by(Delivery.state)
            )
            return {str(state): count for state, count in rows}

    def final(self) -> int:
        """How many deliveries are over."""
        states = self.states()
        return sum(states.get(state, 0) for state in FINAL)

    def rows(self) -> list[Row]:
        """The ledger at the end."""
        keyring = self.installation.keyring
        with self.installation.database.read() as session:
            found = session.execute(
                select(Delivery.member_id, Delivery.state, Delivery.reason, func.coalesce(LeaseRecord.owner, ""))
                .outerjoin(
                    LeaseRecord, and_(LeaseRecord.batch_id == Delivery.batch_id, LeaseRecord.epoch == Delivery.epoch)
                )
                .where(Delivery.blast_id == self.blast)
            )
            return [
                Row(member, state, reason, keyring.token(Purpose.MESSAGE, Ticket(member, self.blast)), owner)
                for member, state, reason, owner in found
            ]

    def suppressed_now(self) -> set[int]:
        """The members who must not be mailed, at the end."""
        with self.installation.database.read() as session:
            return set(
                session.scalars(select(Member.id).join(Suppression, Suppression.address_key == Member.address_key))
            )


@contextmanager
def site(database: str, messages: int, seed: int) -> Iterator[Site]:
    """A fresh installation on a database of its own, gone afterwards. Raises bench.grounds.NoGround."""
    tables.complete()
    with ground(database) as own:
        box = open_box(own.home, usual_ports=False)
        box.log.mkdir(exist_ok=True)
        changed = {
            "redis_url": box.redis_url,
            "smtp_connections": CONNECTIONS,
            "smtp_connect_seconds": 3.0,
            "smtp_command_seconds": 4.0,
            "smtp_reply_seconds": 6.0,
            "batch_size": max(messages // BATCHES, 2),
            "reconcile_seconds": 0.2,
        }
        installation = install(own.settings().model_copy(update=changed))
        try:
            yield _filled(box, installation, messages, seed)
        finally:
            installation.database.close()


def _filled(box: Box, installation: Installation, messages: int, seed: int) -> Site:
    upgrade(installation.database)
    some = messages // STAY_AWAY_EVERY
    lists = people.fill(installation, messages + some)
    everyone = range(1, messages + some + 1)
    away = random.Random(seed).sample(everyone, 2 * some)  # noqa: S311
    left, suppressed = frozenset(away[:some]), frozenset(away[some:])
    for member in away:
        take_off(installation, member, for_good=member in suppressed)
    with installation.database.write() as session:
        appeal = read_content(session, installation, APPEAL)
        blast = lifecycle.create(session, appeal, appeal.slug, lifecycle.Plan(tuple(lists), chain=("en",)))
        number = blast.id
    with installation.database.write() as session:
        blast = session.get_one(Blast, number)
        _hold_some(session, blast, seed)
        if not launching.launch(session, installation.settings, blast, launching.seen(blast)):
            raise RuntimeError("the blast could not be launched")
    return Site(box, installation, number, frozenset(everyone) - left, suppressed, held=seed % 4 > 0)


def _hold_some(session: Session, blast: Blast, seed: int) -> None:
    """Of four seeds one sends to all at once, one to a few first, one has a language that comes late, one both. Of the
    next four it is variants first."""
    if seed % 8 > 4:
        for words in blast.appeal.translations:
            words.subject_b = f"{words.subject} (B)"
    if seed % 2:
        launching.depart(blast, TRIAL if seed % 8 > 4 else FIRST)
    if seed % 4 >= 2:
        blast.waits = [LATE]
        withdraw(session, next(one for one in blast.appeal.translations if one.language == LATE))
    session.flush()


def take_off(installation: Installation, member: int, *, for_good: bool) -> None:
    """Let a member leave every list, or `for_good` suppress the address."""
    with installation.database.write() as session:
        if for_good:
            suppress(session, session.get_one(Member, member).address_key, SuppressedFor.MANUAL)
        else:
            leave_all(session, member)
