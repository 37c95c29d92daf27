"""Sequences that could break the books: whatever happens, audience = accepted + rejected + skipped + uncertain."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Connection, event, update
from sqlalchemy.exc import DBAPIError

from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all, rejoin
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, BlastState, Rendition
from mobilizer.db import clock
from mobilizer.delivery import claims, launch, leases, reconcile
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.message.dkim import BadSigningKey
from tests.delivery.test_slices import make_due, send
from tests.transport.scripted_relay import DROP
from tests.worlds import World


def start(world: World) -> None:
    """Launch the world's blast without freezing its audience."""
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert launching.launch(session, world.installation.settings, blast, launching.seen(blast))


def freeze(world: World) -> None:
    launch.freeze(world.installation, world.blast_id)


def meanwhile(world: World, statement: str, act: Callable[[], None], during: Callable[[], None]) -> None:
    """Do `act` from another connection as soon as `during` has run a statement with the words `statement`, once.

    On SQLite it waits for the writer that runs; on PostgreSQL it is done before the writer's next statement.
    """
    engine = world.installation.database.engine
    other = Thread(target=act)

    def ran(_connection: Connection, _cursor: Any, text: str, *_: Any) -> None:
        if statement in text and other.ident is None:
            other.start()
            other.join(0.1 if engine.dialect.name == "sqlite" else 20)

    event.listen(engine, "after_cursor_execute", ran)
    try:
        during()
    finally:
        event.remove(engine, "after_cursor_execute", ran)
        other.join(20)


def test_a_blast_whose_audience_is_being_frozen_cannot_be_resumed(world: World) -> None:
    """Resumed, it would be declared sent with most of its audience never written down."""
    world.join(["en"] * 30)
    start(world)
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, batch_size=1, chunk=20)
    with world.installation.database.write() as session:
        assert not lifecycle.resume(session, world.blast_id)
    freeze(world)
    assert world.states() == {"pending": 35}


def test_who_changes_language_while_the_audience_is_frozen_still_has_a_row(world: World) -> None:
    start(world)

    def change_language() -> None:
        with world.installation.database.write() as session:
            session.execute(update(Member).where(Member.id == world.members[0]).values(language="fr"))

    meanwhile(world, "CREATE TEMPORARY TABLE", change_language, lambda: freeze(world))
    assert world.states() == {"pending": 5}


def test_who_joins_while_a_chunk_is_frozen_pushes_nobody_out_of_it(world: World) -> None:
    """One chunk of 20: a 21st that comes in the middle of it must not cost the last one their row."""
    early = world.members[0]
    world.join(["en"] * 20)
    with world.installation.database.write() as session:
        leave_all(session, early)
    start(world)

    def come_back() -> None:
        with world.installation.database.write() as session:
            rejoin(session, early, [world.list_id])

    settings = world.installation.settings.model_copy(update={"batch_size": 1})
    world.installation = dataclasses.replace(world.installation, settings=settings)
    meanwhile(world, "CREATE TEMPORARY TABLE", come_back, lambda: freeze(world))
    for member_id in world.members[1:]:
        assert world.delivery(member_id).state == "pending"


def test_a_second_freezer_leaves_a_chunk_that_is_being_frozen_alone(world: World) -> None:
    start(world)
    again: list[object] = []

    def freeze_too() -> None:
        try:
            freeze(world)
        except DBAPIError as error:
            again.append(error)

    meanwhile(world, "CREATE TEMPORARY TABLE", freeze_too, lambda: freeze(world))
    assert again == []
    assert world.states() == {"pending": 5}


@pytest.mark.parametrize(
    ("answer", "state"), [(b"451 4.3.0 later\r\n", "uncertain"), (b"250 2.0.0 taken\r\n", "accepted")]
)
def test_an_answer_that_comes_after_the_batch_was_taken_over_opens_nothing_again(
    world: World, answer: bytes, state: str
) -> None:
    """The relay is so slow that another worker has swept the row and the blast is declared sent meanwhile."""
    world.launch()
    taken: list[int] = []

    def take_over(_line: str) -> bytes:
        if not taken:
            with world.installation.database.write() as session:
                session.execute(update(Batch).values(lease_until=clock(-1)).where(Batch.state == "leased"))
            taken.append(1)
            send(world)
            with world.installation.database.write() as session:
                taken.extend(reconcile.finish(session))
        return answer

    send(world, {"DOT": take_over}, connections=1)
    assert taken == [1, world.blast_id], "it was declared sent"
    assert world.states().pop(state) >= 1
    assert "pending" not in world.states(), "a blast that is sent has no open row"


def test_what_was_in_hand_is_settled_though_the_blast_was_cancelled_after_its_batch_came_back(world: World) -> None:
    world.launch()
    batch = world.delivery(world.members[0]).batch_id
    with world.installation.database.write() as session:
        lease = leases.take(session, batch, "test")
        assert lease is not None
        session.execute(update(Delivery).where(Delivery.batch_id == batch).values(state="handing", epoch=lease.epoch))
        leases.give_back(session, lease)  # as a worker does that fails between content and settling
        lifecycle.cancel(session, world.blast_id)
        reconcile.settle_cancelled(session)
    assert world.states() == {"skipped": 2, "uncertain": 3}


