"""What is known of a message whose worker was lost: found afterwards, though nobody lived to write it down."""

from __future__ import annotations

import dataclasses
import re

from mobilizer.delivery import slices
from mobilizer.delivery.decisions import Which
from mobilizer.delivery.evidence import Evidence, undecided_page
from mobilizer.failpoints import Point
from tests.delivery.test_lanes import with_relays
from tests.delivery.witness import Witness
from tests.transport.scripted_relay import GOOD, ScriptedRelay
from tests.worlds import World


def evidence(world: World) -> list[Evidence]:
    """What the page of the uncertain messages lists."""
    with world.installation.database.read() as session:
        page = undecided_page(session, world.installation, world.blast_id, Which(), names=False)
    return list(page.lines)


def test_a_message_whose_worker_was_lost_names_the_relay_that_had_it(world: World) -> None:
    world.launch()
    witness = Witness(world)
    witness.send_and_die(Point.CONTENT_WRITTEN)
    assert witness.rest() == []
    (line,) = evidence(world)
    assert (line.reason, line.relay) == ("worker_lost", "main")


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
