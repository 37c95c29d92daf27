"""What is known of a message whose worker was lost: found afterwards, though nobody lived to write it down."""

from __future__ import annotations

import dataclasses
import re

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from mobilizer.db import Database
from mobilizer.delivery import claims, leases, slices
from mobilizer.delivery.decisions import Which
from mobilizer.delivery.evidence import Evidence, undecided_page
from mobilizer.delivery.ledger import Delivery, DeliveryState, numbered
from mobilizer.failpoints import Point
from mobilizer.migrations import _config
from mobilizer.transport.losses import Loss
from tests.delivery.test_lanes import with_relays
from tests.delivery.witness import Witness, at_first
from tests.transport.scripted_relay import DROP, GOOD, ScriptedRelay
from tests.worlds import World


def evidence(world: World) -> list[Evidence]:
    """What the page of the uncertain messages lists."""
    with world.installation.database.read() as session:
        page = undecided_page(session, world.installation, world.blast_id, Which(), names=False)
    return list(page.lines)


def test_a_message_whose_worker_was_lost_names_that_worker_and_its_relay(world: World) -> None:
    """Others have had the batch since."""
    world.launch()
    witness = Witness(world)
    witness.send_and_die(Point.CONTENT_WRITTEN)
    assert witness.rest() == []
    (line,) = evidence(world)
    assert (line.reason, line.relay, line.worker) == ("worker_lost", "main", "who dies")


def test_of_workers_that_were_lost_one_after_another_each_is_named_by_what_it_had(world: World) -> None:
    world.launch()
    witness, database = Witness(world), world.installation.database
    readers = [member for member in world.members if world.delivery(member).language == "en"]
    batch = world.delivery(readers[0]).batch_id
    for worker, member in zip(("first", "second", "third"), readers, strict=True):
        with database.write() as session:
            lease = leases.take(session, batch, worker)
            assert lease is not None
            row = numbered(world.blast_id, member)
            assert claims.claim(session.connection(), lease, [row], f"{worker}-relay") == {row}
        witness.end_leases()
    with database.write() as session:
        assert leases.take(session, batch, "fourth")
    found = {line.member_id: (line.worker, line.relay) for line in evidence(world)}
    assert list(found) == readers
    assert list(found.values()) == [(worker, f"{worker}-relay") for worker in ("first", "second", "third")]


def test_an_answer_that_was_lost_with_its_connection_names_the_worker_too(world: World) -> None:
    world.launch()
    witness = Witness(world)
    witness.send("first", DOT=at_first(lambda: None, DROP, GOOD["DOT"]))
    assert witness.rest() == []
    assert [(line.worker, line.relay) for line in evidence(world)] == [("first", "main")]


def test_of_two_relays_each_row_names_its_own_before_there_is_an_answer(world: World) -> None:
    world.join(["en"] * 15)
    world.launch()
    found: list[tuple[str, str | None, str]] = []
    with ScriptedRelay() as first, ScriptedRelay() as second:

        def look(name: str, relay: ScriptedRelay) -> bytes:
            number = re.findall(rb"member(\d+)@", b"".join(relay.messages))[-1]
            row = world.delivery(world.members[int(number)])
            found.append((name, row.relay, row.state))
            return GOOD["DOT"]

        first.answers["DOT"] = lambda _line: look("first", first)
        second.answers["DOT"] = lambda _line: look("second", second)
        here = dataclasses.replace(world.installation, settings=with_relays(world, first, second))
        for batch in world.batches():
            slices.send(here, batch, "test", lambda: False)
    assert {(name, relay) for name, relay, _ in found} == {("first", "first"), ("second", "second")}
    assert "handing" in {state for _, _, state in found}
    assert world.states() == {"accepted": 20}


OLD = {
    "the relay hung up": ("hung_up", ""),
    "the relay's answer has no end": ("endless", ""),
    "the connection broke: [Errno 104] Connection reset by peer": ("broke", "[Errno 104] Connection reset by peer"),
    "the relay answered 354 and now": ("odd", "354 and now"),
    "worker_lost": ("worker_lost", ""),
}


def test_how_an_answer_was_lost_is_a_code_also_of_rows_from_when_it_was_a_sentence(world: World) -> None:
    database = world.installation.database
    world.launch()
    with database.write() as session:
        for member, sentence in zip(world.members, OLD, strict=True):
            delivery = session.get_one(Delivery, numbered(world.blast_id, member))
            delivery.state, delivery.reason = DeliveryState.UNCERTAIN, sentence
    run(database, "upgrade")
    found = [world.delivery(member) for member in world.members]
    assert [(row.reason, row.reply) for row in found] == list(OLD.values())
    assert {row.reason for row in found} - {"worker_lost"} <= {*Loss}
    run(database, "downgrade")
    found = [world.delivery(member) for member in world.members]
    assert [row.reason for row in found] == list(OLD)


def run(database: Database, way: str) -> None:
    """One step of the schema's history, on a database that is beyond it."""
    step = ScriptDirectory.from_config(_config()).get_revision("0016")
    with database.engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        getattr(step.module, way)()
