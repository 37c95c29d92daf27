"""Who has left by a file is believed to have left, and whoever leaves meanwhile is not brought in."""

from __future__ import annotations

from threading import Event, Thread

import pytest
from sqlalchemy import select, update

from mobilizer.audience import importing, joining, running
from mobilizer.audience.imports import Import
from mobilizer.audience.listing import create_list
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.merged import MergedMember
from mobilizer.audience.standing import leave_all
from mobilizer.audience.undoing import run_undo, start_undo
from mobilizer.db import clock
from mobilizer.delivery import reconcile
from mobilizer.installation import Installation
from mobilizer.rights.holding import held
from tests.audience.conftest import CONSENT, Importer, report_of


def standings(installation: Installation, list_id: int) -> dict[str, str]:
    """Address -> standing of everyone who is or was on a list."""
    asked = select(Member, Subscription.standing).join(Subscription).where(Subscription.list_id == list_id)
    with installation.database.read() as session:
        return {one.identity(installation.keyring).email: said for one, said in session.execute(asked)}


def rehearsed(installation: Installation, text: str, list_id: int) -> dict[str, int]:
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=list_id, filename="m.csv", data=text.encode())
        counts = importing.rehearse(session, installation, row).counts
        importing.discard(session, installation, row)
        return counts


def test_of_two_rows_of_one_person_the_one_that_says_they_left_counts(
    installation: Installation, bring: Importer, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)
    lines = [
        "a@example.org,yes",
        "b@example.org,unsubscribed",
        "c@example.org,yes",
        "A@example.org,no",
        "B@Example.org,",
    ]
    text = "email,subscribed\n" + "\n".join(lines)
    told = rehearsed(installation, text, friends)
    row = bring(text)
    assert row.counts == told == {"new": 1, "left": 4}
    assert standings(installation, friends) == {"c@example.org": "confirmed"}
    said = {found.line: found.problems[0].text() for found in report_of(installation, row)}
    assert said[2] == "Line 5 says that this person has left; this row was left out."
    assert said[6] == "Line 3 says that this person has left; this row was left out."


def test_who_has_left_elsewhere_is_taken_off_the_list_and_stays_off(
    installation: Installation, bring: Importer, friends: int
) -> None:
    bring("email\n" + "".join(f"{name}@example.org\n" for name in ("ana", "bo", "cy", "di")))
    with installation.database.write() as session:
        other = create_list(session, "Others").id
        session.execute(update(Subscription).where(Subscription.member_id == 2).values(standing=Standing.UNSUBSCRIBED))
    bring("email\nana@example.org\n", list_id=other)
    says = {"Ana": "unsubscribed", "bo": "2026-01-31", "cy": "bounced", "eve": "no"}
    text = "email,subscribed\n" + "".join(f"{name}@example.org,{word}\n" for name, word in says.items())
    told = rehearsed(installation, text, friends)
    row = bring(text)
    assert row.counts == told == {"leaves": 1, "left": 3}
    left = {"ana@example.org": "unsubscribed", "bo@example.org": "unsubscribed"}
    stays = {"cy@example.org": "confirmed", "di@example.org": "confirmed"}
    assert standings(installation, friends) == left | stays
    assert standings(installation, other) == {"ana@example.org": "confirmed"}, "the file speaks of one list"
    assert [found.verdict for found in report_of(installation, row)] == ["leaves", "left", "left", "left"]
    assert bring(text).counts == {"left": 4}
    with installation.database.write() as session:
        start_undo(session, session.get_one(Import, row.id))
    run_undo(installation, row.id, held)
    assert standings(installation, friends) == left | stays, "leaving is never undone"


