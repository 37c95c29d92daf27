"""The engine against a relay that misbehaves: every answer ends in the ledger as the promise says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import NoResultFound

from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all
from mobilizer.audience.suppressing import is_suppressed, suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Rendition
from mobilizer.db import Database, clock
from mobilizer.delivery import reconcile, slices
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.installation import KeyPrint
from mobilizer.keys import Keyring, UnknownKey
from tests.transport.scripted_relay import DROP, Answer, ScriptedRelay
from tests.worlds import World


def send(
    world: World, answers: Mapping[str, Answer] | None = None, connections: int = 2, **more: object
) -> ScriptedRelay:
    """Work every batch of the world's blast once, against a relay that answers so, with some settings changed."""
    with ScriptedRelay(answers) as relay:
        here = world.installation
        settings = here.settings.model_copy(
            update={"smtp_port": relay.port, "smtp_connections": connections, "loopback_only": True, **more}
        )
        for batch in world.batches():
            slices.send(dataclasses.replace(here, settings=settings), batch, "test", lambda: False)
    return relay


def make_due(world: World) -> None:
    """Let every waiting row and batch be due now."""
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(next_at=clock(-1)).where(Delivery.next_at.is_not(None)))
        session.execute(update(Batch).values(due_at=clock(-1)))


def test_every_member_gets_one_mail_and_the_blast_is_declared_sent(world: World) -> None:
    world.launch()
    relay = send(world)
    assert len(relay.messages) == 5
    assert world.states() == {"accepted": 5}
    with world.installation.database.write() as session:
        assert reconcile.finish(session) == [world.blast_id]
    assert world.blast().state == "sent"


def test_working_a_batch_again_sends_nothing_again(world: World) -> None:
    world.launch()
    send(world)
    assert send(world).messages == []
    assert world.states() == {"accepted": 5}


