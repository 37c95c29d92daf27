"""Hits are recorded many at a time; results count people once, language by language, and machines apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select

from mobilizer.appeals.appeals import Appeal
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.blasts.blasts import Blast
from mobilizer.db import Database
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.engagement import hits
from mobilizer.engagement.attribution import sharer
from mobilizer.engagement.damaged import record_readable
from mobilizer.engagement.events import Event
from mobilizer.engagement.hits import Hit, Parcel, forget_parcels, record, record_parcels
from mobilizer.engagement.results import results
from mobilizer.engagement.sharing import brought_by, recruits_by_member, recruits_of
from mobilizer.engagement.viewings import Curve, curves
from mobilizer.keys import Keyring
from mobilizer.rights.erasing import erase

LEDGER = [  # one delivery a member, by their ids from 1
    ("es", "accepted", ""),
    ("es", "accepted", ""),
    ("es", "rejected", "hard"),
    ("ar", "accepted", "250 ok"),
    ("ar", "skipped", "suppressed"),
    ("ar", "skipped", "unsubscribed"),
    ("en", "uncertain", ""),
    ("en", "pending", ""),
]


@pytest.fixture
def blast(database: Database, keyring: Keyring) -> int:
    with database.write() as session:
        appeal = Appeal(slug="a", source_language="en")
        session.add(appeal)
        session.flush()
        blast = Blast(slug="b", appeal_id=appeal.id, default_language="en", chain=[], hold_reason="")
        session.add(blast)
        session.flush()
        batch = Batch(blast_id=blast.id, language="en")
        session.add(batch)
        session.flush()
        for number, (tag, state, reason) in enumerate(LEDGER, start=1):
            key, domain, sealed = seal_identity(keyring, Identity(f"m{number}@example.org", ""))
            session.add(
                Member(
                    id=number, address_key=key, domain_key=domain, sealed=sealed, language=tag, share_code=f"c{number}"
                )
            )
            session.add(
                Delivery(
                    blast_id=blast.id,
                    member_id=number,
                    batch_id=batch.id,
                    language=tag,
                    caught_by="exact",
                    state=state,
                    reason=reason,
                )
            )
        return blast.id


@pytest.fixture
def did(database: Database, blast: int) -> Callable[..., None]:
    def note(kind: str, member: int = 0, **more: object) -> None:
        with database.write() as session:
            record(session, [Hit(kind=kind, at=1_700_000_000.5, blast=blast, member=member, **more)])  # type: ignore[arg-type]

    return note


def test_a_hit_survives_the_queue(database: Database, blast: int) -> None:
    hit = Hit(kind="click", at=1_700_000_000.25, blast=blast, member=1, via=2, link_n=3, language="pt-BR", channel="x")
    assert Parcel.unpacked(Parcel("a", [hit]).packed()) == Parcel("a", [hit])
    with database.write() as session:
        assert record(session, [hit]) == 1
        event = session.scalars(select(Event)).one()
        assert (event.kind, event.member_id, event.via_id, event.link_n) == ("click", 1, 2, 3)
        assert (event.at.timestamp(), event.language, event.channel) == (1_700_000_000.25, "pt-BR", "x")


def test_hits_of_a_blast_or_member_that_is_gone_break_nothing(database: Database, blast: int) -> None:
    hits = [
        Hit("click", 1.0, blast=blast, member=1),
        Hit("click", 1.0, blast=777, member=1),
        Hit("visit", 1.0, via=888),
    ]
    with database.write() as session:
        session.execute(delete(Member).where(Member.id == 1))
        assert record(session, hits) == 2
        assert [
            (e.kind, e.blast_id, e.member_id, e.via_id) for e in session.scalars(select(Event).order_by(Event.id))
        ] == [
            ("click", blast, None, None),
            ("visit", None, None, None),
        ]
        assert record(session, []) == 0


def test_a_parcel_that_comes_again_is_recorded_once(database: Database, blast: int) -> None:
    first, second = (Parcel(name, [Hit("click", 1.0, blast, n) for n in (1, 2)]) for name in ("first", "second"))
    with database.write() as session:
        assert record_parcels(session, [first, first]) == 2
    with database.write() as session:
        assert record_parcels(session, [first, second]) == 2
        assert record_parcels(session, [second]) == 0
        assert forget_parcels(session, -1, 1) == 1
        assert forget_parcels(session, 60, 1) == 0


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_is_erased_while_their_act_is_written_down_takes_nobody_elses_along(
    database: Database, blast: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, erased = hits.judge, list[bool]()

    def erase_meanwhile(*asked: Any) -> None:
        if not erased:
            with database.write() as session:
                erased.append(erase(session, 1))
        judge(*asked)

    monkeypatch.setattr(hits, "judge", erase_meanwhile)
    parcel = Parcel("one", [Hit("click", 1.0, blast, 1), Hit("click", 2.0, blast, 2)])
    assert record_readable(database, [parcel.packed().encode()]) == []
    with database.read() as session:
        assert [event.member_id for event in session.scalars(select(Event).order_by(Event.at))] == [None, 2]


def test_thousands_of_hits_are_recorded_at_once(database: Database, blast: int) -> None:
    hits = [Hit("click", 1.0, blast=blast, member=n, via=100_000 + n) for n in range(1, 3001)]
    with database.write() as session:
        assert record(session, hits) == 3000


def test_every_row_of_the_ledger_is_in_the_results(database: Database, blast: int) -> None:
    with database.read() as session:
        found = results(session, blast)
    assert [(each.language, each.people) for each in found.languages] == [("ar", 3), ("es", 3), ("en", 2)]
    total = found.total
    assert (total.people, total.accepted, total.rejected) == (8, 3, 1)
    assert (total.skipped, total.uncertain, total.waiting) == (2, 1, 1)
    assert total.people == total.accepted + total.rejected + total.skipped + total.uncertain + total.waiting
    assert total.reasons == {("rejected", "hard"): 1, ("skipped", "suppressed"): 1, ("skipped", "unsubscribed"): 1}
    assert found.languages[0].reasons == {("skipped", "suppressed"): 1, ("skipped", "unsubscribed"): 1}


def test_people_are_counted_once_and_machines_apart(database: Database, blast: int, did: Callable[..., None]) -> None:
    for _ in range(3):
        did("click", 1)
        did("open", 1)
    did("click", 2)
    did("click", 4, machine="prefetch")
    did("open", 4, machine="bot")
    did("unsubscribe", 4)
    did("unsubscribe", 4)
    with database.read() as session:
        arabic, spanish, _ = results(session, blast).languages
        total = results(session, blast).total
    assert (spanish.clickers, spanish.clicks, spanish.openers) == (2, 4, 1)
    assert (arabic.clickers, arabic.machine_clicks, arabic.machine_opens) == (0, 1, 1)
    assert (arabic.unsubscribes, total.unsubscribes) == (1, 1)


def test_a_viewing_is_one_viewing_however_many_signals_it_sends(
    database: Database, blast: int, did: Callable[..., None]
) -> None:
    for channel in ("start", "95", "button"):
        did("watch", 1, channel=channel)
        did("watch", via=1, channel=channel)
    did("watch", 2, channel="start")
    did("share", 1, channel="whatsapp")
    did("share", 1, channel="copy")
    did("visit", via=1, channel="whatsapp")
    did("visit", via=1, machine="bot")
    did("join", 3, via=1)
    with database.read() as session:
        spanish = results(session, blast).languages[1]
    assert (spanish.watchers, spanish.finishers, spanish.shares) == (2, 1, 1)
    assert (spanish.visits, spanish.machine_visits, spanish.friends_watched, spanish.joins) == (1, 1, 1, 1)


def test_how_far_a_film_was_watched_is_told_by_people_and_by_viewings_of_friends(
    database: Database, blast: int, did: Callable[..., None]
) -> None:
    for channel in ("start", "25", "50", "start"):
        did("watch", 1, channel=channel)
    did("watch", 2, channel="95")  # what came before it was lost on the way
    did("watch", 2, channel="95", machine="bot")
    did("watch", 2, channel="button")
    for channel in ("start", "start", "50", "50"):  # one of 25 was lost, too
        did("watch", via=1, channel=channel)
    with database.read() as session:
        assert curves(session, blast) == [Curve("es", (2, 2, 2, 1, 1), (2, 2, 2, 0, 0))]


def test_other_blasts_stay_out(database: Database, blast: int) -> None:
    with database.write() as session:
        record(session, [Hit("click", 1.0, member=1), Hit("visit", 1.0, via=1)])
        assert results(session, blast).total.clicks == 0
        assert results(session, 999).languages == ()


def test_who_brought_whom(database: Database, blast: int, did: Callable[..., None]) -> None:
    with database.write() as session:
        for number, by in ((2, 1), (3, 1), (4, 2)):
            session.get_one(Member, number).recruited_by_id = by
    did("visit", via=1)
    did("visit", via=1, machine="bot")
    did("watch", via=1, channel="start")
    did("watch", via=1, channel="95")
    with database.read() as session:
        assert recruits_of(session, 1) == [2, 3]
        assert recruits_of(session, 1, after=2) == [3]
        assert recruits_by_member(session) == [(1, 2), (2, 1)]
        brought = brought_by(session, 1)
        assert (brought.visits, brought.watches, brought.recruits) == (1, 1, 2)


def test_a_share_code_names_its_owner_and_their_latest_blast(database: Database, blast: int) -> None:
    with database.read() as session:
        appeal = session.get_one(Blast, blast).appeal_id
        owner = sharer(session, "c1", appeal)
        assert (owner.member, owner.language, owner.blast) == (1, "es", blast)
        assert sharer(session, "nobody", appeal).member == 0
        assert sharer(session, "c1", appeal + 1).blast == 0
    with database.write() as session:  # who is counted in sums is in no act by their number
        session.get_one(Blast, blast).frozen_tracking = "sums"
        session.flush()
        assert sharer(session, "c1", appeal).blast == 0
