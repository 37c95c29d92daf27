"""Engagement: winners. How each variant of a language does, and which one goes to those who were held for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, distinct, func, select
from sqlalchemy.orm import Session

from mobilizer.appeals.variants import FIRST
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.departure import Goal, departure_of
from mobilizer.db import clock
from mobilizer.delivery import waves
from mobilizer.delivery.late import FROZEN
from mobilizer.delivery.ledger import Batch, Delivery, is_for, is_not_sent, is_open
from mobilizer.delivery.waves import AT_ONCE, Kind, Wave
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.ranges import Range, differ, range_of
from mobilizer.organizers.audit import record

# What somebody did, and whether a friend of theirs did it: of recruits, one who brought many counts as one.
DID = {
    Goal.CLICKS: (EventKind.CLICK, False),
    Goal.WATCHES: (EventKind.WATCH, False),
    Goal.SHARES: (EventKind.SHARE, False),
    Goal.RECRUITS: (EventKind.JOIN, True),
}


@dataclass(frozen=True, slots=True)
class Tried:
    """One variant: `people` were drawn for it, `accepted` have it, `waiting` do not know yet; `did` counts of those who
    have it who did what, by goal, each person once."""

    variant: str
    people: int
    accepted: int
    waiting: int
    did: dict[str, int]

    def share(self, goal: str) -> float:
        """How many of those who have it did something, from 0 to 1."""
        return self.did[goal] / self.accepted if self.accepted else 0.0

    def range(self, goal: str) -> Range | None:
        """Where that share most likely lies."""
        return range_of(min(self.did[goal], self.accepted), self.accepted)


@dataclass(frozen=True, slots=True)
class Trial:
    """The trial of one language, judged by a goal; `rest` are the people held for the best variant. `winner` and
    `found` are as the wave keeps them, empty until one is chosen."""

    language: str
    n: int
    goal: str
    tried: tuple[Tried, ...]
    rest: int
    winner: str
    found: dict[str, object]

    @property
    def best(self) -> str:
        """The variant that does best by now; of two that do as well, the earlier one."""
        return max(self.tried, key=lambda one: one.share(self.goal)).variant if self.tried else FIRST

    def sure(self, variant: str) -> bool:
        """Whether a variant does better than each other by more than chance."""
        mine = next(one for one in self.tried if one.variant == variant)
        others = [one for one in self.tried if one is not mine]
        return all(
            mine.share(self.goal) > one.share(self.goal)
            and differ(_of(mine, self.goal), _of(one, self.goal), len(self.tried))
            for one in others
        )

    @property
    def known(self) -> bool:
        """Whether there is something to choose by: of each variant nine in ten have theirs, or never will. Sooner,
        those would decide whose turn came first, where the pace is slow."""
        return all(one.waiting * 10 <= one.people for one in self.tried)


def trials(session: Session, blast: Blast) -> list[Trial]:
    """The trials of a blast, with how they stand. Costs as much as there are batches and acts, not deliveries."""
    held = waves.of_blast(session, blast.id, Kind.WINNER)
    if not held:
        return []
    goal = departure_of(blast.departure).goal
    counts, did = _counts(session, blast.id), _did(session, blast.id)
    rest = _rest(session, blast.id)
    found = []
    for wave in held:
        variants = [(one, (wave.language, one)) for one in sorted(wave.cuts)]
        tried = tuple(Tried(one, *counts[key], {each: did[each][key] for each in Goal}) for one, key in variants)
        found.append(Trial(wave.language, wave.n, goal, tried, rest.get(wave.n, 0), wave.winner, wave.found))
    return found


def choose(session: Session, blast: Blast, language: str, variant: str, user_id: int | None = None) -> bool:
    """Let a variant win: whoever was held for the best one of a language gets it, at once. False if there is no such
    trial or variant, one was chosen before, or the blast is not under way; of any number of simultaneous calls one
    returns True. `user_id` is who chose, None for the software and the command line."""
    trial = next((one for one in trials(session, blast) if one.language == language), None)
    if trial is None or blast.state not in FROZEN or variant not in {one.variant for one in trial.tried}:
        return False
    sure = trial.sure(variant)
    told = {"goal": trial.goal, "sure": sure, "tried": {one.variant: _of(one, trial.goal) for one in trial.tried}}
    if not waves.release(session, blast.id, trial.n, variant, winner=variant, found=told):
        return False
    record(session, user_id, "blast.choose_variant", f"blast:{blast.id}", language=language, variant=variant, **told)
    return True


def choose_due(session: Session) -> None:
    """Choose where it is time: of the blasts that are sending, the variant that did best. Where a person has to say so,
    where the first of them took it badly, and while many of them wait for theirs, nothing happens."""
    due = (
        select(Wave.blast_id, Wave.language)
        .join(Blast, Blast.id == Wave.blast_id)
        .where(
            Blast.state == BlastState.SENDING,
            lifecycle.WHOLE,
            Wave.kind == Kind.WINNER,
            Wave.opened_at.is_(None),
            Wave.opens_at <= clock(),
        )
        .order_by(Wave.blast_id, Wave.n)
    )
    for blast_id, language in session.execute(due).all():
        blast = session.get_one(Blast, blast_id)
        trial = next(one for one in trials(session, blast) if one.language == language)
        if trial.known:
            choose(session, blast, language, trial.best)


def _of(one: Tried, goal: str) -> tuple[int, int]:
    return min(one.did[goal], one.accepted), one.accepted


def _counts(session: Session, blast_id: int) -> defaultdict[tuple[str, str], tuple[int, int, int]]:
    """(people, accepted, waiting) of what goes at once, by language and variant; the accepted are who is left."""
    key, at_once = (Batch.language, Batch.variant), (Batch.blast_id == blast_id, Batch.wave == AT_ONCE)
    sizes = _by_key(session.execute(select(*key, func.sum(Batch.size)).where(*at_once).group_by(*key)))

    def rows(which: ColumnElement[bool]) -> dict[tuple[str, str], int]:
        mine = select(*key, func.count()).select_from(Delivery).join(Batch, Batch.id == Delivery.batch_id)
        return _by_key(session.execute(mine.where(Delivery.blast_id == blast_id, which, *at_once).group_by(*key)))

    waiting, not_sent = rows(is_open()), rows(is_not_sent())
    found = defaultdict[tuple[str, str], tuple[int, int, int]](lambda: (0, 0, 0))
    for one, size in sizes.items():
        open_ = waiting.get(one, 0)
        found[one] = (size, size - open_ - not_sent.get(one, 0), open_)
    return found


def _did(session: Session, blast_id: int) -> dict[str, defaultdict[tuple[str, str], int]]:
    """How many people did what a goal asks for, by language and variant, of those who got theirs at once."""
    found = {}
    for goal, (kind, by_friends) in DID.items():
        who = Event.via_id if by_friends else Event.member_id
        asked = (
            select(Batch.language, Batch.variant, func.count(distinct(who)))
            .select_from(Event)
            .join(Delivery, is_for(Event.blast_id, who))
            .join(Batch, Batch.id == Delivery.batch_id)
            .where(Event.blast_id == blast_id, Event.kind == kind, Event.machine == "", Batch.wave == AT_ONCE)
            .group_by(Batch.language, Batch.variant)
        )
        found[goal.value] = defaultdict(int, _by_key(session.execute(asked)))
    return found


def _rest(session: Session, blast_id: int) -> dict[int, int]:
    """The people of each wave."""
    asked = select(Batch.wave, func.sum(Batch.size)).where(Batch.blast_id == blast_id).group_by(Batch.wave)
    return {row[0]: int(row[1]) for row in session.execute(asked)}


def _by_key(rows: Iterable[Sequence[object]]) -> dict[tuple[str, str], int]:
    return {(str(language), str(variant)): int(str(count)) for language, variant, count in rows}
