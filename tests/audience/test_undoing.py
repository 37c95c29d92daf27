"""Undoing an import: who came by it goes, who changed since stays, and what was known before is known again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mobilizer.audience import importing, running, undoing
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.rows import Row, Unreadable
from mobilizer.audience.standing import leave
from mobilizer.audience.traces import ImportSpan, ImportTrace
from mobilizer.audience.undoing import Undo, foretell_undo, forget_traces, run_undo, start_undo
from mobilizer.db import clock
from mobilizer.engagement.events import Event
from mobilizer.installation import Installation
from mobilizer.problems import Problem
from mobilizer.rights.holding import held
from tests.audience.conftest import Importer

PEOPLE = "email,name,country\n" + "".join(f"p{n}@example.org,P{n},MX\n" for n in range(6))


def foretold(installation: Installation, row: Import) -> Undo | None:
    with installation.database.read() as session:
        return foretell_undo(session, session.get_one(Import, row.id), held)


def undo(installation: Installation, row: Import) -> dict[str, Any]:
    """Undo an import; what it did, as counted on the way."""
    with installation.database.write() as session:
        assert start_undo(session, session.get_one(Import, row.id))
    run_undo(installation, row.id, held)
    with installation.database.read() as session:
        after = session.get_one(Import, row.id)
        assert after.state == "undone"
        assert session.scalar(select(func.count()).where(ImportTrace.import_id == row.id)) == 0
        assert session.scalar(select(func.count()).where(ImportSpan.import_id == row.id)) == 0
        return dict(after.options["undone"])


def everything(installation: Installation) -> dict[str, Any]:
    """Each member by address: what is known of them, and where they are."""
    with installation.database.read() as session:
        found = {}
        for member in session.scalars(select(Member)):
            known = member.identity(installation.keyring)
            on = session.execute(
                select(Subscription.list_id, Subscription.standing).where(Subscription.member_id == member.id)
            )
            facts = (known.name, member.language, member.country, dict(member.attributes))
            found[known.email] = (*facts, sorted(map(tuple, on)))
        return found


def number_of(installation: Installation, email: str) -> int:
    with installation.database.read() as session:
        key = installation.keyring.address_key(email)
        return session.scalars(select(Member.id).where(Member.address_key == key)).one()


def remembered(session: Session) -> list[tuple[int, int]]:
    """What is remembered of all imports: how many traces, and each span's length."""
    traces = session.scalars(select(func.count()).select_from(ImportTrace)).one()
    return [(traces, span.last_id - span.first_id + 1) for span in session.scalars(select(ImportSpan))]


def test_an_import_of_new_people_is_undone_whole(installation: Installation, bring: Importer) -> None:
    row = bring(PEOPLE)
    assert foretold(installation, row) == Undo(leave=6, gone=6, restored=0, stay=0)
    assert undo(installation, row) == {"leave": 6, "gone": 6, "restored": 0}
    assert everything(installation) == {}
    assert foretold(installation, row) is None
    assert bring(PEOPLE).counts == {"new": 6}, "they may come again"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.sets(st.integers(0, 5)),
    after=st.sets(st.integers(0, 7), min_size=1),
    known=st.sampled_from(["keep", "fill", "replace"]),
)
def test_after_an_undo_all_is_as_it_was(
    installation: Installation, bring: Importer, before: set[int], after: set[int], known: str
) -> None:
    with installation.database.write() as session:
        list_id, other = create_list(session, "One").id, create_list(session, "Two").id
    if before:
        bring("email,name\n" + "".join(f"p{n}@example.org,{'' if n % 2 else 'N'}\n" for n in before), list_id=list_id)
    then = everything(installation)
    lines = "".join(f"p{n}@example.org,Name{n},fr,MX,Lyon\n" for n in after)
    header = "email,name,language,country,city\n"
    row = bring(header + lines, list_id=other, known=known, attributes={"city": 4})
    told = foretold(installation, row)
    done = undo(installation, row)
    assert told is not None
    assert done == {"leave": told.leave, "gone": told.gone, "restored": told.restored}
    assert everything(installation) == then


def test_who_has_changed_since_stays(installation: Installation, bring: Importer, friends: int) -> None:
    row = bring(PEOPLE)
    left, came_back, on_another, active, brought = (number_of(installation, f"p{n}@example.org") for n in range(5))
    with installation.database.write() as session:
        leave(session, left, [friends])
        leave(session, came_back, [friends])
        session.execute(
            update(Subscription)
            .where(Subscription.member_id == came_back)
            .values(standing=Standing.CONFIRMED, changed_at=clock(1))
        )
        other = create_list(session, "Others").id
        session.add(Subscription(list_id=other, member_id=on_another, standing=Standing.CONFIRMED))
        session.add(Event(kind="watch", member_id=active))
        session.execute(update(Member).where(Member.id == brought + 1).values(recruited_by_id=brought))
    assert foretold(installation, row) == Undo(leave=4, gone=1, restored=0, stay=2)
    assert undo(installation, row) == {"leave": 4, "gone": 1, "restored": 0}
    assert {email: on for email, (*_, on) in everything(installation).items()} == {
        "p0@example.org": [(friends, "unsubscribed")],
        "p1@example.org": [(friends, "confirmed")],
        "p2@example.org": [(other, "confirmed")],
        "p3@example.org": [],
        "p4@example.org": [],
    }


