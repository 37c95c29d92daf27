"""Mutants: the engine with one of its rules broken. Each is found out by the books, which are in order without it.

A mutant works as well as the real engine in fair weather. What finds it out is a scenario: the one moment that the
rule is there for. The judge knows nothing of the engine: it holds what the relay got against what the ledger says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from types import ModuleType

import pytest
from sqlalchemy import Dialect, Select, func, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import Prepared
from mobilizer.delivery import claims, decisions, leases, reconcile
from mobilizer.delivery.carriers import Carrier, Message
from mobilizer.delivery.claims import Receipt
from mobilizer.delivery.decisions import Which
from mobilizer.delivery.leases import Lease
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.delivery.slices import Slice
from mobilizer.failpoints import Point
from tests.delivery.witness import GO_ON, TAKEN, Witness, at_first
from tests.transport.scripted_relay import DROP
from tests.worlds import World

NOT_NOW, NEVER = b"451 4.3.0 not now\r\n", b"554 5.6.0 never\r\n"
PATIENCE = 20  # seconds

Mutate = Callable[[pytest.MonkeyPatch], None]
Scenario = Callable[[Witness], None]


# Scenarios: what happens to a blast until the rest of it may go well.


def fair_weather(_witness: Witness) -> None:
    """Nothing."""


def killed_with_a_content_out(witness: Witness) -> None:
    """The worker dies when a content has left and its answer has not come."""
    witness.send_and_die(Point.CONTENT_WRITTEN)


def killed_before_the_claim_is_committed(witness: Witness) -> None:
    """The worker dies when the relay waits for the content, and nobody knows yet that it may go."""
    witness.send_and_die(Point.CLAIM_BEFORE_COMMIT)


def lease_lost_before_the_content(witness: Witness) -> None:
    """The worker was so slow that at 354 its lease is another's; that one's goes on to a third meanwhile."""
    witness.send(
        DATA=at_first(lambda: witness.take_over("second"), GO_ON),
        DOT=at_first(lambda: witness.take_over("third"), NOT_NOW, TAKEN),
    )


def late_not_now_meets_a_second_try(witness: Witness) -> None:
    """A relay says "not now" so late that the row was swept, put back by a person, and is in another's hand, whose
    answer is lost."""
    _meets_a_second_try(witness, late=NOT_NOW, second=DROP)


def late_yes_meets_a_second_try(witness: Witness) -> None:
    """A relay says yes so late that the row is in another's hand, and that one is told no: one mail has arrived."""
    _meets_a_second_try(witness, late=TAKEN, second=NEVER)


def _meets_a_second_try(witness: Witness, late: bytes, second: bytes) -> None:
    handed, tried_again = Event(), Event()

    def hold() -> None:
        handed.set()
        assert tried_again.wait(PATIENCE)

    slow = Thread(target=lambda: witness.send("slow", DOT=at_first(hold, late, TAKEN)))
    slow.start()
    assert handed.wait(PATIENCE)
    taken = witness.take_over("second")
    with witness.world.installation.database.write() as session:
        for lease in taken:
            leases.give_back(session, lease)
        assert decisions.resend(session, witness.world.blast_id, Which()) == 1

    def let_the_slow_one_end() -> None:
        tried_again.set()
        slow.join(PATIENCE)

    witness.send("third", DOT=at_first(let_the_slow_one_end, second, TAKEN))
    assert not slow.is_alive()


def suppressed_before_the_content(witness: Witness) -> None:
    """An address is suppressed when the relay already waits for its content."""
    member = _first(witness)

    def forbid() -> None:
        with witness.world.installation.database.write() as session:
            suppress(session, session.get_one(Member, member).address_key, SuppressedFor.COMPLAINT)

    witness.send(DATA=at_first(forbid, GO_ON))


def left_before_the_content(witness: Witness) -> None:
    """A member unsubscribes when the relay already waits for their content."""
    member = _first(witness)

    def leave() -> None:
        with witness.world.installation.database.write() as session:
            assert leave_all(session, member)

    witness.send(DATA=at_first(leave, GO_ON))


