"""A share link that is posted in public: what comes by it is kept, told apart, and decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import func, select, update

from mobilizer.audience.named_sharers import agree
from mobilizer.db import Database
from mobilizer.delivery.ledger import Delivery
from mobilizer.engagement.branches import By, steps_by
from mobilizer.engagement.crowds import MOST_A_DAY, Posted, posted
from mobilizer.engagement.events import Event
from mobilizer.engagement.hits import Hit, Parcel, record_parcels
from mobilizer.engagement.judging import judge_anew
from mobilizer.engagement.links import link_clicks
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.named_sharing import top_sharers
from mobilizer.engagement.over_time import over_time
from mobilizer.engagement.results import results
from mobilizer.engagement.sharing import Brought, brought_by
from mobilizer.engagement.thanks import thanks
from mobilizer.engagement.tree import tree
from mobilizer.engagement.viewings import curves
from mobilizer.engagement.winners import DID, _did
from tests.worlds import World

NOON = datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp()
DAY = 24 * 3600
_names = count()


def arrive(world: World, *parcels: Sequence[Hit]) -> None:
    """Each in a transaction of its own."""
    for hits in parcels:
        with world.installation.database.write() as session:
            record_parcels(session, [Parcel(f"crowd {next(_names)}", hits)])


def launched(world: World) -> Database:
    database = world.installation.database
    world.launch()
    with database.write() as session:
        session.execute(update(Delivery).values(state="accepted", settled_at=datetime.fromtimestamp(NOON - DAY, UTC)))
    return database


def came(world: World, via: int, times: int, *, kind: str = "visit", day: int = 0, channel: str = "x") -> list[Hit]:
    """So many of a kind on a day, one a second."""
    at = NOON + day * DAY
    return [Hit(kind, at + n, world.blast_id, via=via, language="en", channel=channel) for n in range(times)]


def by_rule(database: Database, kind: str = "visit") -> dict[str, int]:
    asked = select(Event.machine, func.sum(Event.times)).where(Event.kind == kind, Event.via_id.is_not(None))
    with database.read() as session:
        return {rule: int(times) for rule, times in session.execute(asked.group_by(Event.machine))}


def test_a_hundred_a_day_are_friends_and_one_more_is_a_crowd(world: World) -> None:
    database, owner = launched(world), world.members[0]
    arrive(world, came(world, owner, MOST_A_DAY), came(world, owner, MOST_A_DAY, day=1))
    assert by_rule(database) == {"": 2 * MOST_A_DAY}
    arrive(world, came(world, owner, 1, day=1, channel="sms"))
    assert by_rule(database) == {"": MOST_A_DAY, "crowd": MOST_A_DAY + 1}


def test_all_of_a_crowds_day_goes_with_it_and_nothing_of_others(world: World) -> None:
    """What was written before it was known, what comes after, films and shares; a friend's link stays a friend's."""
    database, (owner, friend) = launched(world), world.members[:2]
    arrive(
        world,
        came(world, owner, 3, kind="watch", channel="start"),
        came(world, owner, MOST_A_DAY - 1),
        came(world, friend, 2),
        [*came(world, owner, 2, kind="share"), *came(world, owner, 40, channel="copy")],
        [*came(world, owner, 5, channel="qr"), *came(world, friend, 1, channel="qr")],
        came(world, owner, 4, kind="watch", channel="start"),
        came(world, owner, 7, day=1),
    )
    assert by_rule(database) == {"": 10, "crowd": MOST_A_DAY + 44}
    assert by_rule(database, "watch") == {"crowd": 7}
    assert by_rule(database, "share") == {"crowd": 2}
    with database.read() as session:
        assert posted(session, world.blast_id) == Posted(1, MOST_A_DAY + 44, 7, MOST_A_DAY + 44)


def test_who_starts_a_film_again_and_again_is_a_crowd_without_any_visit(world: World) -> None:
    database, owner = launched(world), world.members[0]
    # A viewing tells of itself at each of its points, and is one.
    points = [hit for at in ("start", "25", "50") for hit in came(world, owner, 40, kind="watch", channel=at)]
    arrive(world, points)
    assert by_rule(database, "watch") == {"": 120}
    arrive(world, came(world, owner, 61, kind="watch", channel="start"))
    assert by_rule(database, "watch") == {"crowd": 181}


def test_a_crowd_is_judged_anew_as_it_was_judged_when_it_came(world: World) -> None:
    database, (owner, friend) = launched(world), world.members[:2]
    arrive(
        world,
        came(world, owner, 90),
        [*came(world, owner, 80), *came(world, owner, 30, kind="watch", channel="start"), *came(world, friend, 3)],
        came(world, friend, 9, day=1),
    )
    expected = {kind: by_rule(database, kind) for kind in ("visit", "watch")}
    assert expected == {"visit": {"crowd": 170, "": 12}, "watch": {"crowd": 30}}
    assert sum(changed for _, changed in judge_anew(database, world.blast_id)) == 0
    for rule in ("", "crowd", "a rule of yesterday"):
        with database.write() as session:
            session.execute(update(Event).values(machine=rule))
        assert sum(changed for _, changed in judge_anew(database, world.blast_id))
        assert {kind: by_rule(database, kind) for kind in ("visit", "watch")} == expected


def test_nobodys_own_visit_takes_a_crowd_with_it(world: World) -> None:
    """What is alike is one row; its owner tries the link in the midst of it."""
    database, owner = launched(world), world.members[0]
    alike = [Hit("visit", NOON + n / 1000, world.blast_id, via=owner, channel="copy") for n in range(60)]
    arrive(world, [Hit("share", NOON - 1, world.blast_id, owner, channel="copy")], alike)
    arrive(world, [Hit("visit", NOON + 2, world.blast_id, owner, channel="copy")])
    assert by_rule(database) == {"own": 1, "": 59}


@pytest.fixture
def crowded(world: World) -> World:
    """63,892 came by one link at once, with 9,000 viewings; by another 12 friends, of whom 7 watched; the mail of the
    first was opened by 300 hands."""
    launched(world)
    owner, friend = world.members[:2]
    moment = (NOON,) * 2
    crowd = [Hit("visit", moment[n % 2] + n / 2000, world.blast_id, via=owner, channel="x") for n in range(63_892)]
    films = [Hit("watch", NOON + n / 500, world.blast_id, via=owner, channel="start") for n in range(9_000)]
    clicks = [Hit("click", NOON + 40, world.blast_id, owner, link_n=1, language="en") for _ in range(300)]
    plays = [Hit("watch", NOON + 50, world.blast_id, owner, language="en", channel="start") for _ in range(300)]
    arrive(
        world,
        crowd,
        films,
        clicks,
        plays,
        [*came(world, friend, 12), *came(world, friend, 7, kind="watch", channel="start")],
    )
    return world


def test_a_crowd_is_in_no_number_of_people(crowded: World) -> None:
    database, (owner, friend) = crowded.installation.database, crowded.members[:2]
    with database.read() as session:
        whole, spread = results(session, crowded.blast_id).total, tree(session, crowded.blast_id)
        assert (whole.visits, whole.friends_watched, whole.machine_visits) == (12, 7, 63_892)
        assert (whole.clickers, whole.clicks, whole.watchers) == (1, 300, 1)
        assert [(one.visits, one.watches) for one in spread.generations] == [(12, 7)]
        for by in By:
            steps = [one for some in steps_by(session, crowded.blast_id, spread, by).values() for one in some]
            assert sum(one.visits for one in steps) == 12, by
        assert sum(one.members[0] for one in curves(session, crowded.blast_id)) == 1
        assert sum(one.friends[0] for one in curves(session, crowded.blast_id)) == 7
        spans = over_time(session, crowded.blast_id, datetime.fromtimestamp(NOON, UTC) - timedelta(hours=1)).hours
        assert sum(one.machines for one in spans) == 0
        assert [(one.rule, one.visits) for one in machine_acts(session, crowded.blast_id)] == [("crowd", 63_892)]
        assert posted(session, crowded.blast_id) == Posted(1, 63_892, 9_000, 63_892)
        # Of many at once one row is kept, and the sums have them all.
        assert session.scalars(select(func.count()).select_from(Event)).one() < 100
        clicks = {one.n: (one.people, one.clicks) for one in link_clicks(session, crowded.blast_id)}
        assert clicks.get(1, (1, 300)) == (1, 300)
        assert brought_by(session, owner) == Brought(0, 0, 0, 63_892)
        assert brought_by(session, friend) == Brought(12, 7, 0, 0)


def test_no_crowd_chooses_a_variant(crowded: World) -> None:
    """Of each member it counts whether they did something, however often it was done in their name."""
    with crowded.installation.database.read() as session:
        told = _did(session, crowded.blast_id)
        assert {goal: sum(told[goal].values()) for goal in DID} == {
            "clicks": 1,
            "watches": 1,
            "shares": 0,
            "recruits": 0,
        }


def test_people_are_told_what_is_known_of_their_link(crowded: World) -> None:
    database, (owner, friend) = crowded.installation.database, crowded.members[:2]
    with database.read() as session:
        told = thanks(session, crowded.blast_id, "en", [owner, friend])
        assert told == {
            owner: {"friends_watched": "Your link travelled far: it was opened 63,892 times."},
            friend: {"friends_watched": "7 people watched because of you."},
        }
        assert "63.892" in thanks(session, crowded.blast_id, "es", [owner])[owner]["friends_watched"]


def test_whoever_shared_most_is_not_whoever_had_the_largest_crowd(crowded: World) -> None:
    here, (owner, friend) = crowded.installation, crowded.members[:2]
    with here.database.write() as session:
        for member in (owner, friend):
            agree(session, member, "Yes", "en")
    with here.database.read() as session:
        people = top_sharers(session, here.keyring, crowded.blast_id)
        assert [(one.member_id, one.watches, one.crowd) for one in people] == [(friend, 7, 0), (owner, 0, 63_892)]
