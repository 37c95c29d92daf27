"""Many lanes at once: what is in which write, whose turn it is, and which relay carries it."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mobilizer.audience.members import Member
from mobilizer.blasts import lifecycle
from mobilizer.delivery import leases, slices
from mobilizer.delivery.claims import Person
from mobilizer.delivery.lanes import GREETED_AT_ONCE, TROUBLES_IN_A_ROW, Lanes, Load
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.delivery.loads import Loader
from mobilizer.settings import Settings
from mobilizer.transport.outcomes import Accepted, Trouble
from mobilizer.transport.relay import Relay, Timeouts
from mobilizer.transport.relays import RELAYS_FILE, Route
from tests.delivery.test_slices import make_due, send
from tests.transport.scripted_relay import DROP, ScriptedRelay
from tests.worlds import World

LOCK_STEP = b"250-scripted\r\n250 SIZE 100000\r\n"


def languages(relay: ScriptedRelay) -> list[str]:
    """The language of each message, in the order they came."""
    return [re.findall(rb"Content-Language: (\S+)", message)[0].decode() for message in relay.messages]


def test_a_content_leaves_with_the_next_envelope_behind_it(world: World) -> None:
    world.launch()
    relay = send(world, connections=1)
    assert len(relay.messages) == 5
    assert all(re.fullmatch(rb"MAIL FROM:.*\r\nRCPT TO:.*\r\nDATA\r\n", ahead) for ahead in relay.ahead[:4])
    assert relay.ahead[4] == b""
    assert sum(line.startswith("EHLO") for line in relay.heard) == 1


def test_a_relay_without_pipelining_gets_one_command_at_a_time(world: World) -> None:
    world.launch()
    relay = send(world, {"EHLO": LOCK_STEP}, connections=1)
    assert len(relay.messages) == 5
    assert relay.ahead == [b""] * 5
    assert world.states() == {"accepted": 5}


def test_a_following_envelope_that_is_lost_with_the_connection_is_offered_again(world: World) -> None:
    """Its row was not claimed, so nothing about it is uncertain."""
    world.launch()
    answers = iter([b"250 ok\r\n", DROP])
    relay = send(world, {"DOT": lambda _line: next(answers, b"250 ok\r\n")}, connections=1)
    assert len(relay.messages) == 5
    assert world.states() == {"accepted": 4, "uncertain": 1}


def test_a_recipient_that_is_refused_leaves_the_lane_for_the_next(world: World) -> None:
    world.launch()
    recipients: list[str] = []

    def rcpt(line: str) -> bytes:
        recipients.append(line)
        return b"550 5.1.1 no\r\n" if "member1@" in line else b"250 ok\r\n"

    def data(_line: str) -> bytes:
        return b"503 5.5.1 no recipient\r\n" if "member1@" in recipients[-1] else b"354 go on\r\n"

    relay = send(world, {"RCPT": rcpt, "DATA": data}, connections=1)
    assert world.states() == {"accepted": 4, "rejected": 1}
    assert sum(line.startswith("EHLO") for line in relay.heard) <= 2


def test_as_many_messages_as_it_may_carry_go_over_one_connection(world: World) -> None:
    world.launch()
    relay = send(world, connections=1, smtp_messages_per_connection=2)
    assert len(relay.messages) == 5
    assert sum(line.startswith("EHLO") for line in relay.heard) == 3


def test_languages_leave_side_by_side(world: World) -> None:
    world.join(["en", "es"] * 10)
    world.launch()
    order = languages(send(world, connections=1))
    assert len(order) == 25
    assert {"en", "es"} == set(order[:4])


def test_a_small_blast_is_not_stuck_behind_a_large_one(world: World) -> None:
    """Whichever had its turn longest ago is leased next: the small one's few go out among the first."""
    few = world.make_list("few")
    small = world.join(["en"] * 3, few)
    world.join(["en"] * 60)
    world.installation = dataclasses.replace(
        world.installation, settings=world.installation.settings.model_copy(update={"batch_size": 6})
    )
    world.launch()
    large, world.list_id = world.blast_id, few
    world.write_appeal("urgent")
    world.launch()
    world.blast_id = large
    relay = send(world, connections=1)
    places = [at for at, message in enumerate(relay.messages) if b"urgent" in message]
    assert len(places) == len(small)
    assert max(places) < 30


