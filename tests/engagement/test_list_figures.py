"""How a list does: sums that agree with counting people one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from mobilizer.audience import headcounts
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.db import Database
from mobilizer.engagement.events import Event
from mobilizer.engagement.list_figures import MONTHS, Health, growth, health, sources
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.settings import Settings
from tests.worlds import World

NOW = datetime(2026, 3, 15, tzinfo=UTC)


@pytest.fixture
def world(settings: Settings, database: Database, keyring: Keyring) -> World:
    """Seven members of a list; another list has one of its own."""
    world = World(Installation(settings, database, keyring))
    world.make_list()
    world.join(["es", "es", "es", "pt", "ar", "ar", "es"])
    world.join(["es"], world.make_list("other"))
    return world


def came(world: World, place: int, when: datetime, standing: Standing = Standing.CONFIRMED) -> None:
    with world.installation.database.write() as session:
        number = world.members[place]
        mine = Subscription.member_id == number
        session.execute(update(Subscription).where(mine).values(joined_at=when, standing=standing))
        session.execute(update(Member).where(Member.id == number).values(created_at=when, source=f"s{place % 2}"))


def test_growth_sums_up_month_by_month_and_what_was_before_is_in_the_first(world: World) -> None:
    days = [datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 4, 1, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC)]
    for place, day in enumerate([*days, NOW, NOW, datetime(2026, 3, 1, tzinfo=UTC)]):
        came(world, place, day)
    came(world, 6, NOW, Standing.UNSUBSCRIBED)
    with world.installation.database.read() as session:
        found = growth(session, world.list_id, NOW)
    assert (found.months[0], found.months[-1]) == (datetime(2025, 4, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    assert len(found.months) == MONTHS
    assert list(found.languages) == ["es", "ar", "pt"]
    assert found.languages["es"] == (2,) * 10 + (3, 3)
    assert found.languages["ar"] == (0,) * 11 + (2,)


def test_sources_are_those_of_who_is_on_the_list(world: World) -> None:
    for place in range(7):
        came(world, place, NOW)
    came(world, 6, NOW, Standing.PENDING)
    with world.installation.database.read() as session:
        assert list(sources(session, world.list_id)) == [("s0", 3), ("s1", 3)]


def test_health_counts_each_kind_of_loss_and_who_is_not_heard_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headcounts, "WIDTH", 4)  # most are counted ahead, the newest now
    long_ago = NOW - timedelta(days=500)
    for place in range(7):
        came(world, place, long_ago if place < 5 else NOW)
    came(world, 4, long_ago, Standing.UNSUBSCRIBED)
    came(world, 6, NOW, Standing.PENDING)
    with world.installation.database.write() as session:
        for place, reason in (
            (0, SuppressedFor.HARD_BOUNCE),
            (4, SuppressedFor.COMPLAINT),
            (7, SuppressedFor.COMPLAINT),
        ):
            suppress(session, session.get_one(Member, world.members[place]).address_key, reason)
        headcounts.recount(session)
        session.add(Event(kind="click", member_id=world.members[1], at=NOW - timedelta(days=364)))
        session.add(Event(kind="open", member_id=world.members[2], at=NOW, machine="prefetch"))
    with world.installation.database.read() as session:
        found = health(session, world.list_id, NOW)
    assert found == Health(ever=6, on=5, unsubscribed=1, bounced=1, complained=1, inactive=3)
