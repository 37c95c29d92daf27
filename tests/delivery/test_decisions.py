"""What only a person may do: put rows back, let uncertain ones be. Once each, in the books, and never lost."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, event, update
from sqlalchemy.orm import Session

from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import causes, claims, decisions, leases, reconcile
from mobilizer.delivery.causes import Cause, Kind
from mobilizer.delivery.claims import Receipt
from mobilizer.delivery.decisions import Which
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.delivery.progress import undecided
from tests.delivery.test_slices import make_due, send
from tests.worlds import World

S = DeliveryState
EVERYTHING = Which()


def write(world: World, act: Callable[[Session], Any]) -> Any:
    with world.installation.database.write() as session:
        return act(session)


def put(world: World, state: str, members: list[int], **values: Any) -> None:
    """Write what became of members' mails, as under a lease that was given back; their batches are done."""

    def act(session: Session) -> None:
        rows = (Delivery.blast_id == world.blast_id, Delivery.member_id.in_(members))
        session.execute(update(Delivery).where(*rows).values(state=state, epoch=1, settled_at=clock(), **values))
        session.execute(update(Batch).values(epoch=1, state="done"))

    write(world, act)


def meanwhile(world: World, words: str, act: Callable[[], object], during: Callable[[], object]) -> None:
    """Do `act` from another connection as soon as `during` has run a statement with some words; where one has to wait
    for the other it waits."""
    engine = world.installation.database.engine
    other = Thread(target=act)

    def ran(_connection: Connection, _cursor: Any, text: str, *_: Any) -> None:
        if words in text and other.ident is None:
            other.start()
            other.join(0.3)

    event.listen(engine, "after_cursor_execute", ran)
    try:
        during()
    finally:
        event.remove(engine, "after_cursor_execute", ran)
        assert other.ident is not None, "the statement was run"
        other.join(30)


@pytest.fixture
def sent(world: World) -> World:
    """A blast that was sent: two mails accepted, two uncertain, one uncertain for another reason."""
    world.launch()
    put(world, S.ACCEPTED, world.members[:2])
    put(world, S.UNCERTAIN, world.members[2:4], reason="worker_lost")
    put(world, S.UNCERTAIN, world.members[4:], reason="connection lost")
    write(world, reconcile.finish)
    assert world.blast().state == "sent"
    return world


def resend(world: World, which: Which = EVERYTHING) -> int:
    return int(write(world, lambda session: decisions.resend(session, world.blast_id, which)))


def leave(world: World, which: Which = EVERYTHING) -> int:
    return int(write(world, lambda session: decisions.leave(session, world.blast_id, which)))


def retry(world: World, key: str) -> int:
    return int(write(world, lambda session: decisions.retry(session, world.blast_id, Cause.parse(key))))


def still_undecided(world: World) -> int:
    with world.installation.database.read() as session:
        return undecided(session, [world.blast_id]).get(world.blast_id, 0)


def test_what_is_left_stays_uncertain_and_is_asked_about_no_more(sent: World) -> None:
    assert leave(sent, Which(reason="worker_lost")) == 2
    assert sent.states() == {"accepted": 2, "uncertain": 3}
    assert still_undecided(sent) == 1
    assert (leave(sent), leave(sent)) == (1, 0)
    assert resend(sent) == 0, "decided is decided"
    assert sent.blast().state == "sent"


def test_what_is_sent_again_opens_its_batch_and_its_blast_until_it_is_answered(sent: World) -> None:
    row = sent.delivery(sent.members[2])
    assert resend(sent, Which(delivery=row.id)) == 1
    assert resend(sent, Which(delivery=row.id)) == 0
    blast, again = sent.blast(), sent.delivery(sent.members[2])
    assert (blast.state, blast.finished_at) == ("sending", None)
    assert (again.state, again.settled_at, again.reason) == ("pending", None, "resent")
    relay = send(sent)
    assert len(relay.messages) == 1
    assert b"member2@" in relay.messages[0]
    assert sent.states() == {"accepted": 3, "uncertain": 2}
    assert write(sent, reconcile.finish) == [sent.blast_id]


def test_who_has_left_since_is_not_sent_it_again(sent: World) -> None:
    key = sent.installation.keyring.address_key("member2@example.org")
    write(sent, lambda session: suppress(session, key, SuppressedFor.MANUAL))
    assert resend(sent) == 3
    assert len(send(sent).messages) == 2
    assert sent.delivery(sent.members[2]).reason == "suppressed"


def test_a_message_that_is_uncertain_once_more_is_asked_about_once_more(sent: World) -> None:
    resend(sent)
    put(sent, S.UNCERTAIN, sent.members[2:], reason="worker_lost")
    assert still_undecided(sent) == 3
    assert leave(sent) == 3


