"""What happens to a blast is noted once, from the blast as it is, for those who want to hear of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.db import clock
from mobilizer.delivery import reconcile
from mobilizer.delivery.ledger import Delivery
from mobilizer.notices import noting
from mobilizer.notices.notices import Notice
from mobilizer.reconciler import STEPS
from tests.notices.conftest import Newsroom


def change(newsroom: Newsroom, **values: object) -> None:
    """Put the blast into a state, as time or a worker would."""
    with newsroom.installation.database.write() as session:
        session.execute(update(Blast).where(Blast.id == newsroom.blast_id).values(**values))


def lose(newsroom: Newsroom, *members: int, seconds_ago: float) -> None:
    """Lose the answers to some members' mails."""
    with newsroom.installation.database.write() as session:
        for place in members:
            session.execute(
                update(Delivery)
                .where(Delivery.member_id == newsroom.world.members[place])
                .values(state="uncertain", reason="worker_lost", settled_at=clock(-seconds_ago + place))
            )


def test_a_hold_is_noted_once_for_administrators_and_who_launched_it(newsroom: Newsroom) -> None:
    assert newsroom.note() == []
    newsroom.hold()
    assert len(newsroom.note()) == 1
    assert newsroom.note() == []
    assert newsroom.kinds() == ["held"]
    assert newsroom.readers() == [newsroom.admin, newsroom.launcher]


def test_each_hold_is_another_one(newsroom: Newsroom) -> None:
    for _ in range(2):
        newsroom.hold()
        newsroom.note()
        newsroom.resume()
        newsroom.note()
    assert newsroom.kinds() == ["held", "held"]


def test_the_end_is_told_to_who_launched_it(newsroom: Newsroom) -> None:
    change(newsroom, state=BlastState.SENT, finished_at=clock())
    newsroom.note()
    assert newsroom.note() == []
    assert newsroom.kinds() == ["finished"]
    assert newsroom.readers() == [newsroom.launcher]


def test_what_ended_long_ago_is_no_news(newsroom: Newsroom) -> None:
    change(newsroom, state=BlastState.SENT, finished_at=clock(-3 * 86400))
    assert newsroom.note() == []


def test_mails_that_stay_uncertain_ask_for_a_decision_and_fewer_of_them_are_no_news(newsroom: Newsroom) -> None:
    lose(newsroom, 0, 1, seconds_ago=60)
    assert newsroom.note() == [], "an answer may still come"
    lose(newsroom, 0, 1, seconds_ago=400)
    newsroom.note()
    assert newsroom.kinds() == ["uncertain"]
    assert newsroom.readers() == [newsroom.admin, newsroom.launcher]
    with newsroom.installation.database.write() as session:
        session.execute(
            update(Delivery).where(Delivery.member_id == newsroom.world.members[1]).values(state="accepted")
        )
    assert newsroom.note() == []
    lose(newsroom, 2, seconds_ago=350)
    newsroom.note()
    assert newsroom.kinds() == ["uncertain", "uncertain"]


def test_a_schedule_that_came_too_late_asks_for_a_decision(newsroom: Newsroom) -> None:
    change(newsroom, state=BlastState.SCHEDULED, scheduled_at=clock(-2 * 3600))
    with newsroom.installation.database.write() as session:
        reconcile.start_due(session)
    newsroom.note()
    assert newsroom.note() == []
    assert newsroom.kinds() == ["late"]


def test_an_audience_that_is_not_frozen_for_long_asks_for_someone_to_look(newsroom: Newsroom) -> None:
    change(newsroom, state=BlastState.LAUNCHING, launched_at=clock(-60))
    assert newsroom.note() == []
    change(newsroom, state=BlastState.LAUNCHING, launched_at=clock(-900))
    newsroom.note()
    assert newsroom.note() == []
    assert newsroom.kinds() == ["stuck"]


@pytest.mark.parametrize(
    ("scope", "hears"), [("every", True), ("mine", False), ("none", False)], ids=["every", "mine", "none"]
)
def test_organizers_hear_what_they_chose(
    newsroom: Newsroom, wish: Callable[..., None], scope: str, hears: bool
) -> None:
    wish(newsroom.other, held=scope)
    wish(newsroom.launcher, held="none")
    newsroom.hold()
    newsroom.note()
    assert newsroom.readers() == [newsroom.admin, *([newsroom.other] if hears else [])]


def test_who_sees_no_blasts_hears_of_none_whatever_they_chose(newsroom: Newsroom, wish: Callable[..., None]) -> None:
    wish(newsroom.translator, held="every")
    wish(newsroom.viewer, held="every")
    newsroom.hold()
    newsroom.note()
    assert newsroom.readers() == [newsroom.admin, newsroom.launcher]


def test_two_reconcilers_at_once_note_it_once(newsroom: Newsroom) -> None:
    newsroom.hold()
    together = threading.Barrier(2)
    failed: list[Exception] = []

    def look() -> None:
        try:
            together.wait(10)
            newsroom.note()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert newsroom.kinds() == ["held"]
    assert len(newsroom.mails()) == 2


def test_the_reconciler_notes_after_every_step_that_moves_a_blast() -> None:
    behind = STEPS[STEPS.index(noting.note) + 1 :]
    assert not any(step.__module__ == reconcile.__name__ for step in behind)


def test_a_notice_goes_with_its_blast(newsroom: Newsroom) -> None:
    newsroom.hold()
    newsroom.note()
    with newsroom.installation.database.write() as session:
        session.delete(session.get_one(Blast, newsroom.blast_id))
    with newsroom.installation.database.read() as session:
        assert session.scalars(select(Notice)).all() == []
    assert newsroom.mails() == []
