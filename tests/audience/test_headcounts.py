"""Headcounts: what is counted ahead and what is counted now make the same sums as looking at everybody."""

from __future__ import annotations

from itertools import product

import pytest
from sqlalchemy import delete, func, select, update

from mobilizer.audience import headcounts, queries
from mobilizer.audience.headcounts import WHOLE, CountedStretch, Headcount
from mobilizer.audience.lists import Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all, subscribe
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.web.labels import STANDINGS
from tests.worlds import World

LANGUAGES = ["en", "es", "ar", "es-MX", "en", "ar", "es"]


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headcounts, "WIDTH", 4)
    monkeypatch.setattr(headcounts, "BUDGET_SECONDS", 60.0)  # however busy the machine is


@pytest.fixture
def crowd(world: World) -> World:
    """Twelve members on two lists; some have left, one is suppressed, two stretches of four are full."""
    second = world.make_list("second")
    world.join(LANGUAGES)
    with world.installation.database.write() as session:
        for member in world.members[::2]:
            subscribe(session, member, second, how="test")
        leave_all(session, world.members[1])
        leave_all(session, world.members[8])
        suppress(session, session.get_one(Member, world.members[2]).address_key, SuppressedFor.COMPLAINT)
    return world


def recount(here: Installation) -> None:
    with here.database.write() as session:
        headcounts.recount(session)


def agree(world: World) -> None:
    """Every filter that a page of members has counts whom the page would show, and the lists say the same."""
    with world.installation.database.read() as session:
        lists = queries.lists(session)
        for list_id, standing, language in product(
            [None, *(one.id for one in lists)], ["", *STANDINGS], ["", "en", "es", "ar", "pt"]
        ):
            conditions = queries.narrowed(list_id, language, standing)
            shown = session.scalar(select(func.count()).select_from(Member).where(*conditions))
            counted = queries.count_members(session, list_id=list_id, standing=standing, language=language)
            assert counted == shown, (list_id, standing, language)
        for one in lists:
            on = Subscription.list_id == one.id
            assert one.members == session.scalar(select(func.count()).where(on, Subscription.standing == "confirmed"))
            assert sum(people for _, people in one.languages) == one.members
        everyone = session.execute(select(Member.language, func.count()).group_by(Member.language)).all()
        assert sorted(queries.languages_of_members(session)) == sorted((tag, number) for tag, number in everyone)


def stretches(world: World) -> list[int]:
    with world.installation.database.read() as session:
        return sorted(session.scalars(select(CountedStretch.stretch).where(CountedStretch.stretch != WHOLE)))


def test_what_nobody_counted_is_counted_now(crowd: World) -> None:
    agree(crowd)
    assert stretches(crowd) == []


def test_full_stretches_are_counted_ahead_and_newer_members_at_once(crowd: World) -> None:
    recount(crowd.installation)
    assert stretches(crowd) == [0, 1, 2]
    agree(crowd)
    crowd.join(["pt", "en"])
    agree(crowd)
    crowd.join(["es"] * 6)
    agree(crowd)
    recount(crowd.installation)
    assert stretches(crowd) == [0, 1, 2, 3, 4]
    agree(crowd)


def test_what_changed_meanwhile_is_right_again_when_the_count_is_old(crowd: World) -> None:
    recount(crowd.installation)
    with crowd.installation.database.write() as session:
        leave_all(session, crowd.members[0])
        session.execute(update(Member).where(Member.id == crowd.members[3]).values(language="pt"))
        session.execute(delete(Member).where(Member.id == crowd.members[4]))
    recount(crowd.installation)
    with crowd.installation.database.read() as session:
        assert ("pt", 1) not in queries.languages_of_members(session)
    with crowd.installation.database.write() as session:
        session.execute(update(CountedStretch).values(counted_at=clock(-headcounts.GOOD_SECONDS - 1)))
    recount(crowd.installation)
    agree(crowd)


def test_after_a_doubt_all_is_counted_anew(crowd: World) -> None:
    recount(crowd.installation)
    with crowd.installation.database.write() as session:
        for member in crowd.members[:4]:
            leave_all(session, member)
        headcounts.doubt(session)
    recount(crowd.installation)
    agree(crowd)


def test_there_is_not_time_for_all_in_one_round(crowd: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headcounts, "BUDGET_SECONDS", 0.0)
    for counted in ([0], [0, 1], [0, 1, 2], [0, 1, 2]):
        recount(crowd.installation)
        assert stretches(crowd) == counted
        agree(crowd)


def test_of_two_at_once_one_counts(crowd: World) -> None:
    if crowd.installation.database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time by itself")
    with crowd.installation.database.write() as first:
        headcounts.recount(first)
        recount(crowd.installation)
        assert stretches(crowd) == []
    assert stretches(crowd) == [0, 1, 2]


def test_the_kept_sums_are_those_of_the_stretches(crowd: World) -> None:
    recount(crowd.installation)
    with crowd.installation.database.read() as session:
        by = (Headcount.list_id, Headcount.standing, Headcount.language)
        parts = select(*by, func.sum(Headcount.people)).where(Headcount.stretch != WHOLE).group_by(*by)
        whole = select(*by, Headcount.people).where(Headcount.stretch == WHOLE)
        assert sorted(map(tuple, session.execute(parts))) == sorted(map(tuple, session.execute(whole)))
