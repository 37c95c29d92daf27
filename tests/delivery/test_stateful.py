"""The ledger against a model of it: whatever people, workers, relays and time do, in whatever order."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from random import Random
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, select, update

from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all, rejoin
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor, Suppression
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.db import Database, clock
from mobilizer.delivery import claims, decisions, hands, holds, launch, leases, reconcile
from mobilizer.delivery.answers import settlement
from mobilizer.delivery.causes import Cause, Kind
from mobilizer.delivery.claims import Receipt
from mobilizer.delivery.decisions import Which
from mobilizer.delivery.ledger import FINAL, Batch, Delivery
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Stage
from tests.delivery.copies import copies_of
from tests.delivery.model import GOES_ON, Fate, Lot, Model, Row, Work
from tests.delivery.test_books import start
from tests.worlds import World

BATCH_SIZE, CHUNK = 3, 5
STEPS, LAST_STEPS = 60, 15  # a blast is cancelled in the last ones, if ever: else most runs would end at once
BUSY = Deferred(450, "4.2.0 not now", Stage.RCPT)
UNKNOWN = Rejected(550, "5.1.1 no such user", Stage.RCPT)
# What may happen, and how often: a blast should come on, for most things to have something to happen to.
HAPPENS = {
    "take": 5, "hand_over": 8, "write_down": 4, "refuse": 1, "keep": 1, "give_back": 2, "die": 1,
    "end_leases": 4, "let_be_due": 2, "reconcile": 2,
    "freeze": 2, "stop": 1, "go_on": 3, "decide": 4, "retry": 1, "change_a_member": 4,
}  # fmt: skip
TRIES = 5  # to find something that anything can happen to

T = TypeVar("T")


class Ledger(RuleBasedStateMachine):
    """Each thing that happens is done to the database, and the same to the model."""

    def __init__(self, world: World, copy: AbstractContextManager[Database]) -> None:
        super().__init__()
        self._copy, self._world = copy, world
        self.database = copy.__enter__()
        self.blast_id = world.blast_id
        self.model = Model()
        self.frozen_up_to = 0
        self.retries = False
        self.steps = 0
        self.before: dict[int, str] = {}

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.all_goes_well()
        finally:
            self._copy.__exit__(None, None, None)

    @initialize(early=st.booleans())
    def begin(self, early: bool) -> None:
        """Mostly the whole audience is frozen before anything else happens."""
        for _ in range(1 if early else 3):
            self.freeze()

    # One rule: of several, each run would leave some out, and then mostly one that the others live on. One number a
    # step: to draw each choice by itself makes runs that are too much alike.
    @rule(luck=st.integers(0, 2**20))
    def something_happens(self, luck: int) -> None:
        self._luck = Random(f"{luck}/{self.steps}")  # noqa: S311 - not for secrets
        for what in self._luck.choices(list(HAPPENS), list(HAPPENS.values()), k=TRIES):
            note(what)
            if getattr(self, what)():
                return

    def one_of(self, among: Iterable[T]) -> T | None:
        """Any one, if there are some."""
        some = list(among)
        return self._luck.choice(some) if some else None

    # The audience.

    def freeze(self) -> bool:
        """The next members, if it is launching."""
        model = self.model
        launching = model.blast == "launching"
        with self.database.write() as session:
            more = launch.freeze_chunk(session, self.blast_id, BATCH_SIZE, CHUNK)
            up_to = session.scalar(select(Blast.frozen_up_to).where(Blast.id == self.blast_id)) or 0
            found = session.execute(select(Delivery.id, Delivery.member_id, Delivery.batch_id)).all()
        meant = {m for m in self._world.members if self.frozen_up_to < m <= up_to} - model.left - model.erased
        new = {n: Row(member, lot) for n, member, lot in found if n not in model.rows}
        assert sorted(row.member for row in new.values()) == sorted(meant)
        self.frozen_up_to = up_to
        model.rows |= new
        model.lots |= {row.lot: Lot() for row in new.values()}
        if launching and not more:
            assert up_to >= max(set(self._world.members) - model.left - model.erased, default=0)
            model.blast = "sending"
        return launching

    def change_a_member(self) -> bool:
        """They leave or come back, mostly one for whom a message is under way; the first may be erased."""
        how = self._luck.choice(["leave", *["rejoin", "suppress"] * 2, *["allow"] * 3, "erase"])
        waiting = [self.model.rows[n].member for work in self.model.works for n in work.waiting]
        member = self._luck.choice([*waiting, *waiting, *self._world.members])
        member = self._world.members[0] if how == "erase" else member
        if member in self.model.erased:
            return False
        model = self.model
        with self.database.write() as session:
            person = session.get_one(Member, member)
            match how:
                case "leave":
                    leave_all(session, member)
                    model.left.add(member)
                case "rejoin":
                    rejoin(session, member, [self._world.list_id])
                    model.left.discard(member)
                case "suppress":
                    suppress(session, person.address_key, SuppressedFor.COMPLAINT)
                    model.suppressed.add(member)
                case "allow":
                    session.execute(delete(Suppression).where(Suppression.address_key == person.address_key))
                    model.suppressed.discard(member)
                case "erase":
                    session.delete(person)
                    model.erased.add(member)
        return True

    # Workers.

    def take(self) -> bool:
        """Of a batch that can be leased; of any, where none can."""
        leasable = [lot for lot in self.model.lots if self.model.leasable(lot)]
        lot = self.one_of(leasable or self.model.lots)
        if lot is not None:
            self._take(lot)
        return bool(leasable)

    def _take(self, lot: int) -> None:
        with self.database.write() as session:
            lease = leases.take(session, lot, "a worker")
            assert (lease is not None) == self.model.leasable(lot)
            if lease is None:
                return
            people, skipped = claims.due_people(session.connection(), lease)
            claims.settle_unclaimed(session.connection(), lease, skipped)
        waiting = self.model.take(lot)
        assert {person.delivery: person.tries for person in people} == waiting
        assert lease.epoch == self.model.lots[lot].epoch
        self.model.works.append(Work(lease, waiting))

    def hand_over(self) -> bool:
        """Some messages are claimed together, and go out if they may, whatever happens then."""
        work = self.one_of(work for work in self.model.works if work.waiting)
        if work is not None:
            some = self._luck.randint(1, len(work.waiting))
            self._hand_over(work, self._luck.choices(list(Fate), k=some))
        return work is not None

    def _hand_over(self, work: Work, fates: Sequence[Fate]) -> None:
        asked = dict(zip(list(work.waiting), fates, strict=False))
        with self.database.write() as session:
            claimed = claims.claim(session.connection(), work.lease, list(asked))
        assert claimed == self.model.claimable(work.lease, asked)
        for delivery, fate in asked.items():
            if delivery in claimed:
                self.model.claim(work, delivery, fate)
            else:
                del work.waiting[delivery]

    def write_down(self) -> bool:
        """An answer, also where the lease is long another's."""
        out = self.one_of((work, delivery) for work in self.model.works for delivery in work.out)
        if out is not None:
            self._write_down(*out)
        return out is not None

    def _write_down(self, work: Work, delivery: int) -> None:
        fate, tries = work.out[delivery]
        with self.database.write() as session:
            if isinstance(fate.value, Accepted):
                claims.accept(session.connection(), work.lease, [Receipt(delivery, fate.value.reply, "main", "")])
            else:
                settled = [settlement(delivery, tries, fate.value, "main", "")]
                claims.settle(session.connection(), work.lease, settled)
                holds.learn(session, settled)
        self.model.answer(work, delivery)

    def refuse(self) -> bool:
        """The relay refuses a recipient, before anything is claimed."""
        work = self.one_of(work for work in self.model.works if work.waiting)
        if work is None:
            return False
        answer = self._luck.choice([BUSY, BUSY, UNKNOWN])
        delivery = next(iter(work.waiting))
        settled = [settlement(delivery, work.waiting[delivery], answer, "main", "")]
        with self.database.write() as session:
            claims.settle_unclaimed(session.connection(), work.lease, settled)
            holds.learn(session, settled)
        self.model.refuse(work, delivery, answer)
        return True

    def keep(self) -> bool:
        """A worker asks for more time."""
        work = self.one_of(self.model.works)
        if work is not None:
            with self.database.write() as session:
                kept = leases.renew(session, work.lease)
            assert kept == (self.model.holds(work.lease) and self.model.blast == "sending")
            self.model.lots[work.lease.batch].over &= not kept
        return work is not None

    def give_back(self) -> bool:
        """Also by who has failed: what is in hand then stays so."""
        work = self.one_of(self.model.works)
        if work is not None:
            self._give_back(work, self._luck.choice([False, True]))
        return work is not None

    def _give_back(self, work: Work, delayed: bool) -> None:
        with self.database.write() as session:
            hands.give_back(session, work.lease, 30.0 if delayed else 0.0)
        self.model.give_back(work, delayed)

    def die(self) -> bool:
        """A worker is gone, with all that it knew."""
        work = self.one_of(self.model.works)
        if work is not None:
            self.model.works.remove(work)
        return work is not None

    # Time and the reconciler.

    def end_leases(self) -> bool:
        """The time of every lease is over."""
        with self.database.write() as session:
            session.execute(update(Batch).where(Batch.state == "leased").values(lease_until=clock(-1)))
        for lot in self.model.lots.values():
            lot.over |= lot.state == "leased"
        return True

    def let_be_due(self) -> bool:
        """Whatever had to wait has waited."""
        with self.database.write() as session:
            session.execute(update(Delivery).where(Delivery.next_at.is_not(None)).values(next_at=clock(-1)))
            session.execute(update(Batch).values(due_at=clock(-1)))
        for row in self.model.rows.values():
            row.waits = False
        for lot in self.model.lots.values():
            lot.due = True
        return True

    def reconcile(self) -> bool:
        """What the reconciler does for a blast."""
        expected = [self.blast_id] if self.model.finishable() else []
        with self.database.write() as session:
            assert reconcile.finish(session) == expected
            reconcile.settle_cancelled(session)
            reconcile.retry_held(session)
        self.model.blast = "sent" if expected else self.model.blast
        self.model.settle_cancelled()
        if self.model.blast == "held" and self.retries:
            self.model.blast = "sending"
        return True

    # People.

    def stop(self) -> bool:
        """A person pauses or cancels it, or the software holds it."""
        does = self._luck.choice(["pause", "hold", "hold and retry", "cancel"])
        return (does != "cancel" or self.steps > STEPS - LAST_STEPS) and self._move(does)

    def go_on(self) -> bool:
        """A person lets it go on, wherever it stands."""
        return self._move("resume")

    def _move(self, does: str) -> bool:
        act, starts, to = {
            "pause": (lifecycle.pause, ("sending", "held"), "paused"),
            "resume": (lifecycle.resume, ("paused", "held"), "sending"),
            "hold": (partial(lifecycle.hold, problem=reconcile.LATE, retry_seconds=None), ("sending",), "held"),
            "hold and retry": (partial(lifecycle.hold, problem=reconcile.LATE, retry_seconds=-1), ("sending",), "held"),
            "cancel": (lifecycle.cancel, ("launching", "sending", "paused", "held"), "cancelled"),
        }[does]
        can = self.model.blast in starts
        with self.database.write() as session:
            assert act(session, self.blast_id) == can
        if can:
            self.model.blast, self.retries = to, does == "hold and retry"
        return can

    def decide(self) -> bool:
        """A person decides about one uncertain message, or about all."""
        number = self.one_of(sorted(self.model.undecided()))
        if number is None:
            return False
        every, again = self._luck.choice([False, True]), self._luck.choice([False, True, True])
        which = self.model.undecided() if every else {number}
        act = decisions.resend if again else decisions.leave
        with self.database.write() as session:
            done = act(session, self.blast_id, Which() if every else Which(delivery=number))
        allowed = not again or self.model.blast in GOES_ON
        assert done == (len(which) if allowed else 0)
        if again and allowed:
            self.model.put_back(which)
        elif not again:
            self.model.leave(which)
        return True

    def retry(self) -> bool:
        """A person has tried again what waits, or what was refused."""
        kind = self._luck.choice(list(Kind))
        which = self.model.waiting() if kind == Kind.DEFERRED else self.model.refused()
        which = which if self.model.blast in GOES_ON else set()
        with self.database.write() as session:
            assert decisions.retry(session, self.blast_id, Cause(kind)) == len(which)
        self.model.put_back(which)
        return bool(which)

    # What must hold.

    @invariant()
    def the_ledger_is_as_it_should_be(self) -> None:
        model = self.model
        with self.database.read() as session:
            blast = session.scalar(select(Blast.state).where(Blast.id == self.blast_id))
            rows = {n: (state, epoch) for n, state, epoch in session.execute(_ROWS)}
            lots = {n: (state, epoch) for n, state, epoch in session.execute(_LOTS)}
        assert blast == model.blast
        assert rows == {n: (row.state, row.epoch) for n, row in model.rows.items()}
        assert lots == {n: (lot.state, lot.epoch) for n, lot in model.lots.items()}
        assert list(model.broken()) == []
        for n, state in self.before.items():
            assert rows[n][0] == state or state not in FINAL or n in model.may_change, "a final row has changed"
        self.before = {n: state for n, (state, _) in rows.items()}
        model.may_change.clear()
        self.steps += 1

    def all_goes_well(self) -> None:
        """From now on: then the blast comes to its end, and each of its rows with it."""
        self._move("resume")
        while self.model.blast == "launching":
            self.freeze()
        self.end_leases()
        self.let_be_due()
        self.model.works.clear()
        for lot in self.model.lots:
            self._take(lot)
            for work in list(self.model.works):
                self._hand_over(work, [Fate.TAKEN] * len(work.waiting))
                for delivery in list(work.out):
                    self._write_down(work, delivery)
                self._give_back(work, delayed=False)
        self.reconcile()
        self.the_ledger_is_as_it_should_be()
        assert self.model.blast in ("sent", "cancelled")
        assert {row.state for row in self.model.rows.values()} <= set(FINAL)


_ROWS = select(Delivery.id, Delivery.state, Delivery.epoch)
_LOTS = select(Batch.id, Batch.state, Batch.epoch)


@pytest.mark.parametrize(("database_url", "runs"), [("sqlite", 20), ("postgresql", 6)], indirect=["database_url"])
def test_the_ledger_is_as_its_model_whatever_happens(world: World, runs: int) -> None:
    world.join(["en", "es", "en", "en"])
    start(world)
    copies = copies_of(world.installation.database)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Ledger(world, next(copies)),
        settings=settings(
            max_examples=runs,
            stateful_step_count=STEPS,
            derandomize=True,  # the same runs each time
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
