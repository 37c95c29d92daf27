"""Joining and leaving: each act is one moment, consent is kept, and nobody comes back unasked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.standing import leave, leave_all, left_together, lists_of, rejoin, subscribe
from mobilizer.db import Database
from mobilizer.keys import Keyring

WORDING = "Yes, send me the film."


@pytest.fixture
def ana(database: Database, keyring: Keyring) -> int:
    with database.write() as session:
        session.add_all(MemberList(slug=slug, name=slug.title()) for slug in ("alpha", "beta", "gamma"))
        key, domain, sealed = seal_identity(keyring, Identity("ana@example.org", ""))
        member = Member(address_key=key, domain_key=domain, sealed=sealed, language="es", share_code="abc")
        session.add(member)
        session.flush()
        return member.id


def join(database: Database, member: int, *numbers: int, standing: Standing = Standing.CONFIRMED) -> None:
    with database.write() as session:
        for number in numbers:
            subscribe(session, member, number, how="form", wording=WORDING, standing=standing)


def stands(session: Session, member: int) -> dict[int, str]:
    rows = session.execute(select(Subscription.list_id, Subscription.standing).where(Subscription.member_id == member))
    return dict(rows.all())


def test_joining_keeps_how_and_the_exact_wording(database: Database, ana: int) -> None:
    join(database, ana, 1)
    with database.read() as session:
        row = session.get_one(Subscription, (1, ana))
        assert (row.standing, row.how, row.wording) == ("confirmed", "form", WORDING)


def test_who_is_confirmed_stays_so_with_the_first_consent(database: Database, ana: int) -> None:
    join(database, ana, 1)
    with database.write() as session:
        subscribe(session, ana, 1, how="import", wording="other", standing=Standing.PENDING)
    with database.read() as session:
        row = session.get_one(Subscription, (1, ana))
        assert (row.standing, row.how, row.wording) == ("confirmed", "form", WORDING)


def test_a_pending_member_is_confirmed_and_one_who_left_comes_back_by_a_new_consent(
    database: Database, ana: int
) -> None:
    join(database, ana, 1, standing=Standing.PENDING)
    join(database, ana, 1)
    with database.write() as session:
        assert leave(session, ana, [1]) == [1]
        subscribe(session, ana, 1, how="again", wording="I am back.")
    with database.read() as session:
        row = session.get_one(Subscription, (1, ana))
        assert (row.standing, row.how, row.wording) == ("confirmed", "again", "I am back.")


def test_leaving_everything_is_one_moment_and_happens_once(database: Database, ana: int) -> None:
    join(database, ana, 1, 2)
    join(database, ana, 3, standing=Standing.PENDING)
    with database.write() as session:
        assert leave_all(session, ana) == [1, 2, 3]
        assert leave_all(session, ana) == []
    with database.read() as session:
        assert set(stands(session, ana).values()) == {"unsubscribed"}
        assert len(set(session.scalars(select(Subscription.changed_at)))) == 1


def test_what_was_left_together_is_the_latest_act_only(database: Database, ana: int) -> None:
    join(database, ana, 1, 2, 3)
    with database.write() as session:
        leave(session, ana, [2])
    earlier = datetime.now(UTC) - timedelta(days=2)
    with database.write() as session:
        session.execute(update(Subscription).where(Subscription.list_id == 2).values(changed_at=earlier))
        leave_all(session, ana)
    with database.read() as session:
        assert left_together(session, ana, within_days=30) == [1, 3]


def test_what_was_left_long_ago_is_not_offered(database: Database, ana: int) -> None:
    join(database, ana, 1)
    with database.write() as session:
        leave_all(session, ana)
        session.execute(update(Subscription).values(changed_at=datetime.now(UTC) - timedelta(days=31)))
    with database.read() as session:
        assert left_together(session, ana, within_days=30) == []
        assert left_together(session, ana, within_days=32) == [1]


def test_only_what_was_left_is_joined_again(database: Database, ana: int) -> None:
    join(database, ana, 1)
    join(database, ana, 2, standing=Standing.PENDING)
    with database.write() as session:
        leave(session, ana, [1])
        assert rejoin(session, ana, [1, 2, 3]) == [1]
    with database.read() as session:
        assert stands(session, ana) == {1: "confirmed", 2: "pending"}
        assert session.get_one(Subscription, (1, ana)).wording == WORDING


def test_a_members_lists_come_with_the_confirmed_ones_first(database: Database, ana: int) -> None:
    join(database, ana, 2, 3)
    with database.write() as session:
        subscribe(session, ana, 1, how="form", standing=Standing.PENDING)
    with database.read() as session:
        assert [(at.slug, at.standing, at.confirmed) for at in lists_of(session, ana)] == [
            ("beta", Standing.CONFIRMED, True),
            ("gamma", Standing.CONFIRMED, True),
            ("alpha", Standing.PENDING, False),
        ]
        assert lists_of(session, 999) == []