def test_a_blast_with_an_open_row_is_not_declared_sent(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        assert reconcile.finish(session) == []


@pytest.mark.parametrize(
    ("command", "answer", "state", "reason"),
    [
        ("RCPT", b"550 5.1.1 no such user\r\n", "rejected", "hard"),
        ("RCPT", b"550 5.7.1 not from you\r\n", "rejected", "policy"),
        ("RCPT", b"552 5.2.2 mailbox full\r\n", "rejected", "full"),
        ("RCPT", b"450 4.2.0 greylisted\r\n", "pending", "soft"),
        ("DATA", b"451 4.3.0 later\r\n", "pending", "soft"),
        ("DOT", b"554 5.6.0 spam\r\n", "rejected", "policy"),
        ("DOT", b"451 4.3.0 later\r\n", "pending", "soft"),
    ],
)
def test_an_answer_becomes_a_row(world: World, command: str, answer: bytes, state: str, reason: str) -> None:
    world.launch()
    send(world, {command: answer})
    assert world.states() == {state: 5}
    assert world.delivery(world.members[0]).reason == reason


def test_an_answer_that_never_comes_is_uncertain_and_after_three_in_a_row_it_stops(world: World) -> None:
    world.launch()
    relay = send(world, {"DOT": DROP}, connections=1)
    assert len(relay.messages) == 3
    assert world.states() == {"uncertain": 3, "pending": 2}
    make_due(world)
    assert len(send(world).messages) == 2
    assert world.states() == {"uncertain": 3, "accepted": 2}


def test_a_hard_no_suppresses_the_address_and_a_policy_no_does_not(world: World) -> None:
    world.launch()
    send(world, {"RCPT": lambda line: b"550 5.1.1 no\r\n" if "member0" in line else b"550 5.7.1 no\r\n"})
    with world.installation.database.read() as session:
        keys = [session.get_one(Member, member_id).address_key for member_id in world.members]
        assert [is_suppressed(session, key) for key in keys] == [True, False, False, False, False]


def test_a_deferred_member_is_tried_again_when_due_and_gets_one_mail(world: World) -> None:
    world.launch()
    send(world, {"RCPT": b"450 4.2.0 later\r\n"})
    assert send(world).messages == [], "it must wait"
    make_due(world)
    assert len(send(world).messages) == 5
    assert world.states() == {"accepted": 5}
    assert {world.delivery(m).tries for m in world.members} == {1}


def test_after_48_hours_of_not_now_it_is_a_no(world: World) -> None:
    world.launch()
    for _ in range(8):
        send(world, {"RCPT": b"450 4.2.0 later\r\n"})
        make_due(world)
    assert world.states() == {"rejected": 5}
    assert world.delivery(world.members[0]).reason == "soft"


def test_who_leaves_or_is_suppressed_after_launch_is_skipped_with_the_reason(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        leave_all(session, world.members[0])
        suppress(session, session.get_one(Member, world.members[1]).address_key, SuppressedFor.COMPLAINT)
        session.delete(session.get_one(Member, world.members[2]))
    relay = send(world)
    assert len(relay.messages) == 2
    assert [world.delivery(m).reason for m in world.members[:3]] == ["unsubscribed", "suppressed", "erased"]


def test_who_leaves_while_the_relay_answers_gets_nothing(world: World) -> None:
    """The claim is asked after 354: leaving between RCPT and content still holds."""
    world.launch()

    def leave(_line: str) -> bytes:
        with world.installation.database.write() as session:
            leave_all(session, world.members[0])
        return b"354 go on\r\n"

    relay = send(world, {"DATA": leave}, connections=1)
    assert not [m for m in relay.messages if b"member0@" in m]
    assert world.delivery(world.members[0]).reason == "unsubscribed"
    assert world.states() == {"accepted": 4, "skipped": 1}


def test_pausing_stops_before_the_next_content_and_resuming_sends_the_rest(world: World) -> None:
    world.launch()
    seen = []

    def pause_after_two(_line: str) -> bytes:
        seen.append(1)
        if len(seen) == 3:
            with world.installation.database.write() as session:
                assert lifecycle.pause(session, world.blast_id)
        return b"354 go on\r\n"

    send(world, {"DATA": pause_after_two}, connections=1)
    assert world.states() == {"accepted": 2, "pending": 3}
    with world.installation.database.write() as session:
        lifecycle.resume(session, world.blast_id)
    assert len(send(world).messages) == 3
    assert world.states() == {"accepted": 5}


def test_what_a_lost_worker_had_in_hand_is_uncertain_and_never_sent_again(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        one = session.scalars(select(Delivery).order_by(Delivery.id)).first()
        assert one is not None
        one.state, one.epoch = "handing", 1
        session.execute(
            update(Batch).where(Batch.id == one.batch_id).values(state="leased", epoch=1, lease_until=clock(-1))
        )
    relay = send(world)
    assert len(relay.messages) == 4
    assert world.states() == {"accepted": 4, "uncertain": 1}


def test_a_batch_that_another_worker_holds_is_left_alone(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(Batch).values(state="leased", epoch=1, lease_until=clock(60)))
    assert send(world).messages == []
    assert world.states() == {"pending": 5}


def test_a_worker_that_lost_its_lease_claims_nothing_more(world: World) -> None:
    world.launch()

    def steal(_line: str) -> bytes:
        with world.installation.database.write() as session:
            session.execute(update(Batch).values(epoch=Batch.epoch + 1, lease_until=clock(60)))
        return b"354 go on\r\n"

    assert send(world, {"DATA": steal}, connections=1).messages == []
    assert world.states() == {"pending": 5}


@pytest.mark.parametrize(
    "answers",
    [
        {"BANNER": b"421 4.3.2 closing\r\n"},
        {"BANNER": DROP},
        {"MAIL": b"550 5.7.1 sender refused\r\n"},
        {"MAIL": b"451 4.7.0 later\r\n"},
        {"RCPT": b"421 4.3.2 closing\r\n"},
        {"EHLO": b"garbage\r\n"},
    ],
)
def test_the_relays_trouble_changes_no_member(world: World, answers: dict[str, Answer]) -> None:
    world.launch()
    send(world, answers)
    assert world.states() == {"pending": 5}
    assert world.blast().troubles > 0
    make_due(world)
    send(world)
    assert world.states() == {"accepted": 5}
    assert world.blast().troubles == 0


def test_after_troubles_in_a_row_the_blast_holds_and_says_why(world: World) -> None:
    world.launch()
    for _ in range(5):
        send(world, {"BANNER": b"421 4.3.2 closing for today\r\n"})
        make_due(world)
    blast = world.blast()
    assert blast.state == "held"
    assert "closing for today" in blast.hold_reason
    assert blast.retry_at is not None


def test_a_missing_starttls_holds_at_once_and_nothing_goes_in_clear(world: World) -> None:
    world.launch()
    world.installation = dataclasses.replace(
        world.installation, settings=world.installation.settings.model_copy(update={"smtp_tls": "starttls"})
    )
    relay = send(world)
    assert relay.messages == []
    assert world.blast().state == "held"
    assert world.blast().retry_at is None


def test_a_row_that_cannot_be_made_is_skipped_and_sinks_nobody(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        session.get_one(Member, world.members[0]).sealed = b"\1broken"
    assert len(send(world).messages) == 4
    assert (world.delivery(world.members[0]).state, world.delivery(world.members[0]).reason) == (
        "skipped",
        "unrenderable",
    )


def test_a_few_rows_that_cannot_be_made_are_skipped_where_there_is_nobody_else(world: World) -> None:
    world.launch()
    spoil(world, world.members)
    assert send(world).messages == []
    assert world.states() == {"skipped": 5}


def test_message_after_message_that_cannot_be_made_is_our_fault_and_skips_nobody(world: World) -> None:
    many = world.join(["en"] * 60)
    world.launch()
    spoil(world, many)
    for _ in range(8):
        send(world)
        make_due(world)
    # Whoever came before the many and could be made a message has it; of the many, nobody is given up.
    assert set(world.states()) <= {"pending", "accepted"}
    assert world.states()["pending"] >= 60
    assert world.blast().state == "held"
    assert "can't be made" in world.blast().hold_reason


def test_a_rendition_that_is_gone_is_our_fault_and_skips_nobody(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        session.execute(delete(Rendition).where(Rendition.language == "en"))
    with pytest.raises(NoResultFound):
        send(world)
    assert "skipped" not in world.states()


def test_a_key_that_was_made_meanwhile_is_waited_for_and_an_unknown_one_is_a_broken_row(world: World) -> None:
    world.launch()
    here = world.installation
    newer = Keyring({1: b"k" * 32, 2: b"n" * 32}, b"i" * 32)
    with here.database.write() as session:
        member = session.get_one(Member, world.members[0])
        member.sealed = newer.seal("new@example.org\0", member.address_key)
    relearn(here.database, newer)
    with pytest.raises(UnknownKey):
        send(world)
    assert world.delivery(world.members[0]).state == "pending"
    relearn(here.database, here.keyring)
    make_due(world)
    send(world)
    assert world.delivery(world.members[0]).reason == "unrenderable"


def spoil(world: World, members: Sequence[int]) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Member).where(Member.id.in_(members)).values(sealed=b"\1broken"))


def relearn(database: Database, keyring: Keyring) -> None:
    """Let a database know just the keys of this ring."""
    with database.write() as session:
        session.execute(delete(KeyPrint))
        session.add_all(KeyPrint(key_id=key_id, print=value) for key_id, value in keyring.prints.items())


def test_twenty_policy_refusals_in_a_row_hold_the_blast(world: World) -> None:
    world.join(["en"] * 60)
    world.launch()
    send(world, {"DOT": b"554 5.7.1 spam\r\n"})
    assert world.blast().state == "held"
    assert world.states()["pending"] >= 30


def test_cancelling_skips_what_has_not_started(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        lifecycle.cancel(session, world.blast_id)
        reconcile.settle_cancelled(session)
    assert send(world).messages == []
    assert world.states() == {"skipped": 5}
    assert world.delivery(world.members[0]).reason == "cancelled"


def test_stopping_ends_the_slice_between_messages_and_gives_the_batch_back(world: World) -> None:
    world.launch()
    with ScriptedRelay() as relay:
        settings = world.installation.settings.model_copy(
            update={"smtp_port": relay.port, "smtp_connections": 1, "loopback_only": True}
        )
        slices.send(
            dataclasses.replace(world.installation, settings=settings),
            world.batches()[0],
            "test",
            lambda: len(relay.messages) >= 1,
        )
    assert world.states() == {"accepted": 1, "pending": 4}
    assert send(world).messages
    assert world.states() == {"accepted": 5}


def test_a_single_row_left_holds_the_blast_too_when_the_relay_stays_in_trouble(world: World) -> None:
    """One row never meets three troubles in one slice; each slice's trouble counts all the same."""
    world.launch()
    send(world, {"RCPT": lambda line: b"450 4.2.0 later\r\n" if "member0@" in line else b"250 2.1.5 ok\r\n"})
    for _ in range(5):
        make_due(world)
        send(world, {"RCPT": b"421 4.3.2 closing\r\n"})
    assert world.states() == {"accepted": 4, "pending": 1}
    assert world.blast().state == "held"


def test_after_one_trouble_among_many_messages_the_batch_is_not_delayed(world: World) -> None:
    world.launch()
    heard: list[str] = []

    def break_off_once(line: str) -> bytes:
        heard.append(line)
        return b"421 4.3.2 closing\r\n" if len(heard) == 1 else b"250 2.1.5 ok\r\n"

    assert len(send(world, {"RCPT": break_off_once}, connections=1).messages) == 5
    assert world.states() == {"accepted": 5}
    assert world.blast().troubles == 0
