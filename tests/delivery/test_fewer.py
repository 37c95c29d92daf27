"""Fewer mails: a pause and one mail a month hold for what is launched, for what is queued, and between two workers."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from mobilizer.audience.preferences import Fewer, Preferences, get_fewer, preferences_of
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import check
from mobilizer.db import clock
from mobilizer.delivery import claims, fewer, leases
from mobilizer.delivery.ledger import Delivery, is_for
from tests.delivery.test_slices import send
from tests.worlds import World


def choose(world: World, member: int, fewer: Fewer | None) -> None:
    with world.installation.database.write() as session:
        get_fewer(session, member, fewer)


def second_blast(world: World, slug: str = "second") -> None:
    world.write_appeal(slug)
    world.launch()


def counted(world: World) -> tuple[int, int, str]:
    """What the check list says: (people, who of them want fewer, the line that says who gets it)."""
    with world.installation.database.read() as session:
        blast = session.get_one(Blast, world.blast_id)
        found = check(session, world.installation, blast, blast.created_at.date(), rests=fewer.rests(blast.id))
    [line] = [line.problem.text() for line in found.lines if line.problem.code == "audience.people"]
    return found.people, found.resting, line


def test_who_wants_fewer_is_counted_before_and_skipped_with_the_reason_after(world: World) -> None:
    monthly, paused, back = world.members[:3]
    choose(world, monthly, Fewer.MONTHLY)
    choose(world, paused, Fewer.PAUSED)
    choose(world, back, Fewer.PAUSED)
    choose(world, back, None)
    assert counted(world) == (5, 1, "4 people will get exactly one mail each.")  # the month is still free
    world.launch()
    send(world)
    assert world.states() == {"accepted": 4, "skipped": 1}
    assert world.delivery(paused).reason == "paused"
    first = world.blast_id

    world.write_appeal("second")
    assert counted(world) == (5, 2, "3 people will get exactly one mail each.")
    world.launch()
    send(world)
    assert [world.delivery(one).reason for one in world.members] == ["monthly", "paused", "", "", ""]

    with world.installation.database.write() as session:  # the month and the pause are over
        session.execute(update(Delivery).where(is_for(first, monthly)).values(settled_at=clock(-30 * 86_400 - 60)))
        session.execute(update(Preferences).values(paused_until=clock(-1)))
    second_blast(world, "third")
    send(world)
    assert world.states() == {"accepted": 5}


def test_what_is_queued_already_is_asked_again_when_it_goes(world: World) -> None:
    """The claim is asked after 354: what is chosen between RCPT and content still holds."""
    world.launch()

    def pause(_line: str) -> bytes:
        choose(world, world.members[0], Fewer.PAUSED)
        return b"354 go on\r\n"

    relay = send(world, {"DATA": pause}, connections=1)
    assert not [m for m in relay.messages if b"member0@" in m]
    assert world.delivery(world.members[0]).reason == "paused"
    assert world.states() == {"accepted": 4, "skipped": 1}


def test_a_mail_that_was_refused_is_not_that_of_the_month_and_one_whose_answer_was_lost_may_be(world: World) -> None:
    refused, lost = world.members[:2]
    for member in (refused, lost):
        choose(world, member, Fewer.MONTHLY)
    world.launch()
    with world.installation.database.write() as session:
        for member, state in ((refused, "rejected"), (lost, "uncertain")):
            session.execute(
                update(Delivery).where(is_for(world.blast_id, member)).values(state=state, settled_at=clock())
            )
    second_blast(world)
    send(world)
    assert (world.delivery(refused).state, world.delivery(lost).reason) == ("accepted", "monthly")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_of_two_workers_with_a_blast_each_one_sends_the_mail_of_the_month(world: World) -> None:
    database, member = world.installation.database, world.members[0]
    choose(world, member, Fewer.MONTHLY)
    world.launch()
    first = world.delivery(member)
    second_blast(world)
    second = world.delivery(member)
    allowed: list[set[int]] = []

    def claim(session: Session, row: Delivery) -> set[int]:
        connection, lease = session.connection(), leases.take(session, row.batch_id, "test", 60)
        assert lease is not None
        fewer.take_turns(connection, [row.id])
        return claims.claim(connection, lease, [row.id])

    def other() -> None:
        with database.write() as session:
            allowed.append(claim(session, second))

    with database.write() as session:
        assert claim(session, first) == {first.id}
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        assert not allowed  # it waits for its turn
    thread.join()
    assert allowed == [set()]


def test_a_pause_goes_on_as_long_as_it_is_and_what_was_before_comes_back(world: World) -> None:
    member = world.members[0]
    choose(world, member, Fewer.MONTHLY)
    choose(world, member, Fewer.PAUSED)
    with world.installation.database.read() as session:
        until = preferences_of(session, member).paused_until
    choose(world, member, Fewer.PAUSED)
    with world.installation.database.write() as session:
        assert preferences_of(session, member).paused_until == until
        session.execute(update(Preferences).values(paused_until=clock(-1)))
        session.expire_all()
        chosen = preferences_of(session, member)
        assert (chosen.monthly, chosen.paused_until) == (True, None)
