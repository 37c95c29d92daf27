"""Waves: a language that comes late, an hour of each time zone, a few people first. Everyone still gets exactly one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.states import approve, content_hash
from mobilizer.audience.members import Member
from mobilizer.audience.suppressing import suppress
from mobilizer.audience.suppressions import SuppressedFor
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, BlastState, Link, Rendition
from mobilizer.blasts.departure import Departure, Past
from mobilizer.db import clock
from mobilizer.delivery import late, launch, opening, reconcile, waves
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.delivery.progress import progress
from tests.web.appeal_stage import settle
from tests.worlds import World, _translation

ARABIC = (
    "الحب ينتصر",
    "{{ first_name }} العزيزة،",
    "صديقتنا العزيزة،",
    "شاهدوا الفيلم. [المزيد](https://example.org/ar)",
)


def leave(world: World, **values: object) -> None:
    """Say how the blast leaves, before its launch."""
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(**values))


def free(world: World) -> list[int]:
    """The members whose mail may go now, in the order of their numbers."""
    may_go = select(Delivery.member_id).join(Batch, Batch.id == Delivery.batch_id).where(Batch.state == "open")
    with world.installation.database.read() as session:
        return list(session.scalars(may_go.order_by(Delivery.member_id)))


def write_arabic(world: World) -> None:
    """Write it, and approve it."""
    with world.installation.database.write() as session:
        appeal = session.scalars(select(Appeal)).one()
        arabic = _translation("ar", *ARABIC)
        appeal.translations.append(arabic)
        session.flush()
        assert approve(session, appeal, arabic, None, content_hash(appeal, arabic)) == []


def join(world: World, tag: str = "ar") -> bool:
    with world.installation.database.write() as session:
        return late.join(session, world.installation.settings, world.blast_id, tag)


@pytest.fixture
def waiting(world: World) -> World:
    """Launched in English and Spanish; two speak Arabic and wait, one of whom would get Spanish, and one from Egypt."""
    arabs = world.join(["ar", "ar", "ar-EG"])
    leave(world, waits=["ar"])
    with world.installation.database.write() as session:
        session.execute(update(Member).where(Member.id == arabs[1]).values(second_language="es"))
    world.launch()
    return world


def test_a_late_language_goes_to_exactly_those_who_were_held_for_it(waiting: World) -> None:
    arabs = waiting.members[5:]
    assert free(waiting) == waiting.members[:5]
    assert waiting.states() == {"pending": 8}, "they have their lines"
    assert not join(waiting), "it isn't written yet"
    waiting.join(["ar"])  # joins our lists after the launch: not of this audience
    with waiting.installation.database.read() as session:
        (held,) = waves.held(session, waiting.blast_id)
        links = session.execute(select(Link.n, Link.url).order_by(Link.n)).all()
    assert (held.language, held.people, dict(held.falls_back)) == ("ar", 3, {"en": 2, "es": 1})
    for member in waiting.members[:5]:
        settle(waiting, member, DeliveryState.ACCEPTED)
    with waiting.installation.database.write() as session:
        assert reconcile.finish(session) == [], "not sent while somebody is held"
    write_arabic(waiting)
    assert [join(waiting), join(waiting)] == [True, False]
    assert {row.language for row in map(waiting.delivery, arabs)} == {"ar"}
    assert [waiting.delivery(member).caught_by for member in arabs] == ["exact", "exact", "parent"]
    assert set(arabs) <= set(free(waiting))
    with waiting.installation.database.read() as session:
        assert set(session.scalars(select(Rendition.language))) == {"en", "es", "ar"}
        now = session.execute(select(Link.n, Link.url).order_by(Link.n)).all()
        assert now[: len(links)] == links, "links that are out keep their numbers"
        assert now[-1].url == "https://example.org/ar"
        assert waves.held(session, waiting.blast_id) == []
        assert progress(session, session.get_one(Blast, waiting.blast_id)).overall.total == 8


def test_those_who_wait_no_longer_get_what_they_fall_back_to(waiting: World) -> None:
    with waiting.installation.database.write() as session:
        assert late.give_up(session, waiting.blast_id, "ar")
        assert not late.give_up(session, waiting.blast_id, "ar")
    rows = [waiting.delivery(member) for member in waiting.members[5:]]
    assert [(row.language, row.caught_by) for row in rows] == [("en", "default"), ("es", "second"), ("en", "default")]
    assert free(waiting) == waiting.members
    write_arabic(waiting)
    assert not join(waiting), "nobody is held for it any more"


def test_a_cancelled_blast_skips_those_who_were_held(waiting: World) -> None:
    with waiting.installation.database.write() as session:
        lifecycle.cancel(session, waiting.blast_id)
        reconcile.settle_cancelled(session)
        assert not late.give_up(session, waiting.blast_id, "ar")
    assert waiting.states() == {"skipped": 8}


def test_a_few_go_first_and_the_others_by_a_word_or_after_a_while(world: World) -> None:
    world.join(["en"] * 15)
    leave(world, departure=Departure(percent=20, after_hours=2).written)
    world.launch()
    first = free(world)
    assert len(first) == 4
    assert world.states() == {"pending": 20}
    with world.installation.database.write() as session:
        opening.watch_first(session)
        opening.open_due(session)
    assert free(world) == first, "two hours have not passed"
    with world.installation.database.write() as session:
        session.execute(update(waves.Wave).values(opens_at=clock(-1)))
        opening.open_due(session)
        assert not waves.release(session, world.blast_id, 1)
    assert free(world) == world.members


@pytest.mark.parametrize("why", ["bounces", "complaints"])
def test_the_rest_is_stopped_where_the_first_take_it_badly(world: World, why: str) -> None:
    world.join(["en"] * 15)
    leave(world, departure=Departure(people=4, after_hours=1).written)
    world.launch()
    first = free(world)
    for n, member in enumerate(first):
        bounced = why == "bounces" and n
        settle(world, member, DeliveryState.REJECTED if bounced else DeliveryState.ACCEPTED, settled_at=clock())
    with world.installation.database.write() as session:
        for key in session.scalars(select(Member.address_key).where(Member.id.in_(first[:2]))).all():
            suppress(session, key, SuppressedFor.COMPLAINT if why == "complaints" else SuppressedFor.HARD_BOUNCE)
        session.execute(update(waves.Wave).values(opens_at=clock(-1)))
        opening.watch_first(session)
        opening.open_due(session)
    held_for = world.blast().held_for
    assert held_for is not None
    assert (
        held_for.text()
        == {
            "bounces": "3 of the first 4 mails were rejected: the others are held. Look at the causes.",
            "complaints": "2 of the first 4 people called it spam: the others are held.",
        }[why]
    )
    with world.installation.database.write() as session:
        lifecycle.resume(session, world.blast_id)
        opening.watch_first(session)
        opening.open_due(session)
    assert (world.blast().state, free(world)) == ("sending", first), "the rest goes by a person's word alone"


def test_each_zone_has_its_hour_and_whoever_has_none_that_of_the_organizer(world: World) -> None:
    world.join(["en"])
    zones = ["Asia/Tokyo", "Asia/Seoul", "Europe/Lisbon", None, "Mars/Olympus", "America/Lima"]
    said_at = datetime.now(UTC).replace(microsecond=0)
    hour = f"{said_at + timedelta(days=2):%Y-%m-%d}T09:00"
    with world.installation.database.write() as session:
        for member, zone in zip(world.members, zones, strict=True):
            session.execute(update(Member).where(Member.id == member).values(time_zone=zone))
    departure = Departure(hour, "Europe/Lisbon", Past.NOW, said_at.isoformat())
    leave(world, departure=departure.written)
    world.launch()
    assert (free(world), world.states()) == ([], {"pending": 6})
    opened: list[list[int]] = []
    with world.installation.database.read() as session:
        held = waves.held(session, world.blast_id)
    for wave in held:
        with world.installation.database.write() as session:
            session.execute(update(waves.Wave).where(waves.Wave.n == wave.n).values(opens_at=clock(-1)))
            opening.open_due(session)
        opened.append(free(world))
    tokyo, seoul, *lisbon, peru = world.members
    assert opened == [[tokyo, seoul], [tokyo, seoul, *lisbon], world.members]
    assert [wave.people for wave in held] == [2, 3, 1]
    assert [departure.moment(zone) for zone in ("Asia/Tokyo", None, "America/Lima")] == [w.opens_at for w in held]
    assert peru == world.members[-1]


def test_a_wave_that_is_an_hour_late_asks_and_goes_when_a_person_says_so(world: World) -> None:
    world.join(["en"] * 5)
    leave(world, departure=Departure(people=2, after_hours=1).written)
    world.launch()
    with world.installation.database.write() as session:
        session.execute(update(waves.Wave).values(opens_at=clock(-3700)))
        opening.open_due(session)
    assert (world.blast().state, len(free(world))) == ("held", 2)
    with world.installation.database.write() as session:
        lifecycle.resume(session, world.blast_id)
        opening.open_due(session)
    assert free(world) == world.members


def test_no_wave_goes_before_all_of_it_are_written_down(world: World) -> None:
    """Whoever is frozen after a wave has opened would be held in it for ever."""
    world.join(["ar", "ar", "ar-EG"])
    leave(world, waits=["ar"])
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert launching.launch(session, world.installation.settings, blast, launching.seen(blast))
        assert launch.freeze_chunk(session, world.blast_id, batch_size=100, chunk=6)
        assert lifecycle.hold(session, world.blast_id, launch.UNFROZEN, None, start=(BlastState.LAUNCHING,))
    write_arabic(world)
    assert not join(world)
    with world.installation.database.write() as session:
        assert not late.give_up(session, world.blast_id, "ar")
        assert not waves.release(session, world.blast_id, 1)
        assert lifecycle.resume(session, world.blast_id)
    launch.freeze(world.installation, world.blast_id)
    assert (world.blast().state, free(world)) == ("sending", world.members[:5])
    assert join(world)
    assert free(world) == world.members
