"""Launch: one row a member, whatever happens in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from mobilizer.audience.members import Member
from mobilizer.audience.standing import leave_all, subscribe
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast, Link, Rendition
from mobilizer.blasts.lifecycle import Plan, change
from mobilizer.db import clock
from mobilizer.delivery import launch, reconcile
from mobilizer.delivery.ledger import Batch, Delivery
from tests.worlds import World


def test_launch_freezes_each_member_once_in_their_language(world: World) -> None:
    assert world.launch()
    assert world.states() == {"pending": 5}
    assert [world.delivery(m).language for m in world.members] == ["en", "es", "en", "es", "en"]
    assert {world.delivery(m).caught_by for m in world.members} == {"exact"}
    assert world.blast().state == "sending"


def test_each_fallback_step_is_written_on_the_row(world: World) -> None:
    mexican, german = world.join(["es-MX", "de"])
    world.launch()
    assert (world.delivery(mexican).language, world.delivery(mexican).caught_by) == ("es", "parent")
    assert (world.delivery(german).language, world.delivery(german).caught_by) == ("en", "default")


def test_a_member_of_two_lists_gets_one_row(world: World) -> None:
    second = world.make_list("second")
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        change(session, blast, Plan(included=(world.list_id, second)))
        for member_id in world.members:
            subscribe(session, member_id, second, how="test", wording="")
    world.launch()
    assert world.states() == {"pending": 5}


def test_who_left_before_launch_is_not_in_the_audience(world: World) -> None:
    with world.installation.database.write() as session:
        leave_all(session, world.members[0])
    world.launch()
    assert world.states() == {"pending": 4}


def test_of_two_launches_one_wins_and_nothing_is_doubled(world: World) -> None:
    with world.installation.database.read() as session:
        seen = launching.seen(session.get_one(Blast, world.blast_id))
    outcomes = []
    for _ in range(2):
        with world.installation.database.write() as session:
            blast = session.get_one(Blast, world.blast_id)
            outcomes.append(launching.launch(session, world.installation.settings, blast, seen))
        launch.freeze(world.installation, world.blast_id)
    assert outcomes == [True, False]
    assert world.states() == {"pending": 5}


def test_a_launch_that_saw_an_older_text_is_refused(world: World) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        seen = launching.seen(blast)
        blast.appeal.revision += 1
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert not launching.launch(session, world.installation.settings, blast, seen)
    assert world.states() == {}


def test_freezing_goes_on_where_it_was_interrupted(world: World) -> None:
    world.join(["en"] * 60)
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        launching.launch(session, world.installation.settings, blast, launching.seen(blast))
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, batch_size=1, chunk=20)
    assert world.states() == {"pending": 20}
    launch.freeze(world.installation, world.blast_id)
    assert world.states() == {"pending": 65}


def test_a_batch_holds_one_language_and_no_more_than_its_size(world: World) -> None:
    world.join(["es"] * 8)
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        launching.launch(session, world.installation.settings, blast, launching.seen(blast))
    with world.installation.database.write() as session:
        assert launch.freeze_chunk(session, world.blast_id, batch_size=4)
    with world.installation.database.read() as session:
        rows = session.execute(
            select(Batch.id, Batch.language, Delivery.language).join(Delivery, Delivery.batch_id == Batch.id)
        ).all()
    sizes = {batch: sum(1 for row in rows if row[0] == batch) for batch, _, _ in rows}
    assert all(batch_language == row_language for _, batch_language, row_language in rows)
    assert sorted(sizes.values()) == [2, 3, 4, 4]


def test_the_links_and_words_are_frozen_with_the_blast(world: World) -> None:
    world.launch()
    with world.installation.database.read() as session:
        links = session.scalars(select(Link).order_by(Link.n)).all()
        languages = session.scalars(select(Rendition.language)).all()
    assert [link.n for link in links] == list(range(1, len(links) + 1))
    assert {"https://example.org/en", "https://example.org/es"} <= {link.url for link in links}
    assert "watch" in {link.kind for link in links}
    assert sorted(languages) == ["en", "es"]


def test_a_scheduled_blast_launches_by_itself_with_the_words_of_then(world: World) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        soon = datetime.now(UTC) + timedelta(seconds=-1)
        assert launching.schedule(session, world.installation.settings, blast, launching.seen(blast), soon)
    with world.installation.database.write() as session:
        session.get_one(Blast, world.blast_id).appeal.translations[0].subject = "Changed since"
        reconcile.start_due(session)
    launch.freeze(world.installation, world.blast_id)
    assert world.states() == {"pending": 5}
    with world.installation.database.read() as session:
        assert not any("Changed since" in row.compiled for row in session.scalars(select(Rendition)))


def test_a_second_tab_that_still_sees_a_draft_launches_nothing_again(world: World) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        moved = update(Blast).values(state="leaving").execution_options(synchronize_session=False)
        session.execute(moved)  # as the first tab's transaction does, while this one waits for it
        seen, settings = launching.seen(blast), world.installation.settings
        assert blast.state == "draft"
        assert not launching.launch(session, settings, blast, seen, hold_seconds=60)
    assert world.blast().state == "leaving"


def test_what_was_taken_back_and_given_another_time_does_not_leave_at_the_old_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = lifecycle.launch_due

    def a_moment_later(session: Session, blast_id: int, due: ColumnElement[bool]) -> bool:
        session.execute(update(Blast).values(scheduled_at=clock(86400)))
        return now(session, blast_id, due)

    monkeypatch.setattr(lifecycle, "launch_due", a_moment_later)
    with world.installation.database.write() as session:
        session.execute(update(Blast).values(state="scheduled", scheduled_at=clock(-1)))
        reconcile.start_due(session)
    assert world.blast().state == "scheduled"


def test_a_language_that_cldr_no_longer_knows_falls_back(world: World) -> None:
    with world.installation.database.write() as session:
        session.get_one(Member, world.members[0]).language = "xx-gone"
    world.launch()
    assert (world.delivery(world.members[0]).language, world.delivery(world.members[0]).caught_by) == ("en", "default")
