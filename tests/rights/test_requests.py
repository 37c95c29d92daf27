"""A relay that takes nothing now is tried again later, for a day; nobody gets the link twice for one request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select, update

from mobilizer import jobs, reconciler, recording
from mobilizer.db import clock
from mobilizer.delivery.letters import HOUR_SECONDS, WAITS_SECONDS
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.reconciler import Reconciler
from mobilizer.rights import erasing, letters, requests
from mobilizer.rights.requests import RecordRequest
from mobilizer.transport.smtp import Connection
from tests.transport.scripted_relay import DROP, ScriptedRelay
from tests.worlds import World

LATER = b"450 4.2.0 come back later\r\n"
GOOD = b"250 2.1.5 ok\r\n"


def told(installation: Installation, port: int) -> Installation:
    changed = {"smtp_port": port, "loopback_only": True}
    return replace(installation, settings=installation.settings.model_copy(update=changed))


def ask(world: World) -> int:
    """The first member asks for their record."""
    with world.installation.database.write() as session:
        requests.ask(session, world.members[0])
    return world.members[0]


def requested(world: World) -> RecordRequest | None:
    with world.installation.database.read() as session:
        return session.get(RecordRequest, world.members[0])


def pass_time(world: World, seconds: float) -> None:
    """Let what was to come in so many seconds be due."""
    with world.installation.database.write() as session:
        late = RecordRequest.next_at <= clock(seconds)
        session.execute(update(RecordRequest).where(late).values(next_at=clock(-1)))


@pytest.mark.parametrize("refused", [{"RCPT": LATER}, {"DOT": LATER}, {"BANNER": b"421 not now\r\n"}])
def test_who_is_deferred_is_tried_later_and_gets_one_mail(world: World, refused: dict[str, bytes]) -> None:
    member = ask(world)
    with ScriptedRelay(refused) as relay:
        here = told(world.installation, relay.port)
        letters.send_link(here, member)
        letters.send_link(here, member)  # not due yet
    assert len([line for line in relay.heard if line.startswith("RCPT")]) <= 1
    waiting = requested(world)
    assert waiting is not None
    assert waiting.tries == 1
    pass_time(world, WAITS_SECONDS[0])
    with ScriptedRelay() as relay:
        here = told(world.installation, relay.port)
        for _ in range(3):
            letters.send_link(here, member)
    assert len(relay.messages) == 1
    assert requested(world) is None


def test_each_wait_is_longer_until_it_is_an_hour(world: World, free_port: int) -> None:
    member, here, waits = ask(world), told(world.installation, free_port), list[float]()
    for _ in range(len(WAITS_SECONDS) + 2):  # nobody listens there
        letters.send_link(here, member)
        with here.database.read() as session:
            now, next_at = session.execute(select(clock(), RecordRequest.next_at)).one()
        waits.append(round((next_at - now).total_seconds(), -1))
        pass_time(world, HOUR_SECONDS)
    assert waits == [*WAITS_SECONDS, HOUR_SECONDS, HOUR_SECONDS]


@pytest.mark.parametrize("answers", [{"RCPT": b"550 5.1.1 nobody\r\n"}, {"DOT": DROP}])
def test_who_is_refused_or_may_have_got_it_is_not_tried_again(world: World, answers: dict[str, bytes]) -> None:
    member = ask(world)
    with ScriptedRelay(answers) as relay:
        letters.send_link(told(world.installation, relay.port), member)
    assert requested(world) is None


def test_a_worker_that_dies_with_it_in_hand_sends_no_second_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_self: Connection) -> None:
        raise KeyboardInterrupt

    member = ask(world)
    with ScriptedRelay() as relay:
        here = told(world.installation, relay.port)
        monkeypatch.setattr(Connection, "reply", die)
        with pytest.raises(KeyboardInterrupt):
            letters.send_link(here, member)
        monkeypatch.undo()
        pass_time(world, requests.GIVEN_UP_SECONDS)
        letters.send_link(here, member)
        with here.database.read() as session:
            assert requests.due(session, 9) == []
    assert len([line for line in relay.heard if line.startswith("RCPT")]) == 1


def test_the_reconciler_queues_what_is_due_and_gives_up_after_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, queued = ask(world), list[tuple[Work, int]]()
    monkeypatch.setattr(jobs, "queued", lambda _: set())
    monkeypatch.setattr(recording, "hits_waiting", lambda _: 0)
    monkeypatch.setattr(reconciler.jobs, "enqueue", lambda _, kind, number: queued.append((kind, number)))
    loop = Reconciler(world.installation)
    loop.tick()
    assert queued == [(Work.RECORD, member)]
    with world.installation.database.write() as session:
        session.execute(update(RecordRequest).values(asked_at=clock(-requests.GIVEN_UP_SECONDS - 1)))
    loop.tick()
    assert len(queued) == 1
    assert requested(world) is None


def test_a_request_goes_with_its_member(world: World) -> None:
    member = ask(world)
    with world.installation.database.write() as session:
        assert erasing.erase(session, member)
    assert requested(world) is None