def paused_before_the_content(witness: Witness) -> None:
    """A person pauses the blast when the relay already waits for a content, and one member leaves in the pause."""
    member, database = _first(witness), witness.world.installation.database

    def pause() -> None:
        with database.write() as session:
            assert lifecycle.pause(session, witness.world.blast_id)

    witness.send(DATA=at_first(pause, GO_ON))
    with database.write() as session:
        leave_all(session, member)
        assert lifecycle.resume(session, witness.world.blast_id)


def refused_after_the_content(witness: Witness) -> None:
    """One answer is lost and the message with it, another is a no."""
    witness.send(DOT=at_first(lambda: None, DROP, TAKEN))
    witness.send(DOT=NEVER)


def one_is_told_not_now(witness: Witness) -> None:
    """All have been handed over, and one of them must be once more."""
    witness.send(DOT=at_first(lambda: None, NOT_NOW, TAKEN))


def _first(witness: Witness) -> int:
    """Whose message is offered first; they are taken off before its content."""
    member = witness.world.members[0]
    witness.taken_off.add(member)
    return member


# Mutations: one rule broken, the rest as it is.


class Reworded(Prepared):
    """A real statement with some of its words changed."""

    def __init__(self, real: Prepared, words: str, others: str) -> None:
        self._real, self._words, self._others = real, words, others

    def _for(self, dialect: Dialect) -> tuple[str, Callable[[tuple[object, ...]], object]]:
        text, arrange = self._real._for(dialect)
        assert text.count(self._words) == 1, f"the statement has changed; the mutant must too: {text}"
        return text.replace(self._words, self._others), arrange


def reworded(statement: str, words: str, others: str) -> Mutate:
    """Change some words of a statement of the claims."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(claims, statement, Reworded(getattr(claims, statement), words, others))

    return mutate


def replaced(place: ModuleType | type, **functions: Callable[..., object]) -> Mutate:
    """Put other functions in the place of the real ones."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        for name, function in functions.items():
            patch.setattr(place, name, function)

    return mutate


def sweep_to_pending(session: Session, lease: Lease) -> int:
    """The rows that an earlier owner had in hand are sent again."""
    rows = (*leases.open_rows(lease), Delivery.state == "handing", Delivery.epoch < lease.epoch)
    session.execute(update(Delivery).where(*rows).values(state="pending"))
    return 0


def hand_over_then_claim(self: Slice) -> None:
    """What is at 354 is handed over, and claimed then."""
    asking = list(self._post.ready)
    self._post.ready.clear()
    for line, _ in asking:
        self._lanes.lines.resume(line, True)
    self._hands.commit([(message.hand, message.relay, message.delivery) for _, message in asking])


_hand_over = Carrier._hand_over


def accept_when_written(self: Carrier, message: Message) -> None:
    """The row is accepted with the commit after its content, whatever the relay says."""
    _hand_over(self, message)
    message.hand.receipts.append(Receipt(message.delivery, "", self._route.name, ""))


def skip_all_the_left(session: Session, lease: Lease) -> int:
    """Whoever is not done when a lease ends is given up."""
    pending = (*leases.open_rows(lease), Delivery.state == "pending")
    session.execute(update(Delivery).where(*pending).values(state="skipped", reason="unsubscribed"))
    return 0


def all_were_handed() -> Select[int]:
    """A blast is sent when as many rows have been handed over as its batches have."""
    handed = select(func.count()).where(Delivery.blast_id == Blast.id, Delivery.epoch > 0).scalar_subquery()
    size = select(func.sum(Batch.size)).where(Batch.blast_id == Blast.id).scalar_subquery()
    return select(Blast.id).where(Blast.state == BlastState.SENDING, handed >= size)


def all_batches_are_done() -> Select[int]:
    """A blast is sent when its last batch is done: by the worker who closes the door."""
    undone = select(Batch.id).where(Batch.blast_id == Blast.id, Batch.state != "done").exists()
    return select(Blast.id).where(Blast.state == BlastState.SENDING, ~undone)


def close_the_door(session: Session, lease: Lease, delay_seconds: float = 0) -> bool:
    """A batch is done when its worker has come to the end of it."""
    if delay_seconds:
        return leases._update_mine(session, lease, state="open", lease_until=None)
    return leases._update_mine(session, lease, state="done", lease_until=None)


