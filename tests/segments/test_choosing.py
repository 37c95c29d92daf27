"""Whom a narrowed blast goes to: counted before launch, frozen at launch, and nobody where it can't be said."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import delete, insert, select, update

from mobilizer import failpoints, jobs
from mobilizer.audience import headcounts
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.standing import rejoin
from mobilizer.audience.suppressions import Suppression
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.check import Checklist, check
from mobilizer.blasts.drawn import DrawnMember
from mobilizer.blasts.lifecycle import Plan
from mobilizer.blasts.narrowing import Narrowing, narrowing_of
from mobilizer.db import clock
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Delivery, DeliveryState
from mobilizer.engagement.events import Event, EventKind
from mobilizer.failpoints import Point
from mobilizer.rights.erasing import erase
from mobilizer.rights.merging import merge
from mobilizer.rights.record import as_json, record_of
from mobilizer.segments import follow_ups, keeping
from mobilizer.segments.choosing import whom
from mobilizer.segments.follow_ups import FollowUp
from mobilizer.segments.segments import Segment, count
from mobilizer.segments.tree import read_rules
from tests.worlds import World

SPANISH = {"rule": "language", "language": "es"}
ENGLISH = {"rule": "language", "language": "en"}


def save(world: World, name: str, *rules: object) -> int:
    with world.installation.database.write() as session:
        return keeping.create(session, name, read_rules(list(rules))).id


def of(numbers: Iterable[int]) -> dict[str, object]:
    """A rule that only some members fit: the sources of the others differ."""
    return {"any": [{"rule": "source", "text": f"n{number}"} for number in numbers]}


def aim(world: World, **narrowing: object) -> None:
    with world.installation.database.write() as session:
        for number in world.members:
            session.execute(update(Member).where(Member.id == number).values(source=f"n{number}"))
        plan = Plan((world.list_id,), narrowing=Narrowing(**narrowing))  # type: ignore[arg-type]
        lifecycle.change(session, session.get_one(Blast, world.blast_id), plan)


def another_blast(
    world: World, slug: str, got: Iterable[int], state: str = DeliveryState.ACCEPTED, days: int = 0
) -> int:
    """A blast that was launched some days ago, and what became of some members in it."""
    with world.installation.database.write() as session:
        appeal = session.get_one(Blast, world.blast_id).appeal
        blast = lifecycle.create(session, appeal, slug, Plan((world.list_id,)))
        blast.state, blast.launched_at = BlastState.SENT, clock(-days * 86400 - 5)
        session.flush()
        session.add_all(
            Delivery(blast_id=blast.id, member_id=one, batch_id=1, language="en", caught_by="exact", state=state)
            for one in got
        )
        return blast.id


def checked(world: World) -> Checklist:
    with world.installation.database.read() as session:
        blast = session.get_one(Blast, world.blast_id)
        return check(session, world.installation, blast, date(2026, 11, 22), whom)


def start(world: World) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert launching.launch(session, world.installation.settings, blast, launching.seen(blast))


def frozen(world: World, chunk: int = 2) -> list[int]:
    launch.freeze(world.installation, world.blast_id, chunk, whom)
    with world.installation.database.read() as session:
        found = select(Delivery.member_id).where(Delivery.blast_id == world.blast_id).order_by(Delivery.member_id)
        return list(session.scalars(found))


def sent_to(world: World) -> list[int]:
    """Who gets it: the same that the check list has counted."""
    people = checked(world).people
    start(world)
    found = frozen(world)
    assert len(found) == people
    return found


def test_a_blast_goes_to_whoever_is_in_any_of_its_segments(world: World) -> None:
    one, two, three, *_ = world.members
    aim(world, segments=(save(world, "a", of([one, two])), save(world, "b", of([two, three]))))
    assert sent_to(world) == [one, two, three]


def test_a_blast_goes_to_whoever_is_in_each_of_its_segments(world: World) -> None:
    one, two, three, *_ = world.members
    aim(world, segments=(save(world, "a", of([one, two])), save(world, "b", of([two, three]))), every=True)
    assert sent_to(world) == [two]


def test_a_segment_narrows_the_lists_and_never_widens_them(world: World) -> None:
    elsewhere = world.make_list("elsewhere")
    world.join(["es"], elsewhere)
    aim(world, segments=(save(world, "spanish", SPANISH),))
    assert sent_to(world) == [world.members[1], world.members[3]]


def test_segments_and_earlier_blasts_are_left_out(world: World) -> None:
    one, _, three, _, five = world.members
    earlier = another_blast(world, "earlier", [three], DeliveryState.SKIPPED)
    aim(world, without=(save(world, "spanish", SPANISH),), earlier=(earlier,))
    assert sent_to(world) == [one, five]


def test_the_frequency_cap_leaves_out_who_had_enough_and_says_how_many(world: World) -> None:
    one, two, three, four, five = world.members
    another_blast(world, "first", [one, two])
    another_blast(world, "second", [one, three], DeliveryState.PENDING)
    another_blast(world, "refused", [two, four], DeliveryState.REJECTED)
    another_blast(world, "long-ago", [two, five], days=8)
    aim(world, most=2, days=7)
    said = {line.problem.code: line.problem for line in checked(world).lines}
    assert said["audience.capped"].text() == "The frequency cap leaves out 1 person (blasts: 2, days: 7)."
    assert sent_to(world) == [two, three, four, five]


def test_what_narrows_a_blast_is_kept_with_it(world: World) -> None:
    given = Narrowing(segments=(1, 2), every=True, without=(3,), earlier=(4,), most=1, days=3)
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert (blast.narrowing, narrowing_of(blast.narrowing)) == ({}, Narrowing())
        lifecycle.change(session, blast, Plan((world.list_id,), narrowing=given))
    assert narrowing_of(world.blast().narrowing) == given


def test_the_last_days_of_a_rule_are_counted_from_the_launch(world: World) -> None:
    aim(world, segments=(save(world, "new", {"rule": "joined_within", "days": 3}),))
    with world.installation.database.write() as session:
        session.execute(update(Member).values(created_at=clock(-3 * 86400 + 60)))
    start(world)
    with world.installation.database.write() as session:
        # As if it were frozen much later than it was launched: all of them are in it still.
        session.execute(update(Member).values(created_at=clock(-5 * 86400 + 60)))
        session.execute(update(Blast).where(Blast.id == world.blast_id).values(launched_at=clock(-2 * 86400)))
    assert frozen(world) == world.members


def test_a_blast_whose_segment_is_gone_is_held_and_goes_to_nobody(world: World) -> None:
    segment = save(world, "spanish", SPANISH)
    aim(world, segments=(segment,))
    start(world)
    with world.installation.database.write() as session:
        session.execute(delete(Segment).where(Segment.id == segment))
    assert frozen(world) == []
    blast = world.blast()
    assert (blast.state, blast.retry_at, blast.frozen_up_to) == (BlastState.HELD, None, 0)
    assert blast.held_for is not None
    assert blast.held_for.code == "audience.segment_gone"


def test_what_is_gone_from_a_segment_stops_the_blast_until_it_is_mended(world: World) -> None:
    other = world.make_list("other")
    with world.installation.database.write() as session:
        rows = [{"list_id": other, "member_id": one, "standing": Standing.CONFIRMED} for one in world.members[:2]]
        session.execute(insert(Subscription), rows)
    number = save(world, "others", {"not": {"rule": "on_list", "list": other, "standing": "confirmed"}})
    aim(world, segments=(number,))
    assert checked(world).people == 3
    start(world)
    with world.installation.database.write() as session:
        session.execute(delete(MemberList).where(MemberList.id == other))
    assert frozen(world) == []
    held_for = world.blast().held_for
    assert held_for is not None
    assert "“others”" in held_for.text()
    with world.installation.database.write() as session:
        assert keeping.change(session, session.get_one(Segment, number), "others", read_rules([SPANISH])) == []
        assert lifecycle.resume(session, world.blast_id)
    assert frozen(world) == [world.members[1], world.members[3]]


def test_before_launch_what_is_gone_is_a_red_line(world: World) -> None:
    aim(world, segments=(999,))
    found = checked(world)
    assert (found.ready, found.people) == (False, 0)
    assert "audience.segment_gone" in {line.problem.code for line in found.lines if line.level == "error"}


def test_the_job_that_launches_a_blast_knows_its_segments(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    aim(world, segments=(save(world, "spanish", SPANISH),))
    start(world)
    monkeypatch.setattr(jobs, "_installation", world.installation)
    monkeypatch.setattr(world.installation.database, "after_fork", lambda: None)  # nobody forked
    jobs.perform("launch", world.blast_id)
    assert (world.blast().state, world.states()) == (BlastState.SENDING, {"pending": 2})


def test_who_knows_of_no_segments_does_not_freeze_a_narrowed_blast(world: World) -> None:
    aim(world, segments=(save(world, "spanish", SPANISH),))
    start(world)
    with pytest.raises(RuntimeError, match="narrowed"):
        launch.freeze(world.installation, world.blast_id)
    assert world.states() == {}


def test_a_segment_that_a_blast_uses_is_not_deleted(world: World) -> None:
    used, left_out, free = (save(world, name, SPANISH) for name in ("used", "left out", "free"))
    aim(world, segments=(used,), without=(left_out,))
    with world.installation.database.write() as session:
        for number in (used, left_out):
            [problem] = keeping.delete(session, session.get_one(Segment, number))
            assert problem.text() == "The blast “love-always-wins” uses this segment. Take it out there first."
        assert keeping.delete(session, session.get_one(Segment, free)) == []
    with world.installation.database.write() as session:
        assert set(session.scalars(select(Segment.id))) == {used, left_out}
        assert lifecycle.cancel(session, world.blast_id)
        assert keeping.delete(session, session.get_one(Segment, used)) == []


def test_who_saw_the_people_of_the_old_rules_does_not_launch_those_of_the_new(world: World) -> None:
    number = save(world, "spanish", SPANISH)
    aim(world, segments=(number,))
    with world.installation.database.write() as session:
        seen = launching.seen(session.get_one(Blast, world.blast_id))
    with world.installation.database.write() as session:
        assert keeping.change(session, session.get_one(Segment, number), "english", read_rules([ENGLISH])) == []
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert not launching.launch(session, world.installation.settings, blast, seen)


def test_rules_do_not_change_under_a_blast_that_is_half_frozen(world: World) -> None:
    number = save(world, "spanish", SPANISH)
    aim(world, segments=(number,))
    start(world)
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, 100, 2, whom)
    with world.installation.database.write() as session:
        [problem] = keeping.change(session, session.get_one(Segment, number), "all", read_rules([ENGLISH]))
        assert problem.code == "segment.launching"
    assert frozen(world) == [world.members[1], world.members[3]]
    with world.installation.database.write() as session:
        assert keeping.change(session, session.get_one(Segment, number), "all", read_rules([ENGLISH])) == []


def drawn_now(world: World) -> list[int]:
    """Whom the narrowing of the blast finds as things are."""
    with world.installation.database.read() as session:
        chosen = whom(session, session.get_one(Blast, world.blast_id))
        assert chosen is not None
        return list(session.scalars(select(Member.id).where(chosen.where).order_by(Member.id)))


def leave(world: World, member_id: int) -> None:
    with world.installation.database.write() as session:
        left = update(Subscription).where(Subscription.member_id == member_id)
        session.execute(left.values(standing=Standing.UNSUBSCRIBED))


@pytest.mark.parametrize("opposite", [False, True])
@pytest.mark.parametrize("point", [Point.FREEZE_BEFORE_COMMIT, Point.FREEZE_AFTER_COMMIT])
def test_who_leaves_while_a_blast_is_frozen_is_replaced_by_nobody(world: World, point: Point, opposite: bool) -> None:
    world.join(["en", "es"] * 10)
    few = {"rule": "drawn_few", "people": 12, "draw": 7}
    aim(world, segments=(save(world, "few", {"not": few} if opposite else few),))
    start(world)
    first = drawn_now(world)
    assert len(first) == (13 if opposite else 12)
    child = os.fork()
    if not child:
        world.installation.database.after_fork()
        failpoints.arm(f"{point}:3")
        launch.freeze(world.installation, world.blast_id, 4, whom)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    rest = world.members[-8:]
    assert 0 < world.blast().frozen_up_to < rest[0]
    leaving = [one for one in rest if (one in first) != opposite]
    for one in leaving:
        leave(world, one)
    stay = [one for one in first if one not in leaving]
    assert frozen(world, 4) == stay


FEW = {"rule": "drawn_few", "people": 2, "draw": 7}


def test_the_rest_of_a_draw_is_everybody_but_who_was_drawn_for_a_launch(world: World) -> None:
    known = {"not": {"rule": "country", "country": "FR"}}
    few = save(world, "few", {"all": [known, FEW]})
    rest = save(world, "rest", {"all": [{"not": FEW}, known]})
    aim(world, segments=(few,))
    start(world)
    drawn = frozen(world)
    assert len(drawn) == 2
    with world.installation.database.write() as session:
        appeal = session.get_one(Blast, world.blast_id).appeal
        world.blast_id = lifecycle.create(session, appeal, "later", Plan((world.list_id,))).id
    came = world.join(["en"] * 12)
    leave(world, drawn[0])
    aim(world, segments=(rest,))
    start(world)
    assert frozen(world) == [one for one in world.members if one not in drawn]
    with world.installation.database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.ACCEPTED))
    with world.installation.database.write() as session:
        assert merge(session, world.installation.keyring, drawn[0], came[0]) is None
        assert erase(session, drawn[1])
    with world.installation.database.read() as session:
        assert list(session.scalars(select(DrawnMember.member_id))) == [came[0]]
        kept = record_of(session, world.installation.keyring, came[0])
        assert kept is not None
        assert len(json.loads(as_json(kept))["drawn_by_lot"]) == 1


def test_of_two_blasts_launched_at_once_with_a_frequency_cap_one_goes_to_each_person(world: World) -> None:
    few = save(world, "few", {"rule": "drawn_few", "people": 4, "draw": 7})
    aim(world, most=1, days=3)
    one = world.blast_id
    start(world)
    with world.installation.database.write() as session:
        appeal = session.get_one(Blast, one).appeal
        world.blast_id = lifecycle.create(session, appeal, "other", Plan((world.list_id,))).id
    aim(world, segments=(few,), most=1, days=3)
    start(world)
    database = world.installation.database
    with ThreadPoolExecutor(1) as other:
        with database.write() as session:
            assert launch.freeze_chunk(session, one, 100, 2, whom)  # to two people, and not committed yet
            theirs = other.submit(frozen, world)
            wait([theirs], 0.2)
        launch.freeze(world.installation, one, 100, whom)
        theirs.result()
    with database.read() as session:
        mailed = Counter(session.scalars(select(Delivery.member_id)))
    assert mailed == dict.fromkeys(world.members, 1)


def test_only_who_can_be_mailed_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, *_ = world.members
    with world.installation.database.write() as session:
        session.execute(
            update(Subscription).where(Subscription.member_id == one).values(standing=Standing.UNSUBSCRIBED)
        )
        key = session.get_one(Member, two).address_key
        session.add(Suppression(address_key=key, reason="manual"))
    everyone = read_rules([{"any": [SPANISH, ENGLISH]}])
    with world.installation.database.read() as session:
        assert count(session, everyone, datetime.now(UTC)) == [("en", 2), ("es", 1)]
    # The same of those who are counted ahead: as of then, and right again with the next count.
    monkeypatch.setattr(headcounts, "WIDTH", 2)
    with world.installation.database.write() as session:
        headcounts.recount(session)
        assert headcounts.counted_up_to(session) == 4
        assert count(session, everyone, datetime.now(UTC)) == [("en", 2), ("es", 1)]
    with world.installation.database.write() as session:
        for member in world.members:
            rejoin(session, member, [world.list_id])
        session.execute(delete(Suppression))
        headcounts.doubt(session)
        headcounts.recount(session)
        assert count(session, everyone, datetime.now(UTC)) == [("en", 3), ("es", 2)]


def test_a_slug_is_made_of_the_name_and_is_free(world: World) -> None:
    for name in ("New", "New", "عربي", "Ça va?"):
        save(world, name, SPANISH)
    with world.installation.database.read() as session:
        assert [one.slug for one in keeping.segments(session)] == ["new-2", "new-3", "ca-va", "segment"]


def did(world: World, *acts: tuple[int, EventKind], blast: int, machine: str = "") -> None:
    with world.installation.database.write() as session:
        session.add_all(Event(kind=kind, blast_id=blast, member_id=one, machine=machine) for one, kind in acts)


def test_each_follow_up_goes_to_whom_it_is_for_and_to_nobody_twice(world: World) -> None:
    one, two, three, four, _ = world.members
    first = another_blast(world, "first", (one, two, three, four))  # and not to the fifth
    did(world, (one, EventKind.WATCH), (two, EventKind.WATCH), (two, EventKind.SHARE), blast=first)
    did(world, (three, EventKind.CLICK), blast=first)
    did(world, (four, EventKind.OPEN), blast=first, machine="prefetch")
    database = world.installation.database

    def draft(kind: FollowUp) -> None:
        with database.write() as session:
            blast = session.get_one(Blast, first)
            world.blast_id = follow_ups.draft(session, blast, kind, blast.appeal).id

    people = {FollowUp.UNOPENED: [four], FollowUp.UNSHARED: [one], FollowUp.SHARED: [two]}
    for kind, theirs in people.items():
        draft(kind)
        assert checked(world).people == len(theirs)
        start(world)
        assert frozen(world) == theirs
    did(world, (one, EventKind.SHARE), blast=first)
    draft(FollowUp.SHARED)
    later = world.blast_id
    draft(FollowUp.SHARED)
    start(world)
    assert frozen(world) == [one], "two was thanked"
    world.blast_id = later
    start(world)
    assert frozen(world) == [], "whichever of two drafts leaves first"


def test_what_people_did_is_forgotten_and_nobody_is_taken_for_idle(world: World) -> None:
    first = another_blast(world, "first", world.members)
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, first)
        world.blast_id = follow_ups.draft(session, blast, FollowUp.UNOPENED, blast.appeal).id
        assert not follow_ups.refused(blast)
        blast.forgotten_at = clock()
    assert "follow_up.forgotten" in [line.problem.code for line in checked(world).lines if line.level == "error"]
    start(world)
    assert frozen(world) == []
    with world.installation.database.read() as session:
        assert session.get_one(Blast, world.blast_id).state == BlastState.HELD
        assert [one.code for one in follow_ups.refused(session.get_one(Blast, first))] == ["follow_up.forgotten"]
