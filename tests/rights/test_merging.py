"""Two records become one: links of either lead to who stays, blasts keep their sums, nobody who left comes back."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from mobilizer.audience.candidates import Candidate
from mobilizer.audience.joining import Joining, join
from mobilizer.audience.leaving_reasons import sums, tell
from mobilizer.audience.lists import Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.audience.merged import MergedMember, who_stays
from mobilizer.audience.notes import add_note, notes_of
from mobilizer.audience.preferences import Fewer, count_sharing, get_fewer
from mobilizer.audience.queries import member_by_address
from mobilizer.audience.standing import leave, leave_all, subscribe
from mobilizer.audience.suppressing import suppress, suppressed_among
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.audience.tagging import put_on, tags_of
from mobilizer.blasts import lifecycle
from mobilizer.db import clock
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Delivery
from mobilizer.engagement.attribution import sharer
from mobilizer.engagement.events import Event, EventKind
from mobilizer.engagement.hits import Hit, record
from mobilizer.engagement.results import Results, results
from mobilizer.installation import Installation
from mobilizer.rights import requests
from mobilizer.rights.erasing import erase
from mobilizer.rights.merging import Refused, merge
from mobilizer.rights.record import as_json, record_of
from mobilizer.rights.timeline import timeline
from tests.delivery.test_books import start
from tests.rights.test_erasing import act, lived
from tests.worlds import World

E = EventKind


def merged(world: World, gone: int, stays: int) -> Refused | None:
    with world.installation.database.write() as session:
        return merge(session, world.installation.keyring, gone, stays)


def settle(world: World, state: str = "accepted") -> None:
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(state=state, settled_at=clock()))


def came_to(world: World) -> Results:
    with world.installation.database.read() as session:
        return results(session, world.blast_id)


def standings(world: World, member: int) -> dict[int, str]:
    with world.installation.database.read() as session:
        rows = session.scalars(select(Subscription).where(Subscription.member_id == member))
        return {row.list_id: row.standing for row in rows}


def key_of(world: World, member: int) -> bytes:
    with world.installation.database.read() as session:
        return session.get_one(Member, member).address_key


def test_the_sums_of_a_blast_stay_whoever_is_merged(world: World) -> None:
    lived(world)
    settle(world)
    before = came_to(world)
    assert before.total.clicks == 3
    *others, last = world.members
    for member in others:
        assert merged(world, member, last) is None
        assert came_to(world) == before, member
    with world.installation.database.read() as session:
        assert [who_stays(session, member) for member in others] == [last] * len(others)


def test_a_mail_that_only_the_other_record_got_is_theirs_now_with_what_they_did(world: World) -> None:
    world.launch()
    settle(world)
    gone, late = world.members[0], world.join(["fr"])[0]
    with world.installation.database.write() as session:
        session.add_all([act(world, E.CLICK, member=gone), act(world, E.VISIT, via=gone)])
    before = came_to(world)
    assert merged(world, gone, late) is None
    assert came_to(world) == before
    assert world.delivery(late).state == "accepted"
    with world.installation.database.read() as session:
        assert not session.scalar(select(func.count()).where(Delivery.member_id == gone))
        assert session.scalar(select(func.count()).where(Event.member_id == late)) == 1
        assert session.scalar(select(func.count()).where(Event.via_id == late)) == 1


def test_what_one_record_did_in_a_blast_of_the_others_is_never_counted_anew(world: World) -> None:
    world.launch()
    settle(world)
    mailed, late = world.members[0], world.join(["fr"])[0]
    with world.installation.database.write() as session:
        session.add_all([act(world, E.JOIN, member=late, via=mailed), act(world, E.VISIT, via=late)])
        session.get_one(Member, late).recruited_by_id = mailed
    before = came_to(world)
    assert before.total.joins == 1
    assert merged(world, mailed, late) is None
    assert came_to(world) == before
    with world.installation.database.read() as session:
        assert session.get_one(Member, late).recruited_by_id is None


def test_while_the_people_of_a_blast_are_written_down_nothing_is_merged(world: World) -> None:
    start(world)
    first, *_, last = world.members
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, 100, 1)
        session.execute(update(Delivery).values(state="accepted"))
    assert merged(world, last, first) is Refused.LAUNCHING
    with world.installation.database.write() as session:
        assert lifecycle.hold(session, world.blast_id, launch.UNFROZEN, None, start=("launching",))
    assert merged(world, last, first) is Refused.LAUNCHING
    with world.installation.database.write() as session:
        assert lifecycle.cancel(session, world.blast_id)
    assert merged(world, last, first) is None


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # the other has one writer at a time
def test_a_launch_waits_for_a_merge_that_is_not_over_and_mails_who_stays(world: World) -> None:
    gone, stays = world.members[0], world.join(["fr"], world.make_list("elsewhere"))[0]
    with ThreadPoolExecutor(1) as other:
        with world.installation.database.write() as session:
            assert merge(session, world.installation.keyring, gone, stays) is None
            start(world)
            freezing = other.submit(launch.freeze, world.installation, world.blast_id)
            wait([freezing], 0.3)
        freezing.result()
    assert world.delivery(stays).state == "pending"
    assert sum(world.states().values()) == len(world.members) - 1


@pytest.mark.parametrize("state", ["pending", "handing", "uncertain"])
def test_while_a_mail_to_either_is_under_way_nothing_is_merged(world: World, state: str) -> None:
    world.launch()
    settle(world)
    one, two, three, *_ = world.members
    with world.installation.database.write() as session:
        session.execute(update(Delivery).where(Delivery.member_id == one).values(state=state))
    assert merged(world, one, two) is Refused.OPEN
    assert merged(world, two, one) is Refused.OPEN
    assert merged(world, two, three) is None
    with world.installation.database.write() as session:
        session.execute(update(Delivery).where(Delivery.member_id == one).values(state="uncertain", decided_at=clock()))
    assert merged(world, one, three) is None


def test_nobody_is_merged_with_themselves_or_with_who_is_gone(world: World) -> None:
    one, two, *_ = world.members
    assert merged(world, one, one) is Refused.SAME
    assert merged(world, one, 10**6) is Refused.GONE
    assert merged(world, one, two) is None
    assert merged(world, one, two) is Refused.GONE


def test_who_was_merged_is_in_a_later_blast_once(world: World) -> None:
    gone, stays, *_ = world.members
    assert merged(world, gone, stays) is None
    world.launch()
    with world.installation.database.read() as session:
        mailed = session.scalars(select(Delivery.member_id)).all()
    assert sorted(mailed) == [member for member in world.members if member != gone]


def test_hits_and_share_codes_of_the_other_record_lead_to_who_stays(world: World, installation: Installation) -> None:
    world.launch()
    settle(world)
    gone, middle, stays, *_ = world.members
    with installation.database.read() as session:
        code = session.get_one(Member, gone).share_code
    assert merged(world, gone, middle) is None
    assert merged(world, middle, stays) is None
    with installation.database.write() as session:
        assert record(session, [Hit("click", 1e9, world.blast_id, gone), Hit("visit", 1e9, world.blast_id, via=middle)])
        assert sharer(session, code, world.blast().appeal_id).member == stays
        [click] = session.scalars(select(Event).where(Event.kind == E.CLICK))
        [visit] = session.scalars(select(Event).where(Event.kind == E.VISIT))
        assert (click.member_id, visit.via_id) == (stays, stays)


def test_who_left_a_list_with_either_record_has_left_it(world: World, installation: Installation) -> None:
    gone, stays, *_ = world.members
    first, second, third = world.list_id, world.make_list("second"), world.make_list("third")
    with installation.database.write() as session:
        subscribe(session, gone, second, how="March", wording="Yes", wording_language="en")
        subscribe(session, stays, third, how="Website")
        leave(session, gone, [first])
    assert merged(world, gone, stays) is None
    assert standings(world, stays) == {first: "unsubscribed", second: "confirmed", third: "confirmed"}
    with installation.database.read() as session:
        [dropped] = session.get_one(MergedMember, gone).dropped
        assert (dropped["list"], dropped["standing"], dropped["how"]) == ("Everyone", "confirmed", "test")


@pytest.mark.parametrize("leaver", [0, 1])
def test_who_left_everything_with_either_record_is_on_nothing(world: World, leaver: int) -> None:
    gone, stays, *_ = world.members
    second = world.make_list("second")
    with world.installation.database.write() as session:
        subscribe(session, (stays, gone)[leaver], second, how="March")
        leave_all(session, (gone, stays)[leaver])
    assert merged(world, gone, stays) is None
    assert standings(world, stays) == {world.list_id: "unsubscribed", second: "unsubscribed"}


@pytest.mark.parametrize(
    ("reason", "carried"),
    [(SuppressedFor.COMPLAINT, True), (SuppressedFor.MANUAL, True), (SuppressedFor.HARD_BOUNCE, False)],
)
def test_what_a_person_said_holds_what_a_mailbox_did_does_not(
    world: World, reason: SuppressedFor, carried: bool
) -> None:
    gone, stays, *_ = world.members
    old, new = key_of(world, gone), key_of(world, stays)
    with world.installation.database.write() as session:
        suppress(session, old, reason)
    assert merged(world, gone, stays) is None
    with world.installation.database.read() as session:
        assert suppressed_among(session, [old, new]) == ({old: reason, new: reason} if carried else {old: reason})


def test_what_was_known_stays_and_blanks_are_filled(world: World, installation: Installation) -> None:
    gone, stays, *_ = world.members
    keyring = installation.keyring
    with installation.database.write() as session:
        old, new = session.get_one(Member, gone), session.get_one(Member, stays)
        new.sealed = seal_identity(keyring, Identity("member1@example.org", ""))[2]
        old.country, new.country, old.time_zone = "MX", "PT", "America/Mexico_City"
        old.attributes, new.attributes = {"size": "S", "city": "Puebla"}, {"size": "M"}
        old.created_at = new.created_at - timedelta(days=9)
        since = old.created_at
        put_on(session, {gone: ["Volunteer", "Cook"], stays: ["volunteer"]})
        add_note(session, keyring, gone, None, "Calls at night")
    assert merged(world, gone, stays) is None
    with installation.database.read() as session:
        new = session.get_one(Member, stays)
        assert new.identity(keyring) == Identity("member1@example.org", "Ana0 López")
        assert (new.country, new.time_zone, new.created_at) == ("PT", "America/Mexico_City", since)
        assert new.attributes == {"size": "M", "city": "Puebla"}
        assert sorted(tags_of(session, [stays])[stays].values()) == ["Cook", "Volunteer"]
        assert [note.text for note in notes_of(session, keyring, stays)] == ["Calls at night"]


def test_the_old_address_finds_who_stays_and_brings_no_second_record(world: World, installation: Installation) -> None:
    gone, stays, *_ = world.members
    old = key_of(world, gone)
    assert merged(world, gone, stays) is None
    joining = Joining(world.list_id, "file", "Yes")
    with installation.database.write() as session:
        before = session.scalar(select(func.count()).select_from(Member))
        again = Candidate(2, "member0@example.org", "Ana", "en", None, None, None, {})
        assert join(session, installation.keyring, joining, {old: again}) == {old: "unchanged"}
        assert session.scalar(select(func.count()).select_from(Member)) == before
        assert member_by_address(session, installation.keyring, "Member0@example.org") == stays


def test_their_record_tells_of_the_other_and_erasing_them_erases_both(world: World, installation: Installation) -> None:
    world.launch()
    settle(world)
    gone, stays, *_ = world.members
    keys = [key_of(world, gone), key_of(world, stays)]
    with installation.database.write() as session:
        session.execute(update(Delivery).values(reply="2.0.0 queued"))
    assert merged(world, gone, stays) is None
    with installation.database.read() as session:
        found = record_of(session, installation.keyring, stays)
        assert found is not None
        told = json.loads(as_json(found))
        assert [one["address"] for one in told["merged_records"]] == ["member0@example.org"]
        assert told["merged_records"][0]["consents"][0]["list"] == "Everyone"
        assert len(told["mails"]) == 2
        assert sum(moment.kind == "mail" for moment in timeline(session, installation.keyring, found.member)) == 2
    with installation.database.write() as session:
        assert erase(session, gone)  # by a link in an old mail
    with installation.database.read() as session:
        assert session.get(Member, stays) is None
        assert not session.scalar(select(func.count()).select_from(MergedMember))
        assert suppressed_among(session, keys) == dict.fromkeys(keys, SuppressedFor.ERASED)
        replies = session.scalars(select(Delivery.reply).where(Delivery.member_id.in_([gone, stays]))).all()
        assert replies == ["", ""]


def test_recruits_follow_and_nobody_comes_through_themselves(world: World, installation: Installation) -> None:
    top, gone, middle, stays, *_ = world.members
    with installation.database.write() as session:
        for who, through in ((gone, top), (middle, gone), (stays, middle)):
            session.get_one(Member, who).recruited_by_id = through
    assert merged(world, gone, stays) is None
    with installation.database.read() as session:
        assert session.get_one(Member, middle).recruited_by_id == stays
        assert session.get_one(Member, stays).recruited_by_id == top


def test_who_wanted_less_with_either_record_gets_less_and_their_reason_is_kept(
    world: World, installation: Installation
) -> None:
    gone, stays, *_ = world.members
    with installation.database.write() as session:
        get_fewer(session, gone, Fewer.MONTHLY)
        get_fewer(session, stays, Fewer.PAUSED)
        count_sharing(session, gone, counted=False)
        session.get_one(Member, gone).tracking = False
        assert tell(session, installation.keyring, gone, "language", "No leo inglés", "es")
    assert merged(world, gone, stays) is None
    with installation.database.read() as session:
        kept = record_of(session, installation.keyring, stays)
        assert kept is not None
        assert (kept.member.monthly, kept.member.uncounted, kept.member.tracking) == (True, True, False)
        assert kept.member.paused_until is not None
        assert kept.left_because == ("language", "No leo inglés")
        assert json.loads(as_json(kept))["left_because"] == {"choice": "language", "words": "No leo inglés"}
        assert sums(session) == {"language": 1}


def test_who_waits_for_their_record_still_gets_it(world: World, installation: Installation) -> None:
    gone, stays, *_ = world.members
    with installation.database.write() as session:
        requests.ask(session, gone)
    assert merged(world, gone, stays) is None
    with installation.database.read() as session:
        assert requests.due(session, 9) == [stays]


_ACTS = st.tuples(
    st.sampled_from([E.OPEN, E.CLICK, E.WATCH, E.SHARE, E.VISIT, E.JOIN, E.UNSUBSCRIBE]),
    st.one_of(st.none(), st.integers(0, 3)),
    st.one_of(st.none(), st.integers(0, 3)),
).filter(lambda act: act[1] is None or act[1] != act[2])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(_ACTS, max_size=12), mailed=st.sets(st.integers(0, 3)), pair=st.permutations(range(4)))
def test_whatever_they_did_the_sums_stay(
    world: World, acts: list[tuple[EventKind, int | None, int | None]], mailed: set[int], pair: list[int]
) -> None:
    """Of any acts in a blast that went to any of four people, whoever of them is merged with whom."""
    people = world.join(["en", "es", "en", "fr"])
    with world.installation.database.write() as session:
        session.execute(delete(Event))
        session.execute(delete(Delivery))
        for n in mailed:
            row = Delivery(blast_id=world.blast_id, member_id=people[n], batch_id=0, language="en", caught_by="exact")
            row.state = "accepted"
            session.add(row)
        for kind, member, via in acts:
            who = {"member": None if member is None else people[member], "via": None if via is None else people[via]}
            session.add(act(world, kind, **who))
    before = came_to(world)
    assert merged(world, people[pair[0]], people[pair[1]]) is None
    assert came_to(world) == before
    with world.installation.database.read() as session:
        assert not session.scalar(select(func.count()).where(Event.member_id == Event.via_id))
