"""What is over its time is forgotten, in bounded steps; what must stay stays, and no figure of a past blast changes."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.lists import Standing, Subscription
from mobilizer.audience.members import Member
from mobilizer.audience.queries import member_by_address
from mobilizer.audience.uploads import forget_strays, upload_path
from mobilizer.blasts.blasts import Blast
from mobilizer.custody import retention
from mobilizer.db import Base, clock
from mobilizer.delivery.leases import take
from mobilizer.delivery.ledger import Delivery, LeaseRecord
from mobilizer.engagement import forgetting
from mobilizer.engagement.events import RECORD_ASKED, Event
from mobilizer.engagement.results import results
from mobilizer.installation import Installation
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import begin_session
from mobilizer.organizers.users import UserSession
from mobilizer.reconciler import Reconciler
from mobilizer.rights.erasing import erase
from tests.custody.test_rotating import bring_in
from tests.worlds import World

YEARS = 3 * 365


def a_round(here: Installation) -> dict[str, int]:
    """One round of forgetting: how much went, by rule."""
    gone: dict[str, int] = {}
    for name, some in retention.forget(here):
        gone[name] = gone.get(name, 0) + some
    return {name: count for name, count in gone.items() if count}


def count(session: Session, entity: type[Base]) -> int:
    return session.scalars(select(func.count()).select_from(entity)).one()


def did(session: Session, world: World, kind: str, member: int | None, days: int, **more: object) -> None:
    session.add(Event(kind=kind, blast_id=world.blast_id or None, member_id=member, at=clock(-days * 86_400), **more))


def a_past_blast(world: World) -> None:
    """Launched and over three years ago, with what people did then."""
    world.launch()
    ana, bo, cy = world.members[:3]
    with world.installation.database.write() as session:
        session.execute(
            update(Blast).values(state="sent", launched_at=clock(-YEARS * 86_400), finished_at=clock(-YEARS * 86_400))
        )
        session.execute(update(Delivery).values(state="accepted", reply="250 ok <address>", settled_at=clock()))
        for _ in range(3):
            did(session, world, "click", ana, YEARS)
            did(session, world, "open", bo, YEARS)
        did(session, world, "watch", bo, YEARS, channel="95")
        did(session, world, "click", bo, YEARS)
        did(session, world, "click", bo, 5)  # came back: all of theirs stays until that is old too
        did(session, world, "visit", None, YEARS, via_id=ana)
        did(session, world, "click", cy, YEARS, machine="bot")


def test_old_events_go_and_no_sum_of_a_blast_changes(kept: World) -> None:
    here = kept.installation
    kept.write_appeal()
    a_past_blast(kept)
    with here.database.read() as session:
        before = asdict(results(session, kept.blast_id))
    gone = 0
    for _ in range(20):  # one person a step: nobody is counted twice where a step ends
        with here.database.write() as session:
            some = forgetting.forget_acts(session, 730 * 86_400, 1)
        with here.database.read() as session:
            assert asdict(results(session, kept.blast_id)) == before
        gone += some
    assert gone == 5
    with here.database.read() as session:
        assert {event.member_id for event in session.scalars(select(Event))} == {kept.members[1]}
    assert a_round(here) == {"replies": 7}
    with here.database.read() as session:
        assert asdict(results(session, kept.blast_id)) == before
        assert set(session.scalars(select(Delivery.reply))) == {""}
    assert a_round(here) == {}
    with here.database.write() as session:
        did(session, kept, "click", kept.members[0], 0)  # all of theirs was forgotten: they are counted already
        did(session, kept, "watch", kept.members[0], 0, channel="95")
    with here.database.read() as session:
        after = asdict(results(session, kept.blast_id))
    assert after["total"] == {**before["total"], "clicks": before["total"]["clicks"] + 1}
    with here.database.write() as session:
        assert erase(session, kept.members[0])
    with here.database.read() as session:
        assert asdict(results(session, kept.blast_id)) == after


def test_replies_stay_while_their_blast_is_young(kept: World) -> None:
    kept.write_appeal()
    a_past_blast(kept)
    with kept.installation.database.write() as session:
        session.execute(update(Blast).values(finished_at=clock(-80 * 86_400)))
    assert "replies" not in a_round(kept.installation)


def test_who_had_a_batch_is_forgotten_but_where_an_answer_was_lost(kept: World) -> None:
    kept.write_appeal()
    kept.launch()
    with kept.installation.database.write() as session:
        taken = [take(session, batch, "worker") for batch in kept.batches()]
        lost = next(lease for lease in taken if lease)
        session.execute(update(Delivery).values(state="accepted", epoch=1))
        session.execute(update(Delivery).where(Delivery.batch_id == lost.batch).values(state="uncertain"))
    assert "leases" not in a_round(kept.installation)
    with kept.installation.database.write() as session:
        session.execute(update(LeaseRecord).values(taken_at=clock(-8 * 86_400)))
    assert a_round(kept.installation)["leases"] == len(taken) - 1
    with kept.installation.database.read() as session:
        assert list(session.scalars(select(LeaseRecord.batch_id))) == [lost.batch]


def test_who_never_confirmed_goes_and_who_is_held_stays(kept: World) -> None:
    here, (ana, bo, cy, *_) = kept.installation, kept.members
    other = kept.make_list("other")
    with here.database.write() as session:
        session.add(Subscription(list_id=other, member_id=bo, standing=Standing.CONFIRMED, how="test"))
        pending = update(Subscription).where(Subscription.list_id == kept.list_id)
        late = clock(-8 * 86_400)
        session.execute(
            pending.where(Subscription.member_id.in_([ana, bo])).values(standing=Standing.PENDING, changed_at=late)
        )
        session.execute(pending.where(Subscription.member_id == cy).values(standing=Standing.PENDING))
    assert a_round(here) == {"unconfirmed": 2}
    with here.database.read() as session:
        assert session.get(Member, ana) is None
        assert session.get(Member, bo) is not None
        assert session.get(Subscription, (kept.list_id, bo)) is None
        assert session.get(Subscription, (kept.list_id, cy)) is not None


def test_files_reports_and_traces_go_each_in_its_time(kept: World) -> None:
    here = kept.installation
    done = bring_in(kept)
    importing.run_import(here, done)
    with here.database.write() as session:
        fresh = importing.store(
            session, here, list_id=kept.list_id, filename="b.csv", data=b"Email\nx@example.org\n"
        ).id
    stray = upload_path(here.settings.home, 999)
    for path in (stray, upload_path(here.settings.home, fresh)):
        path.write_bytes(b"?")
        os.utime(path, (time.time() - 90_000, time.time() - 90_000))
    assert a_round(here) == {"uploads": 1}
    assert not stray.exists()
    with here.database.write() as session:
        session.execute(update(Import).where(Import.id == done).values(finished_at=clock(-8 * 86_400)))
    assert a_round(here) == {"traces": 1}  # two members of consecutive numbers are one row
    with here.database.write() as session:
        session.execute(update(Import).where(Import.id == done).values(finished_at=clock(-31 * 86_400)))
        session.execute(update(Import).where(Import.id == fresh).values(created_at=clock(-90_000)))
    assert a_round(here) == {"uploads": 1, "reports": 2}  # the one row of it, and the names
    with here.database.read() as session:
        row = session.get_one(Import, done)
        assert (row.sealed_header, row.sealed_name, row.counts["new"]) == (None, None, 2)
        assert list(importing.report(session, here.keyring, done)) == []
        assert session.get(Import, fresh) is None


def test_reports_forget_who_is_erased_and_keep_who_was_refused_for_it(kept: World) -> None:
    here = kept.installation
    rows = "Email\nana@gamil.com\nANA@gamil.com\nbo@gamil.com\nno address\n"
    first = bring_in(kept, rows)
    importing.run_import(here, first)
    with here.database.write() as session:
        number = member_by_address(session, here.keyring, "ana@gamil.com")
        assert number is not None
        assert erase(session, number)
    again = bring_in(kept, rows)
    importing.run_import(here, again)
    assert a_round(here) == {"reports": 3}  # Ana in the first file, twice, and as her own double in the second
    assert a_round(here) == {}
    with here.database.read() as session:
        told = [list(importing.report(session, here.keyring, one)) for one in (first, again)]
    assert [row.cells for row in told[0]] == [("bo@gamil.com",), ("no address",)]
    assert ("suppressed", ("ana@gamil.com",)) in [(row.verdict, row.cells) for row in told[1]]


def test_a_stray_that_goes_by_itself_stops_nothing(kept: World, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = kept.installation.settings.home / "imports"
    monkeypatch.setattr(Path, "glob", lambda self, _pattern: [self / "gone.sealed"])
    assert forget_strays(folder.parent, set(), 0) == 0


def test_requests_and_sessions_go(kept: World) -> None:
    here = kept.installation
    with here.database.write() as session:
        for days in (0, 2):
            did(session, kept, "preferences", kept.members[0], days, channel=RECORD_ASKED)
        made = create_user(
            session, here.keyring, email="o@example.org", name="O", role=Role.ADMIN, password="a long enough one 71"
        )
        assert not isinstance(made, list)
        begin_session(session, made.id, 12)
        session.execute(update(UserSession).values(expires_at=clock(-1)))
    assert a_round(here) == {"requests": 1, "sessions": 1}


def test_the_reconciler_forgets_a_bit_each_round(kept: World) -> None:
    here = kept.installation
    with here.database.write() as session:
        did(session, kept, "preferences", None, YEARS)
    Reconciler(here).tick()
    with here.database.read() as session:
        assert count(session, Event) == 0


def test_every_rule_says_how_long_and_by_which_setting(here: Installation) -> None:
    fields = type(here.settings).model_fields
    for rule in retention.RULES:
        assert not rule.setting or rule.setting.removeprefix("MOBILIZER_").lower() in fields
        assert (rule.days(here.settings) is None) == (rule.forget is None)
