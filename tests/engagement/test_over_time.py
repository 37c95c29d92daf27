"""What came back, by hour and by link: each act once, in its hour, machines nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mobilizer.blasts.blasts import Link
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.troubles import domains, refused
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.links import link_clicks
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.over_time import DAYS, HOURS, over_time
from tests.web.appeal_stage import make_ready, settle
from tests.worlds import World

LAUNCHED = datetime(2026, 3, 28, 23, 40, tzinfo=UTC)  # a night in which clocks change


@pytest.fixture
def sent(world: World) -> World:
    make_ready(world)
    world.launch()
    return world


def did(world: World, kind: EventKind, hours: float, member: int | None = None, **more: object) -> None:
    with world.installation.database.write() as session:
        at = LAUNCHED + timedelta(hours=hours)
        session.add(Event(kind=kind, at=at, blast_id=world.blast_id, member_id=member, **more))


def test_each_act_is_in_its_hour_and_in_its_day(sent: World) -> None:
    english, spanish = sent.members[0], sent.members[1]
    did(sent, EventKind.CLICK, 0, english)
    did(sent, EventKind.CLICK, 0.5, spanish, link_n=2)
    did(sent, EventKind.CLICK, 0.6, spanish, machine="bot")
    did(sent, EventKind.JOIN, 47.2, None, via_id=spanish)
    for channel in ("start", "95"):
        did(sent, EventKind.WATCH, 24 * 60, english, channel=channel)
    with sent.installation.database.read() as session:
        tags = {one: sent.delivery(one).language for one in (english, spanish)}
        found = over_time(session, sent.blast_id, LAUNCHED)
        theirs = over_time(session, sent.blast_id, LAUNCHED, tags[spanish])
        machines = machine_acts(session, sent.blast_id)
    assert tags[english] != tags[spanish]
    assert (len(found.hours), len(found.days)) == (HOURS, DAYS)
    assert [span.start.hour for span in found.hours[:2]] == [23, 0]
    assert [span.acts[EventKind.CLICK] for span in found.hours[:3]] == [1, 1, 0]
    assert found.hours[47].acts[EventKind.JOIN] == 1
    assert [span.acts[EventKind.CLICK] for span in found.days[:2]] == [1, 1]
    assert found.days[-1].acts[EventKind.WATCH] == 1, (
        "once, though it was seen to its end, and with all that came later"
    )
    assert sum(span.acts[EventKind.CLICK] for span in theirs.days) == 1
    assert [span.machines for span in found.hours[:3]] == [0, 1, 0]
    assert sum(span.machines for span in found.days) == sum(span.machines for span in theirs.days) == 1
    assert sum(span.acts[EventKind.JOIN] for span in theirs.days) == 1
    assert [(one.rule, one.clicks) for one in machines] == [("bot", 1)]


def test_links_have_their_people_and_clicks(sent: World) -> None:
    first, last = sent.members[0], sent.members[1]
    for member in (first, first, last):
        did(sent, EventKind.CLICK, 1, member, link_n=1)
    did(sent, EventKind.CLICK, 1, last, link_n=1, machine="head")
    with sent.installation.database.read() as session:
        every = link_clicks(session, sent.blast_id)
        theirs = link_clicks(session, sent.blast_id, sent.delivery(first).language)
        links = session.query(Link).filter_by(blast_id=sent.blast_id).count()
    assert len(every) == links
    assert (every[0].n, every[0].people, every[0].clicks, every[0].machine_clicks) == (1, 2, 3, 1)
    assert (theirs[0].people, theirs[0].clicks, theirs[0].machine_clicks) == (1, 2, 0)
    assert {(one.people, one.clicks) for one in every[1:]} == {(0, 0)}


def test_what_was_refused_is_counted_by_cause_and_by_domain(world: World) -> None:
    world.join(["en", "en"], domain="quiet.example")
    make_ready(world)
    world.launch()
    for member in (world.members[0], world.members[1], world.members[5]):
        settle(world, member, DeliveryState.REJECTED, reason="hard", code=550, reply="5.1.1 no", provider="gmail")
    settle(world, world.members[6], DeliveryState.REJECTED, reason="full", code=552, reply="5.2.2 full")
    settle(world, world.members[2], DeliveryState.ACCEPTED)
    with world.installation.database.read() as session:
        causes = refused(session, world.blast_id)
        places = domains(session, world.installation.keyring, world.blast_id)
    assert [(one.reason, one.status, one.provider, one.people) for one in causes] == [
        ("hard", "5.1.1", "gmail", 3),
        ("full", "5.2.2", "", 1),
    ]
    assert [(one.name, one.people, set(one.reasons)) for one in places] == [
        ("example.org", 2, {("hard", 2)}),
        ("quiet.example", 2, {("hard", 1), ("full", 1)}),
    ]