@pytest.mark.parametrize("state", ["cancelled", "launching", "ready"])
def test_a_blast_that_is_over_or_not_frozen_sends_nothing_again(sent: World, state: str) -> None:
    write(sent, lambda session: session.execute(update(Blast).values(state=state)))
    assert resend(sent) == 0
    assert retry(sent, "rejected") == 0
    assert sent.blast().state == state
    assert leave(sent) == 3


@pytest.mark.parametrize("state", ["paused", "held"])
def test_a_blast_that_stands_still_is_not_set_going_by_a_decision(sent: World, state: str) -> None:
    write(sent, lambda session: session.execute(update(Blast).values(state=state)))
    assert resend(sent) == 3
    assert sent.blast().state == state
    assert sent.states() == {"accepted": 2, "pending": 3}


def test_of_two_people_who_decide_at_once_one_does(sent: World) -> None:
    counts: list[int] = []
    both = [Thread(target=lambda verb=verb: counts.append(verb(sent))) for verb in (resend, leave, resend)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert sorted(counts) == [0, 0, 3]


def test_a_late_answer_to_what_was_left_is_still_evidence(sent: World) -> None:
    row = sent.delivery(sent.members[2])
    leave(sent)
    lease = leases.Lease(row.batch_id, sent.blast_id, row.language, epoch=1)
    answer = [claims.Settlement(row.id, S.ACCEPTED, reply="2.0.0 OK")]
    write(sent, lambda session: claims.settle(session.connection(), lease, answer))
    assert sent.states() == {"accepted": 3, "uncertain": 2}
    assert still_undecided(sent) == 0


def test_a_late_answer_to_what_is_sent_again_writes_over_nothing(sent: World) -> None:
    row = sent.delivery(sent.members[2])
    resend(sent)
    lease = leases.Lease(row.batch_id, sent.blast_id, row.language, epoch=1)
    answer = [claims.Settlement(row.id, S.REJECTED, reason="hard", code=550)]
    write(sent, lambda session: claims.settle(session.connection(), lease, answer))
    assert sent.delivery(sent.members[2]).state == "pending"


@pytest.mark.parametrize("state", [S.PENDING, S.HANDING, S.REJECTED, S.SKIPPED, S.UNCERTAIN])
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_late_yes_counts_whatever_was_written_since(sent: World, state: DeliveryState, epoch: int) -> None:
    """The first mail has arrived: so it is in the books, and who works on the second gets no claim for it."""
    row = sent.delivery(sent.members[2])
    resend(sent, Which(delivery=row.id))
    later = write(sent, lambda session: leases.take(session, row.batch_id, "the second"))
    put_as(sent, row.id, state=state, epoch=epoch, reason="soft", code=554, next_at=clock(300), decided_at=None)
    late_yes(sent, row)
    found = sent.delivery(sent.members[2])
    assert (found.state, found.reply, found.relay, found.reason) == ("accepted", "2.0.0 late", "first", "")
    assert (found.code, found.next_at) == (None, None)
    assert write(sent, lambda session: claims.claim(session.connection(), later, [row.id])) == set()


@pytest.mark.parametrize("answer", [S.REJECTED, S.UNCERTAIN, S.PENDING])
def test_after_a_late_yes_no_answer_to_the_second_mail_changes_the_books(sent: World, answer: DeliveryState) -> None:
    row = sent.delivery(sent.members[2])
    resend(sent, Which(delivery=row.id))
    later = write(sent, lambda session: leases.take(session, row.batch_id, "the second"))
    assert write(sent, lambda session: claims.claim(session.connection(), later, [row.id])) == {row.id}
    late_yes(sent, row)
    second = [claims.Settlement(row.id, answer, reason="soft", code=554)]
    write(sent, lambda session: claims.settle(session.connection(), later, second))
    write(sent, lambda session: claims.accept(session.connection(), later, [Receipt(row.id, "2.0.0", "second", "")]))
    assert write(sent, lambda session: leases.give_back(session, later))
    assert write(sent, reconcile.finish) == [sent.blast_id]
    found = sent.delivery(sent.members[2])
    assert (found.state, found.reply, found.relay) == ("accepted", "2.0.0 late", "first")
    assert send(sent).messages == []


def test_a_yes_under_a_lease_that_never_had_the_row_counts_for_nothing(sent: World) -> None:
    row = sent.delivery(sent.members[2])
    lease = leases.Lease(row.batch_id, sent.blast_id, row.language, epoch=2)
    write(sent, lambda session: claims.accept(session.connection(), lease, [Receipt(row.id, "2.0.0", "x", "")]))
    assert sent.delivery(sent.members[2]).state == "uncertain"


def put_as(world: World, delivery: int, **values: Any) -> None:
    """Write what became of one mail since."""
    write(world, lambda session: session.execute(update(Delivery).where(Delivery.id == delivery).values(**values)))


def late_yes(world: World, row: Delivery) -> None:
    """The answer to the first mail, which left under the first lease."""
    lease = leases.Lease(row.batch_id, world.blast_id, row.language, epoch=1)
    receipts = [Receipt(row.id, "2.0.0 late", "first", "")]
    write(world, lambda session: claims.accept(session.connection(), lease, receipts))


def test_rows_put_back_while_their_lease_ends_are_worked_all_the_same(sent: World) -> None:
    """Its owner has counted no open row and is about to call the batch done: it would never be looked at again."""
    row = sent.delivery(sent.members[2])
    resend(sent, Which(delivery=row.id))
    lease = write(sent, lambda session: leases.take(session, row.batch_id, "owner"))
    write(sent, lambda session: session.execute(update(Delivery).where(Delivery.id == row.id).values(state="accepted")))
    others = Which(reason="connection lost") if sent.delivery(sent.members[4]).batch_id == row.batch_id else EVERYTHING
    meanwhile(
        sent,
        "count(",
        lambda: resend(sent, others),
        lambda: write(sent, lambda session: leases.give_back(session, lease)),
    )
    with sent.installation.database.read() as session:
        done = session.query(Batch.id).where(Batch.state == "done").all()
        open_rows = session.query(Delivery.batch_id).where(Delivery.state == "pending").all()
    assert open_rows
    assert {row[0] for row in open_rows} & {row[0] for row in done} == set()


@pytest.mark.parametrize("words", ["EXISTS", "AND blasts.id = "])
def test_a_blast_is_not_declared_sent_while_a_row_is_put_back(sent: World, words: str) -> None:
    write(sent, lambda session: session.execute(update(Blast).values(state="sending")))
    meanwhile(sent, words, lambda: resend(sent), lambda: write(sent, reconcile.finish))
    assert (sent.blast().state, sent.states()) == ("sending", {"accepted": 2, "pending": 3})


def test_what_waits_is_grouped_by_cause_and_tried_at_once_when_a_person_says_so(world: World) -> None:
    world.launch()
    first = send(world, {"RCPT": b"450 4.2.0 Greylisted, try again in 299 seconds\r\n"}, connections=1)
    assert first.messages == []
    with world.installation.database.read() as session:
        found = causes.groups(session, world.blast_id, Kind.DEFERRED).value
        assert causes.count(session, world.blast_id, found[0].cause) == 5
    assert [(group.cause.key, group.people) for group in found] == [("deferred/soft/450/4.2.0/", 5)]
    assert "Greylisted" in found[0].reply
    assert found[0].next_at is not None
    assert retry(world, "deferred/soft/451") == 0
    assert retry(world, found[0].cause.key) == 5
    assert retry(world, found[0].cause.key) == 0, "they are due already"
    assert len(send(world).messages) == 5


@pytest.mark.parametrize(("reason", "again"), [("full", 2), ("policy", 2), ("soft", 2), ("rate", 2), ("hard", 0)])
def test_what_was_refused_is_tried_again_but_for_addresses_that_do_not_exist(
    sent: World, reason: str, again: int
) -> None:
    write(sent, lambda session: session.execute(update(Blast).values(state="sending")))
    put(sent, S.REJECTED, sent.members[:2], reason=reason, code=552, reply="5.2.2 no", tries=3)
    assert retry(sent, f"rejected/{reason}/552/5.2.2") == again
    assert sent.states().get("pending", 0) == again
    if again:
        assert sent.delivery(sent.members[0]).tries == 0


@pytest.mark.parametrize("key", ["rejected", "deferred"])
def test_what_was_accepted_skipped_or_uncertain_is_never_tried_again_by_cause(sent: World, key: str) -> None:
    put(sent, S.SKIPPED, sent.members[:1], reason="suppressed")
    assert retry(sent, key) == 0
    assert sent.states() == {"accepted": 1, "skipped": 1, "uncertain": 3}


def test_a_retry_of_a_sent_blast_sends_again_and_ends_again(sent: World) -> None:
    put(sent, S.REJECTED, sent.members[:2], reason="full", code=552)
    write(sent, lambda session: session.execute(update(Blast).values(state="sent")))
    assert retry(sent, "rejected/full") == 2
    assert sent.blast().state == "sending"
    assert len(send(sent).messages) == 2
    make_due(sent)
    assert write(sent, reconcile.finish) == [sent.blast_id]


@pytest.mark.parametrize("key", ["", "refused", "deferred/soft/x", "hard"])
def test_a_cause_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ValueError):
        Cause.parse(key)


@pytest.mark.parametrize("key", ["deferred", "rejected/full", "deferred/rate/421/4.7.28/gmail", "rejected/soft/450//"])
def test_a_cause_is_read_as_it_was_written(key: str) -> None:
    assert Cause.parse(key).key == key