def test_a_lease_is_kept_while_the_relay_takes_its_time(world: World) -> None:
    """Held longer than a lease lasts, an answer still finds the lease with its owner."""
    world.launch()
    taken: list[object] = []

    def slowly(_line: str) -> bytes:
        time.sleep(1.2)
        with world.installation.database.write() as session:
            batch = session.scalars(select(Batch.id).where(Batch.state == "leased")).first()
            taken.append(batch and leases.take(session, batch, "thief"))
        return b"250 ok\r\n"

    send(world, {"DOT": slowly}, connections=5, lease_seconds=0.8)
    assert taken
    assert set(taken) == {None}
    assert world.states() == {"accepted": 5}


def test_a_recipient_at_whom_the_relay_always_breaks_off_stops_nobody_else(world: World) -> None:
    world.launch()
    closing = b"421 4.3.2 closing\r\n"
    answers = {"RCPT": lambda line: closing if "member0@" in line else b"250 2.1.5 ok\r\n"}
    for _ in range(3):
        send(world, answers, connections=1)
        make_due(world)
    assert world.states() == {"accepted": 4, "pending": 1}
    assert world.delivery(world.members[0]).tries > 0


def test_a_relay_that_closes_on_content_after_content_is_left_alone_before_all_are_put_off(world: World) -> None:
    world.launch()
    relay = send(world, {"DOT": b"421 4.3.2 closing\r\n"}, connections=1)
    assert len(relay.messages) == 3
    assert world.blast().troubles == 1
    assert sorted(world.delivery(member).tries for member in world.members) == [0, 0, 1, 1, 1]


@pytest.mark.parametrize("broken", [{"BANNER": b"421 too busy\r\n"}, {"MAIL": b"550 5.7.1 not you\r\n"}])
def test_when_one_relay_fails_the_other_carries_it_all(world: World, broken: dict[str, bytes]) -> None:
    world.launch()
    with ScriptedRelay(broken) as bad, ScriptedRelay() as good:
        here = with_relays(world, bad, good)
        for batch in world.batches():
            slices.send(dataclasses.replace(world.installation, settings=here), batch, "test", lambda: False)
    assert len(good.messages) == 5
    assert world.states() == {"accepted": 5}
    assert {world.delivery(member).relay for member in world.members} == {"second"}
    assert world.blast().troubles == 0


class Door:
    """Stands for the lines of a process: who is greeted comes in, or is turned away, when the test says so."""

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes
        self.waiting: list[tuple[str, Callable[..., Any], Callable[[Trouble], None]]] = []
        lanes.lines.open = lambda relay, run, failed: self.waiting.append((relay.host, run, failed))  # type: ignore[method-assign]

    def answer(self, **comes: bool) -> None:
        """Answer all that wait at these hosts."""
        waiting, self.waiting = self.waiting, []
        for host, run, failed in waiting:
            if host not in comes:
                self.waiting.append((host, run, failed))
            elif comes[host]:
                run(None)
            else:
                failed(Trouble("busy"))

    def count(self, host: str) -> int:
        return sum(one[0] == host for one in self.waiting)


@pytest.fixture
def door() -> Iterator[Door]:
    """Two relays, of forty connections each."""
    routes = [Route(name, Relay(name, 25), connections=40) for name in ("good", "bad")]
    lanes = Lanes(routes, Timeouts(), lambda *_: iter(()), lambda *_: None)  # type: ignore[arg-type, return-value]
    yield Door(lanes)
    lanes.lines.close()


def test_a_relay_that_lets_all_wait_keeps_no_connections_of_the_other_ones(door: Door) -> None:
    for _ in range(10):
        door.lanes.open(80)
        door.answer(good=True)
    assert door.lanes._open == {"good": 40, "bad": GREETED_AT_ONCE}


