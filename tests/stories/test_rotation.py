"""Keys are rotated, resealed and retired in the middle of a blast that real workers send: everyone gets one mail."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from threading import Semaphore

import pytest
from sqlalchemy import select, update

from mobilizer.audience.members import Member
from mobilizer.custody import rotating
from mobilizer.custody.resealing import left_to_reseal, reseal
from mobilizer.db import clock
from mobilizer.installation import Installation, KeyPrint, install
from mobilizer.keys import Keyring, Purpose
from mobilizer.reconciler import Reconciler
from mobilizer.settings import Settings
from tests.stories.processes import until, worker
from tests.transport.scripted_relay import ScriptedRelay
from tests.worlds import World

PEOPLE = 30


@pytest.fixture
def here(settings: Settings, redis_url: str) -> Iterator[Installation]:
    changed = {"redis_url": redis_url, "loopback_only": True, "smtp_connections": 1, "batch_size": 10}
    installation = install(settings.model_copy(update=changed))
    yield installation
    installation.database.close()


@pytest.fixture
def world(here: Installation) -> World:
    world = World(here)
    world.make_list()
    world.join(["en", "es"] * (PEOPLE // 2))
    world.write_appeal()
    return world


def unsubscribe_token(content: bytes) -> str:
    """The token of a mail's one-click address."""
    found = re.search(r"/u/([0-9a-f]{50})>", str(message_from_bytes(content)["List-Unsubscribe"]))
    assert found
    return found[1]


def test_keys_are_rotated_while_a_blast_is_sent(world: World) -> None:
    here, reconciler = world.installation, Reconciler(world.installation)
    world.launch()
    leave = Semaphore(5)  # so many messages the relay takes, then it waits for more

    def when_told(_line: str) -> bytes:
        leave.acquire(timeout=100)
        return b"250 2.0.0 taken\r\n"

    with ScriptedRelay({"DOT": when_told}) as relay:

        def some_more() -> None:
            wanted = len(relay.messages) + 4
            leave.release(4)
            until(lambda: len(relay.messages) >= wanted, reconciler.tick)

        with worker(here, relay.port), worker(here, relay.port):
            until(lambda: len(relay.messages) >= 5, reconciler.tick)
            assert rotating.rotate(here) == 2
            some_more()
            for _ in reseal(here, 10):
                some_more()
            assert len(relay.messages) < PEOPLE
            leave.release(PEOPLE)
            until(lambda: world.blast().state == "sent", reconciler.tick)
        arrived = [str(message_from_bytes(content)["To"]) for content in relay.messages]
        tokens = [unsubscribe_token(content) for content in relay.messages]
    assert world.states() == {"accepted": PEOPLE}
    assert len(arrived) == len(set(arrived)) == PEOPLE
    assert not any(left_to_reseal(here).values())
    with here.database.write() as session:
        session.execute(update(KeyPrint).values(since=clock(-rotating.REST_SECONDS - 1)))
    rotating.retire(here, 1)
    ring = Keyring.kept_in(here.settings.home / "keys.json")
    tickets = [ring.read_token(Purpose.UNSUBSCRIBE, token) for token in tokens]
    assert {ticket.member for ticket in tickets if ticket} == set(world.members)
    assert "01" in {token[:2] for token in tokens}, "some went out under the key that is retired now"
    with here.database.read() as session:
        assert {member.identity(ring).domain for member in session.scalars(select(Member))} == {"example.org"}