def test_the_old_address_of_a_merged_record_brings_the_one_who_stays(
    installation: Installation, bring: Importer, friends: int
) -> None:
    bring("email,name\nnew@example.org,Ana\n")
    keyring = installation.keyring
    with installation.database.write() as session:
        stays = session.scalars(select(Member)).one()
        key, sealed = keyring.address_key("old@example.org"), stays.sealed
        session.add(MergedMember(number=99, into_id=stays.id, address_key=key, sealed=sealed, share_code="x"))
        other, third = create_list(session, "Others").id, create_list(session, "Third").id
    text = "email,name,country\nold@example.org,Old,MX\n"
    assert rehearsed(installation, text, other) == {"updated": 1}
    assert bring(text, list_id=other, known="replace", tags=["march"]).counts == {"updated": 1}
    assert standings(installation, other) == {"new@example.org": "confirmed"}
    with installation.database.read() as session:
        [member] = session.scalars(select(Member))
        assert (member.identity(keyring).name, member.country) == ("Ana", None)
    both = bring("email\nold@example.org\nnew@example.org\n", list_id=third)
    assert both.counts == {"unchanged": 1, "updated": 1}
    assert standings(installation, third) == {"new@example.org": "confirmed"}
    assert bring("email,subscribed\nold@example.org,no\n", list_id=third).counts == {"leaves": 1}
    assert standings(installation, third) == {"new@example.org": "unsubscribed"}


def test_who_leaves_all_while_a_chunk_is_written_is_on_no_list(
    installation: Installation, bring: Importer, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if installation.database.engine.dialect.name == "sqlite":
        pytest.skip("whoever writes there is alone")
    bring("email\nana@example.org\nbo@example.org\n")
    with installation.database.write() as session:
        other = create_list(session, "Others").id
    judge, subscribe, waiting = joining.judge, joining._subscribe, Event()

    def leaves(number: int) -> None:
        with installation.database.write() as session:
            waiting.set()
            leave_all(session, number)

    def overtaken(*arguments: object) -> object:
        found = judge(*arguments)  # type: ignore[arg-type]
        leaves(1)  # between the look and the write
        return found

    late = Thread(target=leaves, args=(2,))

    def overtaking(*arguments: object) -> None:
        waiting.clear()
        late.start()  # between the write and the commit: it waits for that
        waiting.wait(5)
        subscribe(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(joining, "judge", overtaken)
    monkeypatch.setattr(joining, "_subscribe", overtaking)
    row = bring("email\nana@example.org\nbo@example.org\n", list_id=other)
    late.join()
    assert row.counts == {"unsubscribed": 1, "updated": 1}
    assert standings(installation, other) == {"bo@example.org": "unsubscribed"}
    assert set(standings(installation, friends).values()) == {"unsubscribed"}


def test_an_import_is_given_up_or_waits_a_day_at_most_and_what_is_in_stays(
    installation: Installation, bring: Importer, friends: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CHUNK", 2)

    def paused(names: str) -> int:
        with installation.database.write() as session:
            data = "email\nbad\n" + "".join(f"{name}@example.org\n" for name in names)
            row = importing.store(session, installation, list_id=friends, filename="m.csv", data=data.encode())
            row.options = {**row.options, **CONSENT}
            assert not importing.give_up(session, installation, row), "nothing is under way"
            importing.start(session, row)
            number = row.id

        def pause(_done: int, _rows: int) -> None:
            with installation.database.write() as session:
                importing.pause(session, session.get_one(Import, number))

        importing.run_import(installation, number, pause)
        return number

    given_up, waited, fresh = paused("abc"), paused("def"), paused("ghi")
    with installation.database.write() as session:
        assert importing.give_up(session, installation, session.get_one(Import, given_up))
        row = session.get_one(Import, waited)
        row.options = {**row.options, "paused": session.scalars(select(clock(-25 * 3600))).one().isoformat()}
    with installation.database.write() as session:
        assert importing.forget_uploads(session, installation) == 1
    assert [path.stem for path in (installation.settings.home / "imports").iterdir()] == [str(fresh)]
    for number, code in ((given_up, "import.given_up"), (waited, "import.waited")):
        with installation.database.write() as session:
            row = session.get_one(Import, number)
            failure = importing.failure_of(row)
            assert (row.state, row.counts, row.finished_at is not None) == ("failed", {"new": 1, "invalid": 1}, True)
            assert failure is not None
            assert failure.code == code
            assert not importing.go_on(session, row)
            assert reconcile.running_imports(session) == []
            session.expunge(row)
        assert [found.cells for found in report_of(installation, row)] == [("bad",)]
    assert sorted(standings(installation, friends)) == ["a@example.org", "d@example.org", "g@example.org"]