def test_what_one_relay_takes_does_not_mend_another_that_fails(door: Door) -> None:
    """Between two of its troubles the other one takes messages: it is left alone all the same."""
    good = Route("good", Relay("good", 25), connections=40)
    bad = Route("bad", Relay("bad", 25), connections=40)
    for _ in range(TROUBLES_IN_A_ROW):
        door.lanes.troubled(bad, Trouble("busy"))
        door.lanes.learn(good, Accepted("250"))
    door.lanes.open(80)
    assert door.count("bad") == 0
    assert door.count("good") == GREETED_AT_ONCE
    assert door.lanes.trouble is None


def test_two_relays_share_the_work(world: World) -> None:
    world.join(["en"] * 40)
    world.launch()
    with ScriptedRelay() as one, ScriptedRelay() as two:
        here = with_relays(world, one, two)
        for batch in world.batches():
            slices.send(dataclasses.replace(world.installation, settings=here), batch, "test", lambda: False)
    assert len(one.messages) + len(two.messages) == 45
    assert one.messages
    assert two.messages


def test_a_pause_is_seen_by_every_lane(world: World) -> None:
    world.join(["en"] * 30)
    world.launch()
    contents: list[str] = []

    def pause(_line: str) -> bytes:
        contents.append("354")
        if len(contents) == 6:
            with world.installation.database.write() as session:
                lifecycle.pause(session, world.blast_id)
        return b"354 go on\r\n"

    relay = send(world, {"DATA": pause}, connections=4)
    assert len(relay.messages) <= 10
    assert world.states() == {"accepted": len(relay.messages), "pending": 35 - len(relay.messages)}
    with world.installation.database.read() as session:
        assert "leased" not in set(session.scalars(select(Batch.state)))


def test_what_was_for_a_person_who_is_gone_is_skipped_without_a_word_to_the_relay(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        session.delete(session.get_one(Member, world.members[0]))
    relay = send(world)
    assert len(relay.messages) == 4
    assert sum(line.startswith("RCPT") for line in relay.heard) == 4
    with world.installation.database.read() as session:
        assert session.scalar(select(Delivery.reason).where(Delivery.state == "skipped")) == "erased"


def with_relays(world: World, first: ScriptedRelay, second: ScriptedRelay) -> Settings:
    """Settings whose home has a file of two relays."""
    home: Path = world.installation.settings.home
    (home / RELAYS_FILE).write_text(
        "".join(
            f'[[relay]]\nname = "{name}"\nhost = "127.0.0.1"\nport = {relay.port}\ntls = "none"\nconnections = 2\n'
            for name, relay in (("first", first), ("second", second))
        )
    )
    return world.installation.settings.model_copy(update={"loopback_only": True})


def test_a_fault_of_ours_leaves_nothing_uncertain_that_was_not_handed_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It strikes between the claim and the contents: what was claimed is pending again, what was answered is kept."""
    world.join(["en"] * 30)
    world.launch()
    made: list[object] = []
    load = Loader.load

    def fails_at_the_twentieth(self: Loader, person: Person) -> Load:
        made.append(person)
        if len(made) == 20:
            raise OSError("a disk that fails")
        return load(self, person)

    with monkeypatch.context() as patched:
        patched.setattr(Loader, "load", fails_at_the_twentieth)
        with ScriptedRelay() as relay:
            settings = world.installation.settings.model_copy(
                update={"smtp_port": relay.port, "smtp_connections": 4, "loopback_only": True}
            )
            here = dataclasses.replace(world.installation, settings=settings)
            with pytest.raises(OSError, match="a disk"):
                slices.send(here, world.batches()[0], "test", lambda: False)
    # What was handed over and has no answer is all that can be uncertain: one a connection at most.
    assert world.states().get("handing", 0) <= 4
    make_due(world)
    again = send(world)
    got = [re.findall(rb"member\d+@", message)[0] for message in (*relay.messages, *again.messages)]
    assert len(got) == len(set(got))
    assert world.states().get("uncertain", 0) <= 4
    assert sum(world.states().values()) == 35
    assert not {"pending", "handing"} & set(world.states())


def test_relays_that_cannot_be_read_hold_the_blast_and_say_so(world: World) -> None:
    world.launch()
    (world.installation.settings.home / RELAYS_FILE).write_text('[[relay]]\nname = "first"\nspeed = "high"\n')
    assert send(world).messages == []
    assert world.blast().state == "held"
    assert "speed" in world.blast().hold_reason
    assert world.states() == {"pending": 5}
