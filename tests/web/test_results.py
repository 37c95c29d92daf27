"""Results: everyone adds up, what came back is people, and each mail can be listed by those who may."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mobilizer.audience.members import Member
from mobilizer.db import Database
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.listing import deliveries_page
from mobilizer.engagement.events import Event, EventKind
from mobilizer.organizers.policy import Role
from tests.web.appeal_stage import make_ready, settle
from tests.web.conftest import Browser
from tests.worlds import World

RESULTS, EACH = "/blasts/love-always-wins/results", "/blasts/love-always-wins/deliveries"
SignIn = Callable[..., Browser]


@pytest.fixture
def sent(world: World) -> World:
    """Five people: two accepted, one rejected, one skipped, one uncertain; one clicked twice and watched."""
    make_ready(world)
    world.launch()
    first, second, third, fourth, fifth = world.members
    settle(world, first, DeliveryState.ACCEPTED)
    settle(world, second, DeliveryState.REJECTED, reason="hard", code=550, reply="550 5.1.1 No <such> user")
    settle(world, third, DeliveryState.SKIPPED, reason="unsubscribed")
    settle(world, fourth, DeliveryState.UNCERTAIN, reason="worker_lost")
    settle(world, fifth, DeliveryState.ACCEPTED)
    with world.installation.database.write() as session:
        kinds = [EventKind.CLICK, EventKind.CLICK, EventKind.WATCH]
        session.add_all(Event(kind=kind, blast_id=world.blast_id, member_id=first) for kind in kinds)
        session.add(Event(kind=EventKind.CLICK, blast_id=world.blast_id, member_id=fifth, machine="scanner"))
    return world


def test_everyone_adds_up(signed_in: SignIn, sent: World) -> None:
    page = signed_in(Role.ORGANIZER).get(RESULTS).text
    assert "Accepted: 2, Rejected: 1, Skipped: 1, Uncertain: 1" in page
    assert "The mailbox does not exist" in page
    assert "Left the list before it was sent" in page


def test_people_are_counted_not_hits_and_machines_not_at_all(signed_in: SignIn, sent: World) -> None:
    page = signed_in(Role.ORGANIZER).get(RESULTS).text
    clicked = page.split('<span class="funnel-name">Clicked</span>')[1].split("funnel-number")[1]
    assert clicked.startswith('"><bdi>1</bdi> <bdi class="muted small">50%')


def test_results_are_listed(signed_in: SignIn, sent: World) -> None:
    assert RESULTS in signed_in(Role.ORGANIZER).get("/results").text


def test_each_mail_is_listed_by_outcome_and_reason(signed_in: SignIn, sent: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    everyone = organizer.get(EACH).text
    assert all(f"Ana{n} López" in everyone for n in range(5))
    rejected = organizer.get(f"{EACH}?state=rejected&reason=hard").text
    assert "Ana1 López" in rejected
    assert "Ana0 López" not in rejected
    assert "550 5.1.1 No &lt;such&gt; user" in rejected
    assert "Nobody here." in organizer.get(f"{EACH}?state=rejected&reason=full").text


def test_no_address_is_on_the_page_of_deliveries(signed_in: SignIn, sent: World) -> None:
    page = signed_in(Role.ORGANIZER).get(EACH).text
    assert "member0@" not in page


def test_a_member_who_was_erased_since_is_still_listed(signed_in: SignIn, sent: World) -> None:
    with sent.installation.database.write() as session:
        session.delete(session.get_one(Member, sent.members[0]))
    page = signed_in(Role.ORGANIZER).get(EACH).text
    assert "erased" in page
    assert f"<bdi>{sent.members[0]}</bdi>" in page


def test_pages_of_deliveries_miss_nobody(sent: World, database: Database) -> None:
    found, after = [], 0
    with database.read() as session:
        while True:
            page = deliveries_page(session, sent.installation.keyring, sent.blast_id, after=after, size=2)
            found += [line.member_id for line in page.lines]
            if page.next is None:
                break
            after = page.next
    assert sorted(found) == sorted(sent.members)


def test_odd_queries_are_the_whole_list(signed_in: SignIn, sent: World) -> None:
    answer = signed_in(Role.ORGANIZER).get(f"{EACH}?state=%27&after=-1&reason=")
    assert answer.status_code == 200


def test_before_launch_there_are_no_results(signed_in: SignIn, world: World) -> None:
    organizer = signed_in(Role.ORGANIZER)
    for path in (RESULTS, EACH):
        assert organizer.get(path).location == "/blasts/love-always-wins/check"