def test_what_a_worker_has_in_hand_is_left_to_it_when_the_blast_is_cancelled(world: World) -> None:
    world.launch()
    batch = world.delivery(world.members[0]).batch_id
    with world.installation.database.write() as session:
        lease = leases.take(session, batch, "test")
        assert lease is not None
        session.execute(update(Delivery).where(Delivery.batch_id == batch).values(state="handing", epoch=lease.epoch))
        lifecycle.cancel(session, world.blast_id)
        reconcile.settle_cancelled(session)
    assert world.states() == {"skipped": 2, "handing": 3}


def test_after_a_hold_for_refusals_a_person_can_go_on(world: World) -> None:
    world.join(["en"] * 30)
    world.launch()
    with world.installation.database.write() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.member_id.in_(world.members[:25]))
            .values(state="rejected", reason="policy", settled_at=clock(-10))
        )
        reconcile.hold_refused(session)
    assert world.blast().state == "held"
    with world.installation.database.write() as session:
        assert lifecycle.resume(session, world.blast_id)
        reconcile.hold_refused(session)
    assert world.blast().state == "sending", "what a person has seen holds nothing again"


def test_a_schedule_that_is_too_late_waits_for_a_person_and_mails_nobody(world: World) -> None:
    """Held like a blast under way, to resume it would declare it sent to nobody."""
    with world.installation.database.write() as session:
        lifecycle.move(session, world.blast_id, BlastState.READY)
        lifecycle.move(session, world.blast_id, BlastState.SCHEDULED, scheduled_at=clock(-7200))
        reconcile.start_due(session)
        lifecycle.resume(session, world.blast_id)
        reconcile.finish(session)
    blast = world.blast()
    assert blast.state == "ready"
    assert blast.held_for is not None
    assert blast.held_for.code == "held.late"


def test_a_paused_blast_leaves_the_relay_alone(world: World) -> None:
    world.join(["en"] * 40)
    world.launch()

    def pause(_line: str) -> bytes:
        with world.installation.database.write() as session:
            lifecycle.pause(session, world.blast_id)
        return b"354 go on\r\n"

    relay = send(world, {"DATA": pause}, connections=2)
    assert relay.messages == []
    assert len([line for line in relay.heard if line.startswith("RCPT")]) <= 2, "one round, and no more"


def test_a_blast_goes_on_with_fresh_connections_after_a_relays_trouble(world: World) -> None:
    """A lane that was closed because another had trouble is not taken for the relay's next trouble."""
    world.join(["es"] * 2)
    world.launch()
    first = iter([b"550 5.1.1 no\r\n", b"421 4.3.2 closing\r\n", DROP])
    relay = send(world, {"RCPT": lambda _line: next(first, b"250 2.1.5 ok\r\n")}, connections=3)
    assert len(relay.messages) >= 4
    assert world.blast().troubles == 0


@pytest.mark.parametrize("attributes", [None, ["a"], "text", 7, {"k": {"deep": [1]}, "n": None}])
def test_attributes_of_an_odd_kind_sink_nobody_else(world: World, attributes: object) -> None:
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Member).where(Member.id == world.members[0]).values(attributes=attributes))
    send(world)
    odd = world.delivery(world.members[0])
    assert odd.state == ("accepted" if isinstance(attributes, dict) else "skipped")
    assert world.states()["accepted"] >= 4


def test_a_rendition_that_cannot_be_read_holds_the_blast_and_says_so(world: World) -> None:
    """As after an update of the software in the middle of a blast: nobody is skipped for it."""
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Rendition).values(compiled="from another time"))
    for _ in range(5):
        with contextlib.suppress(ValueError):
            send(world)
        make_due(world)
    assert world.blast().state == "held"
    assert world.states() == {"pending": 5}


def test_a_signing_key_that_is_none_holds_the_blast_and_says_so(world: World) -> None:
    folder = world.installation.settings.home / "dkim" / world.installation.settings.sender_domain
    folder.mkdir(parents=True)
    (folder / "mail.pem").write_text("not a key")
    world.launch()
    for _ in range(5):
        with contextlib.suppress(BadSigningKey):
            send(world)
        make_due(world)
    assert world.blast().state == "held"
    assert world.states() == {"pending": 5}


def test_a_relay_that_hangs_up_before_the_content_is_no_members_fault(world: World) -> None:
    world.launch()
    hang_up = {"DATA": b"354 go on\r\n421 4.3.2 closing\r\n"}
    send(world, hang_up)
    assert {world.delivery(m).tries for m in world.members} == {0}
    assert world.states() == {"pending": 5}
    assert world.blast().troubles > 0
    make_due(world)
    send(world)
    assert world.states() == {"accepted": 5}


