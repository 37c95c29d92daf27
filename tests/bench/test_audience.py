"""`mobilizer bench audience`: whatever it says of speed, it finds the people that it looks for."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from mobilizer.audience import headcounts, queries
from mobilizer.audience.headcounts import CountedStretch
from mobilizer.bench import audience, grounds
from mobilizer.delivery.ledger import Batch, Delivery, of_blast
from mobilizer.delivery.progress import tallies_by_language, together
from mobilizer.installation import Installation

MEMBERS = 1500


def test_a_run_finds_the_people_that_it_counts(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience, "TIMES", 1)
    monkeypatch.setattr(headcounts, "WIDTH", 500)
    figures = audience.run(installation, MEMBERS)
    assert figures.people["count: every language"] == figures.members == MEMBERS
    assert all(figures.people[name] for name in figures.people if name.startswith(("count", "segment", "members")))
    assert figures.disagree == []
    assert figures.milliseconds.keys() == figures.first_look.keys() == figures.people.keys()
    with installation.database.read() as session:
        assert session.scalar(select(func.count()).select_from(CountedStretch)) == 1 + MEMBERS // 500
        whole = together(tallies_by_language(session, [1])[1])
        assert whole.total == session.scalar(select(func.sum(Batch.size)).where(Batch.blast_id == 1))
        assert whole.total == session.scalar(select(func.count()).select_from(Delivery).where(of_blast(1)))
        assert whole.waiting == 0
        everyone = next(one for one in queries.lists(session) if one.slug == "everyone")
        assert everyone.members == whole.total
    with installation.database.read() as session:
        languages = set(session.scalars(select(Delivery.language).where(of_blast(3))))
        assert (languages, figures.frozen > 100) == ({"es"}, True)


def test_a_folder_that_is_not_there_is_said_in_one_line() -> None:
    with pytest.raises(grounds.NoGround, match="No file can be made in /nope"), grounds.ground("sqlite:////nope/x"):
        pass


def test_a_count_that_is_not_that_of_looking_at_everybody_is_named(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "TIMES", 1)
    monkeypatch.setattr(audience, "count", lambda *_: [("es", 1)])
    figures = audience.run(installation, 200)
    assert set(figures.disagree) >= {"segment: language family"}
    assert not {"count: one language", "freeze"} & set(figures.disagree)
