"""Who is erased is nowhere to be found; what blasts came to stays as it was; nobody brings them back unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Column, func, select
from sqlalchemy.orm import Session

from mobilizer.audience import joining
from mobilizer.audience.candidates import Candidate
from mobilizer.audience.leaving_reasons import tell
from mobilizer.audience.lists import Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.named_sharers import agree
from mobilizer.audience.preferences import Fewer, get_fewer
from mobilizer.audience.suppressing import suppress, suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.db import Base
from mobilizer.delivery.ledger import Delivery
from mobilizer.engagement.acts import KeptSum
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.recruits import recruited
from mobilizer.engagement.results import Results, results
from mobilizer.installation import Installation
from mobilizer.rights.erasing import erase
from tests.worlds import World

E = EventKind


def act(world: World, kind: EventKind, *, member: int | None = None, via: int | None = None, **more: str) -> Event:
    return Event(kind=kind, blast_id=world.blast_id, member_id=member, via_id=via, **more)


def lived(world: World) -> None:
    """A launched blast in which everybody did something, and friends came through two of them."""
    world.launch()
    one, two, three, *_ = world.members
    with world.installation.database.write() as session:
        session.add_all(
            [
                act(world, E.OPEN, member=one),
                act(world, E.OPEN, member=one),
                act(world, E.OPEN, member=one, machine="prefetch"),
                act(world, E.CLICK, member=one),
                act(world, E.CLICK, member=one),
                act(world, E.CLICK, member=two),
                act(world, E.WATCH, member=one, channel="start"),
                act(world, E.WATCH, member=one, channel="95"),
                act(world, E.WATCH, member=three, channel="start"),
                act(world, E.SHARE, member=one, channel="whatsapp"),
                act(world, E.VISIT, via=one),
                act(world, E.VISIT, via=one),
                act(world, E.VISIT, via=two),
                act(world, E.WATCH, via=one, channel="start"),
                act(world, E.WATCH, via=one, channel="95"),
                act(world, E.JOIN, member=three, via=one),
                act(world, E.UNSUBSCRIBE, member=two),
            ]
        )
        session.get_one(Member, three).recruited_by_id = one


def came_to(world: World) -> Results:
    with world.installation.database.read() as session:
        return results(session, world.blast_id)


def gone(world: World, member: int) -> bool:
    with world.installation.database.write() as session:
        return erase(session, member)


def naming_members() -> Iterator[Column[int]]:
    """Every column of every table that names a member, in those that come one day, too."""
    for table in Base.metadata.sorted_tables:
        yield from (key.parent for key in table.foreign_keys if key.column is Member.__table__.c.id)


def test_the_sums_of_a_blast_stay_whoever_is_erased(world: World) -> None:
    lived(world)
    before = came_to(world)
    assert before.total.clicks == 3
    assert (before.total.watchers, before.total.finishers, before.total.joins) == (2, 1, 1)
    for member in world.members:
        assert gone(world, member)
        assert came_to(world) == before, member


def test_nothing_of_a_person_is_left_but_their_number_in_the_ledger(world: World, installation: Installation) -> None:
    lived(world)
    one, other = world.members[0], world.members[2]
    with installation.database.write() as session:
        for row in session.scalars(select(Delivery).where(Delivery.member_id.in_([one, other]))):
            row.reply = "2.0.0 queued as 4AC21B"
        get_fewer(session, one, Fewer.MONTHLY)
        agree(session, one, "Yes.", "en")
        tell(session, installation.keyring, one, "other", "I moved", "en")
        recruited(session, other, one, world.blast_id, "copy")
        recruited(session, one, other, world.blast_id, "copy")
    assert gone(world, one)
    with installation.database.read() as session:
        assert session.get(Member, one) is None
        for column in naming_members():
            assert session.scalar(select(func.count()).where(column == one)) == 0, column
        assert not session.scalar(select(func.count()).where(Subscription.member_id == one))
        assert not session.scalar(select(func.count()).where(Event.member_id == one))
        assert not session.scalar(select(func.count()).where(Event.via_id == one))
        assert session.get_one(Member, other).recruited_by_id is None
        replies = dict(session.execute(select(Delivery.member_id, Delivery.reply).where(Delivery.reply != "")).all())
        assert replies == {other: "2.0.0 queued as 4AC21B"}
        # What others did is theirs still.
        assert session.scalar(select(func.count()).where(Event.member_id == other)) == 2
        assert {"blast_id", "language"} < set(KeptSum.__table__.columns.keys())
        assert not {"member_id", "via_id", "at"} & set(KeptSum.__table__.columns.keys())


def test_the_address_stays_suppressed_and_says_only_that_it_was_erased(
    world: World, installation: Installation
) -> None:
    with installation.database.write() as session:
        key = session.get_one(Member, world.members[0]).address_key
        suppress(session, key, SuppressedFor.COMPLAINT)
    assert gone(world, world.members[0])
    with installation.database.read() as session:
        assert suppressed_among(session, [key]) == {key: SuppressedFor.ERASED}


def test_a_second_time_and_a_stranger_change_nothing(world: World) -> None:
    lived(world)
    assert gone(world, world.members[0])
    before = came_to(world)
    assert not gone(world, world.members[0])
    assert not gone(world, 10**6)
    assert came_to(world) == before


def test_their_number_is_never_given_again(world: World) -> None:
    last = world.members[-1]
    assert gone(world, last)
    assert world.join(["en"])[0] > last


def test_the_same_words_of_two_people_add_up(world: World, installation: Installation) -> None:
    lived(world)
    for member in world.members[:3]:
        gone(world, member)
    with installation.database.read() as session:
        clicks = session.scalars(select(KeptSum).where(KeptSum.kind == E.CLICK, KeptSum.brought.is_(False))).all()
    assert sum(row.acts for row in clicks) == 3
    assert sum(row.people for row in clicks) == 2
    assert replace(came_to(world).total, language="").clicks == 3


@pytest.mark.parametrize("asked", ["_members", "suppressed_among"])
def test_who_is_erased_while_a_file_asks_for_them_does_not_look_new(
    world: World, installation: Installation, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    member, really = world.members[0], getattr(joining, asked)

    def then_erased(session: Session, *args: Any) -> Any:
        found = really(session, *args)
        erase(session, member)
        return found

    monkeypatch.setattr(joining, asked, then_erased)
    with installation.database.write() as session:
        key = session.get_one(Member, member).address_key
        known = session.get_one(Member, member).identity(installation.keyring)
        person = Candidate(2, known.email, known.name, "en", None, None, None, {})
        decisions, _ = joining.judge(
            session, installation.keyring, joining.Joining(world.list_id, "file", ""), {key: person}
        )
        assert decisions[key].verdict != "new"