def both(one: Mutate, other: Mutate) -> Mutate:
    """Two changes that make one mutant."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        one(patch)
        other(patch)

    return mutate


@dataclass(frozen=True)
class Mutant:
    """A broken rule, the moment that it is there for, and what the books say if it is missing."""

    name: str
    mutate: Mutate
    scenario: Scenario
    found: str


TWICE = "handed over more than once"
FORBIDDEN = "had left or were suppressed before"
OPEN = "rows that are still open"
OTHERWISE = "messages that the relay took though their row says otherwise"
CLAIM_LAST = replaced(Slice, _claim_and_settle=hand_over_then_claim)

# fmt: off
MUTANTS = (
    Mutant("claim_without_the_epoch",
           reworded("_CLAIM", "batches.epoch = ", "batches.epoch >= "),
           lease_lost_before_the_content, "uncertain without a lost answer"),
    Mutant("settle_without_the_epoch",
           reworded("_SETTLE", "deliveries.epoch = ", "deliveries.epoch >= "),
           late_not_now_meets_a_second_try, TWICE),
    Mutant("accept_under_its_own_epoch_only",
           reworded("_ACCEPT", "deliveries.epoch >= ", "deliveries.epoch = "),
           late_yes_meets_a_second_try, OTHERWISE),
    Mutant("settle_what_is_accepted",
           reworded("_SETTLE", "(deliveries.state = 'handing' OR deliveries.state = 'uncertain')", "1 = 1"),
           late_yes_meets_a_second_try, OTHERWISE),
    Mutant("claim_without_the_suppressions",
           reworded("_CLAIM", "NOT (EXISTS (SELECT suppressions", "(1 = 1 OR EXISTS (SELECT suppressions"),
           suppressed_before_the_content, FORBIDDEN),
    Mutant("claim_without_the_subscriptions",
           reworded("_CLAIM", "(EXISTS (SELECT subscriptions", "(1 = 1 OR EXISTS (SELECT subscriptions"),
           left_before_the_content, FORBIDDEN),
    Mutant("claim_without_the_pause",
           reworded("_CLAIM", "blasts.state = 'sending'", "blasts.state <> ''"),
           paused_before_the_content, FORBIDDEN),
    Mutant("resend_handing_rows",
           replaced(leases, sweep=sweep_to_pending),
           killed_with_a_content_out, TWICE),
    Mutant("claim_after_the_content",
           CLAIM_LAST,
           killed_before_the_claim_is_committed, TWICE),
    Mutant("claim_after_the_content_of_who_left",
           CLAIM_LAST,
           left_before_the_content, FORBIDDEN),
    Mutant("settle_before_the_reply",
           replaced(Carrier, _hand_over=accept_when_written),
           refused_after_the_content, "though the relay never said yes"),
    Mutant("finish_by_a_counter_of_messages",
           replaced(reconcile, _all_final=all_were_handed),
           one_is_told_not_now, OPEN),
    Mutant("finish_by_batches_that_are_done",
           both(replaced(reconcile, _all_final=all_batches_are_done), replaced(leases, give_back=close_the_door)),
           one_is_told_not_now, OPEN),
    Mutant("skip_who_is_left_over",
           replaced(claims, skip_the_left=skip_all_the_left),
           one_is_told_not_now, "skipped though they never left"),
)
# fmt: on
SCENARIOS = dict.fromkeys((fair_weather, *(mutant.scenario for mutant in MUTANTS)))


def books_after(world: World, scenario: Scenario) -> list[str]:
    """What is wrong with the books of a blast that a scenario has happened to."""
    world.launch()
    witness = Witness(world)
    scenario(witness)
    return witness.rest()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_engine_keeps_its_books_in_order(world: World, scenario: Scenario) -> None:
    assert books_after(world, scenario) == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_this_mutant_is_found_out(world: World, mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.mutate(monkeypatch)
    assert mutant.found in "; ".join(books_after(world, mutant.scenario))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_in_fair_weather_nobody_sees_this_mutant(world: World, mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is the scenario that finds it out; the mutant is not simply too broken to live."""
    mutant.mutate(monkeypatch)
    assert books_after(world, fair_weather) == []