def test_a_pause_holds_against_the_retry_of_a_held_blast(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        lifecycle.hold(session, world.blast_id, reconcile.LATE, retry_seconds=-1)

    def pause() -> None:
        with world.installation.database.write() as session:
            assert lifecycle.pause(session, world.blast_id)

    def retry() -> None:
        with world.installation.database.write() as session:
            reconcile.retry_held(session)

    meanwhile(world, "FROM blasts", pause, retry)
    assert world.blast().state == "paused"


def test_a_relay_that_loses_answer_after_answer_holds_the_blast_before_all_of_it_is_uncertain(world: World) -> None:
    world.join(["en"] * 60)
    world.launch()
    for _ in range(5):
        send(world, {"DOT": DROP})
        make_due(world)
    assert world.blast().state == "held"
    states = world.states()
    assert set(states) == {"uncertain", "pending"}
    assert states["pending"] >= 30


@pytest.mark.parametrize("reason", ["suppressed", "erased"])
def test_who_is_suppressed_or_erased_while_the_relay_answers_gets_nothing(world: World, reason: str) -> None:
    """After 354, and before the content: only the claim itself can still know."""
    world.launch()

    def forbid(_line: str) -> bytes:
        with world.installation.database.write() as session:
            member = session.get(Member, world.members[0])
            if member is not None and reason == "suppressed":
                suppress(session, member.address_key, SuppressedFor.COMPLAINT)
            elif member is not None:
                session.delete(member)
        return b"354 go on\r\n"

    relay = send(world, {"DATA": forbid}, connections=1)
    assert not [m for m in relay.messages if b"member0@" in m]
    assert world.delivery(world.members[0]).reason == reason
    assert world.states() == {"accepted": 4, "skipped": 1}


def test_a_blast_whose_last_message_is_in_hand_is_not_declared_sent(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(state="handing", epoch=1))
        assert reconcile.finish(session) == []


def test_whoever_comes_after_an_erased_member_is_somebody_else(world: World) -> None:
    """Rows and links in old mails name members by number: a number must never come back."""
    world.launch()
    with world.installation.database.write() as session:
        session.delete(session.get_one(Member, world.members[-1]))
    erased = world.members[-1]
    assert erased not in world.join(["en"])


@pytest.mark.parametrize("state", ["handing", "accepted", "rejected", "skipped", "uncertain"])
def test_only_a_pending_row_can_be_claimed_even_under_a_good_lease(world: World, state: str) -> None:
    """A claim of an earlier lease that was committed late: to claim the row once more would be a second mail."""
    world.launch()
    row = world.delivery(world.members[0])
    with world.installation.database.write() as session:
        lease = leases.take(session, row.batch_id, "test")
        assert lease is not None
        session.execute(update(Delivery).where(Delivery.id == row.id).values(state=state, epoch=lease.epoch - 1))
        assert claims.claim(session.connection(), lease, [row.id]) == set()


def test_a_batch_with_a_message_in_hand_is_not_done(world: World) -> None:
    """Its worker failed between content and settling: the next lease must be able to sweep the row."""
    world.launch()
    batch = world.delivery(world.members[0]).batch_id
    with world.installation.database.write() as session:
        lease = leases.take(session, batch, "test")
        assert lease is not None
        session.execute(update(Delivery).where(Delivery.batch_id == batch).values(state="handing", epoch=lease.epoch))
        leases.give_back(session, lease)
        assert leases.take(session, batch, "next") is not None
    assert world.states() == {"pending": 2, "uncertain": 3}


@pytest.mark.parametrize("state", ["pending", "handing"])
def test_answers_under_a_lease_that_is_void_write_over_nothing(world: World, state: str) -> None:
    """The row is the next owner's by now: pending for their offer, or in hand by their claim."""
    world.launch()
    row = world.delivery(world.members[0])
    with world.installation.database.write() as session:
        old = leases.take(session, row.batch_id, "test")
        assert old is not None
        session.execute(update(Batch).values(epoch=old.epoch + 1))
        session.execute(update(Delivery).where(Delivery.id == row.id).values(state=state, epoch=old.epoch + 1))
        answers = [claims.Settlement(row.id, DeliveryState.REJECTED, reason="hard", code=550)]
        claims.settle(session.connection(), old, answers)
        claims.settle_unclaimed(session.connection(), old, answers)
    assert world.delivery(world.members[0]).state == state


def test_a_row_that_must_wait_is_left_alone_though_its_batch_is_due(world: World) -> None:
    """A greylisted member is not tried again because somebody else of the batch is."""
    world.launch()
    send(world, {"RCPT": b"450 4.2.0 later\r\n"})
    with world.installation.database.write() as session:
        session.execute(update(Batch).values(due_at=clock(-1)))
    assert [line for line in send(world).heard if line.startswith("RCPT")] == []
    assert world.states() == {"pending": 5}
