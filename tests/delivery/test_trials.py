"""Variants: each goes to as many people, the best one to the others; everyone gets one mail, whatever breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Translation
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.blasts.departure import Departure, Goal
from mobilizer.db import clock
from mobilizer.delivery import launch, leases, opening, reconcile
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.delivery.loads import Loader
from mobilizer.delivery.waves import Wave, held
from mobilizer.engagement import winners
from mobilizer.engagement.events import Event
from mobilizer.organizers.audit import AuditEntry
from tests.web.appeal_stage import settle
from tests.worlds import World

TRIAL = Departure(sample=4, goal=Goal.CLICKS, after_hours=2)
Groups = Mapping[tuple[str, str, str], list[int]]


@pytest.fixture
def tried(world: World) -> World:
    """45 members get English, of which there are three variants, 12 Spanish, of which there are two."""
    with world.installation.database.write() as session:
        session.execute(update(Translation).values(subject_b="{{ first_name }}, look"))
        session.execute(update(Translation).where(Translation.language == "en").values(opening_c="It begins here."))
        session.execute(update(Blast).values(departure=TRIAL.written))
    world.join(["en"] * 37 + ["es"] * 10 + ["ar"] * 5)
    return world


def groups(world: World) -> Groups:
    """The members by their language, variant and the state of their batch."""
    asked = select(Delivery.member_id, Batch.language, Batch.variant, Batch.state)
    found: dict[tuple[str, str, str], list[int]] = {}
    with world.installation.database.read() as session:
        for member, *key in session.execute(asked.join(Batch, Batch.id == Delivery.batch_id)):
            found.setdefault(tuple(key), []).append(member)
    return found


def sizes(world: World) -> dict[tuple[str, str, str], int]:
    return {key: len(members) for key, members in groups(world).items()}


def did(world: World, kind: str, members: list[int]) -> None:
    """They did it, each of them twice; a machine did so for others."""
    who = "via_id" if kind == "join" else "member_id"
    with world.installation.database.write() as session:
        session.add_all(Event(kind=kind, blast_id=world.blast_id, **{who: one}) for one in members * 2)
        others = [one for one in world.members if one not in members]
        session.add_all(Event(kind=kind, blast_id=world.blast_id, machine="bot", **{who: one}) for one in others)


def accept(world: World, keys: list[tuple[str, str, str]]) -> None:
    for member in [member for key in keys for member in groups(world)[key]]:
        settle(world, member, DeliveryState.ACCEPTED)


def choose(world: World, variant: str, language: str = "en") -> bool:
    with world.installation.database.write() as session:
        return winners.choose(session, session.get_one(Blast, world.blast_id), language, variant)


def choose_due(world: World) -> None:
    with world.installation.database.write() as session:
        session.execute(update(Wave).where(Wave.opens_at.is_not(None)).values(opens_at=clock(-1)))
    for step in (opening.watch_first, opening.open_due, winners.choose_due):
        with world.installation.database.write() as session:
            step(session)


AT_ONCE = {("en", "a", "open"): 4, ("en", "b", "open"): 4, ("en", "c", "open"): 4, ("es", "a", "open"): 12}


def test_each_variant_goes_to_as_many_people_and_the_others_wait(tried: World) -> None:
    assert tried.launch()
    assert sizes(tried) == AT_ONCE | {("en", "a", "held"): 33}
    first = groups(tried)
    with tried.installation.database.read() as session:
        (wave,) = held(session, tried.blast_id)
        assert (wave.kind, wave.language, wave.people, wave.variants) == ("winner", "en", 33, ("a", "b", "c"))
        assert {(row.blast, row.language, row.variant) for row in leases.next_of_each(session)} == {
            (tried.blast_id, *key[:2]) for key in AT_ONCE
        }
        assert len(reconcile.due_batches(session, 10)) == 4
        assert set(session.execute(select(Rendition.language, Rendition.variant)).all()) == {
            *(("en", one) for one in "abc"),
            *(("es", one) for one in "ab"),
        }
    # The lot of a member in a blast is always the same, piece by piece too.
    with tried.installation.database.write() as session:
        for table in (Delivery, Batch, Wave):
            session.query(table).delete()
        session.execute(update(Blast).values(state="launching", frozen_up_to=0))
    launch.freeze(tried.installation, tried.blast_id, chunk=9)
    assert {key: sorted(members) for key, members in groups(tried).items()} == {
        key: sorted(members) for key, members in first.items()
    }


def test_a_message_is_made_of_the_words_of_its_variant(tried: World) -> None:
    tried.launch()
    made = {}
    with tried.installation.database.write() as session:
        for (tag, variant, state), members in groups(tried).items():
            if state == "open":
                lease = leases.take(session, tried.delivery(members[0]).batch_id, "me")
                assert lease is not None
                loader = Loader(tried.installation)
                loader.prepare(session, lease)
                assert loader._pair is not None
                made[tag, variant] = (loader._pair[0].subject, "It begins here." in str(loader._pair[1].text))
    assert len({str(subject) for subject, _ in made.values()}) == 3, "C has the subject of A"
    assert [key for key, (_, begins) in made.items() if begins] == [("en", "c")]


def test_the_best_variant_goes_to_those_who_waited_exactly_once(tried: World) -> None:
    tried.launch()
    before, rest = groups(tried), groups(tried)["en", "a", "held"]
    choose_due(tried)
    assert sizes(tried) == AT_ONCE | {("en", "a", "held"): 33}, "nobody has one yet"
    accept(tried, [key for key in before if key[2] == "open"])
    did(tried, "click", [*before["en", "b", "open"][:3], before["en", "a", "open"][0]])
    did(tried, "share", before["en", "c", "open"])
    with tried.installation.database.read() as session:
        (trial,) = winners.trials(session, tried.blast())
        assert {one.variant: (one.people, one.accepted, one.waiting, one.did["clicks"]) for one in trial.tried} == {
            "a": (4, 4, 0, 1),
            "b": (4, 4, 0, 3),
            "c": (4, 4, 0, 0),
        }
        assert (trial.best, trial.rest, trial.tried[2].did["shares"]) == ("b", 33, 4)
    choose_due(tried)
    choose_due(tried)
    assert not choose(tried, "c"), "it is chosen"
    assert sorted(groups(tried)["en", "b", "open"]) == sorted([*before["en", "b", "open"], *rest])
    assert sum(sizes(tried).values()) == len(tried.members)
    with tried.installation.database.read() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.choose_variant")).all()
        assert (entry.user_id, entry.detail["variant"], entry.detail["sure"]) == (None, "b", False)
        assert entry.detail["tried"] == {"a": [1, 4], "b": [3, 4], "c": [0, 4]}
        (trial,) = winners.trials(session, tried.blast())
        assert (trial.winner, trial.found["tried"]) == ("b", entry.detail["tried"])


@pytest.mark.parametrize("goal", [Goal.WATCHES, Goal.RECRUITS])
def test_what_counts_is_what_was_asked_for_and_a_person_may_choose_another(tried: World, goal: Goal) -> None:
    kind = {Goal.WATCHES: "watch", Goal.RECRUITS: "join"}[goal]
    with tried.installation.database.write() as session:
        session.execute(update(Blast).values(departure=Departure(sample=4, goal=goal).written))
    tried.launch()
    first = groups(tried)
    accept(tried, [key for key in first if key[2] == "open"])
    did(tried, "click", first["en", "a", "open"])
    did(tried, kind, first["en", "c", "open"][:1])
    choose_due(tried)
    assert sizes(tried)["en", "a", "held"] == 33, "by hand alone"
    with tried.installation.database.read() as session:
        assert winners.trials(session, tried.blast())[0].best == "c"
    assert not choose(tried, "d")
    assert not choose(tried, "b", "es")
    assert choose(tried, "a")
    assert sizes(tried)["en", "a", "open"] == 4 + 33


def test_two_who_choose_at_once_choose_once(tried: World) -> None:
    tried.launch()
    with ThreadPoolExecutor(4) as pool:
        chosen = list(pool.map(lambda variant: choose(tried, variant), "abca"))
    assert sum(chosen) == 1
    winner = "abca"[chosen.index(True)]
    assert sizes(tried) == Counter(AT_ONCE) + Counter({("en", winner, "open"): 33})
    with tried.installation.database.read() as session:
        assert session.scalars(select(Wave.winner)).one() == winner
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "blast.choose_variant")).all()) == 1


def test_a_choice_that_breaks_off_is_as_if_it_had_not_been(tried: World) -> None:
    tried.launch()
    accept(tried, [key for key in groups(tried) if key[2] == "open"])
    with tried.installation.database.write() as session:
        assert winners.choose(session, session.get_one(Blast, tried.blast_id), "en", "b")
        session.rollback()  # as of one who was killed before the commit
    assert sizes(tried)["en", "a", "held"] == 33
    with tried.installation.database.write() as session:
        lifecycle.pause(session, tried.blast_id)
    choose_due(tried)
    assert sizes(tried)["en", "a", "held"] == 33, "the software does not choose while it is paused"
    assert choose(tried, "b"), "a person may"
    assert sizes(tried)["en", "b", "open"] == 4 + 33
    with tried.installation.database.write() as session:
        lifecycle.cancel(session, tried.blast_id)
        reconcile.settle_cancelled(session)
    assert tried.states() == {"accepted": 24, "skipped": 33}
    assert not choose(tried, "c")


def test_those_who_wait_for_a_late_language_are_in_no_trial_and_bounces_stop_it(tried: World) -> None:
    with tried.installation.database.write() as session:
        session.execute(update(Blast).values(waits=["ar"]))
    tried.launch()
    assert sizes(tried) == AT_ONCE | {("ar", "a", "held"): 5, ("en", "a", "held"): 28}
    for member in groups(tried)["en", "a", "open"]:
        settle(tried, member, DeliveryState.REJECTED)
    choose_due(tried)
    assert tried.blast().state == "held"
    with tried.installation.database.write() as session:
        lifecycle.resume(session, tried.blast_id)
    choose_due(tried)
    assert sizes(tried)["en", "a", "held"] == 28, "now only a person may"
    assert choose(tried, "c")


def test_a_launch_that_is_taken_back_keeps_no_variant(tried: World) -> None:
    with tried.installation.database.write() as session:
        blast = session.get_one(Blast, tried.blast_id)
        assert launching.launch(session, tried.installation.settings, blast, launching.seen(blast), 60)
    with tried.installation.database.write() as session:
        assert launching.undo(session, tried.blast_id)
    with tried.installation.database.read() as session:
        assert session.scalars(select(Rendition)).all() == []
        assert session.get_one(Blast, tried.blast_id).departure == {}
    tried.launch()
    assert sizes(tried) == {("en", "a", "open"): 45, ("es", "a", "open"): 12}