def test_what_was_changed_again_since_is_not_put_back(installation: Installation, bring: Importer) -> None:
    bring("email,name,country\nana@example.org,Ana,ES\n")
    row = bring("email,name,country\nana@example.org,Anna,MX\n", known="replace")
    with installation.database.write() as session:
        session.execute(update(Member).values(country="PE"))
    undo(installation, row)
    [(name, _, country, *_)] = everything(installation).values()
    assert (name, country) == ("Ana", "PE")


def test_an_undo_that_was_killed_goes_on_and_runs_once(
    installation: Installation, bring: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = bring(PEOPLE)
    monkeypatch.setattr(undoing, "CHUNK", 2)
    with installation.database.write() as session:
        assert start_undo(session, session.get_one(Import, row.id))
    with installation.database.write() as session:
        assert not start_undo(session, session.get_one(Import, row.id)), "pressed twice"
    real, calls = undoing._undo_some, iter([True, True, False])

    def killed(*args: Any) -> bool:
        if next(calls):
            return real(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(undoing, "_undo_some", killed)
    with pytest.raises(KeyboardInterrupt):
        run_undo(installation, row.id, held)
    assert len(everything(installation)) == 4
    monkeypatch.setattr(undoing, "_undo_some", real)
    run_undo(installation, row.id, held)
    run_undo(installation, row.id, held)
    with installation.database.read() as session:
        after = session.get_one(Import, row.id)
        assert (after.state, after.options["undone"]) == ("undone", {"leave": 6, "gone": 6, "restored": 0})
    importing.run_import(installation, row.id)
    assert everything(installation) == {}


def test_after_a_week_it_is_too_late_and_forgotten(installation: Installation, bring: Importer) -> None:
    row = bring(PEOPLE)
    with installation.database.write() as session:
        forget_traces(session, 100)
        assert remembered(session) == [(0, 6)]
        session.execute(update(Import).values(finished_at=clock(-8 * 86400)))
    with installation.database.write() as session:
        forget_traces(session, 100)
        assert remembered(session) == []
        assert not start_undo(session, session.get_one(Import, row.id))
    assert foretold(installation, row) is None


def test_what_is_remembered_of_a_change_is_sealed(installation: Installation, bring: Importer) -> None:
    bring("email,name\nana@example.org,Ana Sol\n")
    bring("email,name\nana@example.org,Anna Luna\n", known="replace")
    with installation.database.read() as session:
        [trace] = session.scalars(select(ImportTrace).where(ImportTrace.changed.is_not(None)))
        assert trace.changed is not None
        assert b"Ana" not in trace.changed
        assert trace.change(installation.keyring) == {"name": ("Ana Sol", "Anna Luna")}


def test_what_is_in_of_a_file_that_broke_off_can_be_undone(
    installation: Installation, bring: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)
    read = running.data_rows

    def broken(*asked: Any) -> Iterator[Row]:
        yield from islice(read(*asked), 4)
        raise Unreadable(Problem("import.damaged", "It breaks off."))

    monkeypatch.setattr(running, "data_rows", broken)
    row = bring(PEOPLE)
    assert (row.state, row.counts) == ("failed", {"new": 4})
    assert foretold(installation, row) == Undo(leave=4, gone=4, restored=0, stay=0)
    undo(installation, row)
    assert everything(installation) == {}


def test_who_is_in_another_file_too_stays_until_that_is_undone(
    installation: Installation, bring: Importer, friends: int
) -> None:
    first = bring(PEOPLE)
    second = bring("email,name,country\np0@example.org,P0,MX\np1@example.org,P1,MX\np9@example.org,P9,MX\n")
    third = bring("email\np2@example.org\n", tags=["march"])
    assert (second.counts, third.counts) == ({"unchanged": 2, "new": 1}, {"updated": 1})
    told = foretold(installation, first)
    assert told == Undo(leave=3, gone=3, restored=0, stay=3)
    assert undo(installation, first) == {"leave": 3, "gone": 3, "restored": 0}
    assert sorted(everything(installation)) == [f"p{n}@example.org" for n in (0, 1, 2, 9)]
    assert foretold(installation, second) == Undo(leave=3, gone=3, restored=0, stay=0)
    assert undo(installation, second) == {"leave": 3, "gone": 3, "restored": 0}
    assert sorted(everything(installation)) == ["p2@example.org"]
    assert undo(installation, third)["gone"] == 1
    assert everything(installation) == {}
