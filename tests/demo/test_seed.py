"""Seeding: an organisation with a past, the same each time, on addresses that reach nobody."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import func, select

from mobilizer.appeals.glossary import terms
from mobilizer.audience.addresses import normalise
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.suppressions import Suppression
from mobilizer.audience.tagging import tag_lines
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import check
from mobilizer.delivery.ledger import FINAL, Delivery, DeliveryState
from mobilizer.delivery.progress import tallies_by_language, together
from mobilizer.demo.box import NotADemo
from mobilizer.demo.expecting import expected
from mobilizer.demo.logins import LOGINS
from mobilizer.demo.names import ODD_NAMES
from mobilizer.demo.people import invent
from mobilizer.demo.seed import seed
from mobilizer.engagement.events import Event, EventKind
from mobilizer.installation import Installation
from mobilizer.languages import parents
from mobilizer.organizers.accounts import verify
from mobilizer.segments.keeping import segments
from mobilizer.segments.segments import count
from mobilizer.segments.tree import read_rules
from tests.demo.conftest import MEMBERS, NOW

RESERVED = ("example.org", "example.net", "example.com", "example", "test")


def test_members_speak_eight_languages_and_reach_nobody(seeded: Installation) -> None:
    with seeded.database.read() as session:
        members = session.scalars(select(Member)).all()
        addresses = [member.identity(seeded.keyring).email for member in members]
    assert len(set(addresses)) == MEMBERS
    assert {parents(member.language)[-1] for member in members} == {"en", "es", "fr", "pt", "ar", "de", "it", "ja"}
    assert all(address.endswith(RESERVED) and normalise(address) == address for address in addresses)


def test_odd_names_are_kept_as_they_are(seeded: Installation) -> None:
    with seeded.database.read() as session:
        names = {member.identity(seeded.keyring).name for member in session.scalars(select(Member))}
    assert names.issuperset(ODD_NAMES)
    assert "" in names
    assert max(map(len, names)) == 200


def test_some_have_left_some_wait_and_some_are_suppressed(seeded: Installation) -> None:
    with seeded.database.read() as session:
        standings = Counter(session.scalars(select(Subscription.standing)))
        suppressed = session.scalar(select(func.count()).select_from(Suppression))
        lists = session.scalar(select(func.count()).select_from(MemberList))
    assert set(standings) == set(Standing)
    assert suppressed
    assert lists == 3


def test_the_blast_is_ready_and_nothing_forbids_its_launch(seeded: Installation) -> None:
    with seeded.database.read() as session:
        blast = session.scalars(select(Blast).where(Blast.slug == "love-always-wins")).one()
        checked = check(session, seeded, blast, NOW.date())
        wanted = expected(session, seeded.keyring, blast)
    assert blast.state == "ready"
    assert [line.problem.text() for line in checked.lines if line.level == "error"] == []
    assert checked.people == wanted.people
    assert checked.people - checked.suppressed == wanted.messages


def test_the_ledger_of_the_past_blast_adds_up(seeded: Installation) -> None:
    with seeded.database.read() as session:
        blast = session.scalars(select(Blast).where(Blast.slug == "a-seat-at-the-table")).one()
        states = Counter(session.scalars(select(Delivery.state).where(Delivery.blast_id == blast.id)))
        reckoned = together(tallies_by_language(session, [blast.id])[blast.id])
    assert blast.state == "sent"
    assert +Counter(reckoned.states) == states, "its page says the same"
    assert set(states) <= set(FINAL)
    assert states[DeliveryState.ACCEPTED] > MEMBERS / 2


def test_its_segments_find_people_and_its_words_are_agreed(seeded: Installation) -> None:
    with seeded.database.read() as session:
        found = {one.name: sum(n for _, n in count(session, read_rules(one.rules), NOW)) for one in segments(session)}
        assert {tag.name: tag.members > 0 for tag in tag_lines(session)} == {"Translates": True, "Volunteer": True}
        assert [term.words for term in terms(session)] == ["embrace", "skater"]
    assert len(found) == 3
    assert all(found.values()), found


def test_only_who_got_the_past_blast_or_joined_by_it_did_anything_and_never_in_the_future(
    seeded: Installation,
) -> None:
    with seeded.database.read() as session:
        got = set(session.scalars(select(Delivery.member_id).where(Delivery.state == DeliveryState.ACCEPTED)))
        events = session.scalars(select(Event)).all()
    assert all(event.at < NOW for event in events)
    readers = {event.member_id for event in events if event.kind != EventKind.JOIN and event.member_id}
    joined = {event.member_id for event in events if event.kind == EventKind.JOIN}
    assert readers <= got | joined
    assert {event.via_id for event in events if event.via_id} <= got | joined
    assert {event.step for event in events if event.via_id} >= {1, 2}, "who joined passes it on"


def test_those_who_unsubscribed_are_on_no_list_any_more(seeded: Installation) -> None:
    with seeded.database.read() as session:
        left = set(session.scalars(select(Event.member_id).where(Event.kind == EventKind.UNSUBSCRIBE)))
        on = set(session.scalars(select(Subscription.member_id).where(Subscription.standing == Standing.CONFIRMED)))
    assert left
    assert not left & on


def test_each_login_opens_the_door(seeded: Installation) -> None:
    with seeded.database.read() as session:
        for login in LOGINS:
            user = verify(session, seeded.keyring, login.email, login.password)
            assert user is not None
            assert user.role == login.role


def test_seeding_again_changes_nothing(seeded: Installation) -> None:
    assert not seed(seeded, NOW, MEMBERS)
    with seeded.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == MEMBERS


def test_somebody_s_own_installation_is_left_alone(empty: Installation) -> None:
    with empty.database.write() as session:
        session.add(Member(address_key=b"k", domain_key=b"d", sealed=b"s", language="en", share_code="abc"))
    with pytest.raises(NotADemo):
        seed(empty, NOW, MEMBERS)
    with empty.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 1
        assert session.scalar(select(func.count()).select_from(MemberList)) == 0


def test_the_same_people_are_invented_each_time() -> None:
    assert invent(50, NOW) == invent(50, NOW)
