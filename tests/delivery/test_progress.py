"""Progress is what the ledger says, row by row, and is had without looking at each row."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text, update
from sqlalchemy.orm import Session

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.db import clock
from mobilizer.delivery import causes, decisions, leases, progress, reconcile
from mobilizer.delivery.causes import Cause
from mobilizer.delivery.decisions import Which
from mobilizer.delivery.ledger import Batch, Delivery, DeliveryState
from mobilizer.delivery.recount import PATIENCE, Pulse, Recount
from tests.delivery.test_slices import make_due, send
from tests.transport.scripted_relay import DROP
from tests.worlds import World


def by_hand(world: World) -> dict[str, Counter[tuple[str, str]]]:
    """(state, reason) of every row by language, the two open states as one; reasons of final rows not sent."""
    found: dict[str, Counter[tuple[str, str]]] = {}
    with world.installation.database.read() as session:
        for language, state, reason in session.execute(select(Delivery.language, Delivery.state, Delivery.reason)):
            told = state in ("rejected", "skipped", "uncertain")
            shown = "pending" if state == "handing" else state
            found.setdefault(language, Counter())[shown, reason if told else ""] += 1
    return found


def counted(world: World) -> dict[str, Counter[tuple[str, str]]]:
    with world.installation.database.read() as session:
        languages = progress.tallies_by_language(session, [world.blast_id])[world.blast_id]
    return {tag: Counter({key: count for key, count in _lines(tally) if count}) for tag, tally in languages.items()}


def _lines(tally: progress.Tally) -> list[tuple[tuple[str, str], int]]:
    named = [((state, reason), count) for (state, reason), count in tally.reasons.items()]
    of_state: Counter[str] = Counter()
    for (state, _reason), count in named:
        of_state[state] += count
    return named + [((state, ""), count - of_state[state]) for state, count in tally.states.items()]


def test_progress_is_the_ledger_through_everything_that_can_happen_to_a_blast(world: World) -> None:
    database = world.installation.database
    world.join(["en"] * 7 + ["es"] * 4)
    world.launch()
    assert counted(world) == by_hand(world), "launched"
    send(world, {"RCPT": b"450 4.2.0 later\r\n"}, connections=1)
    assert counted(world) == by_hand(world), "deferred"
    make_due(world)
    with database.write() as session:
        lease = leases.take(session, world.batches()[0], "owner")
        assert lease is not None
        session.execute(
            update(Delivery).where(Delivery.member_id == world.members[0]).values(state="handing", epoch=lease.epoch)
        )
        session.execute(update(Delivery).where(Delivery.member_id == world.members[2]).values(state="accepted"))
    assert counted(world) == by_hand(world), "in hand"
    with database.write() as session:
        session.execute(update(Batch).values(lease_until=clock(-1)))
    send(world, {"RCPT": b"552 5.2.2 full\r\n"}, connections=1)
    assert counted(world) == by_hand(world), "swept and refused"
    with database.write() as session:
        assert reconcile.finish(session) == [world.blast_id]
        assert decisions.retry(session, world.blast_id, Cause.parse("rejected/full")) == 14
    assert counted(world) == by_hand(world), "put back"
    send(world, {"DOT": DROP}, connections=1)
    with database.write() as session:
        decisions.resend(session, world.blast_id, Which(reason="worker_lost"))
        lifecycle.cancel(session, world.blast_id)
    assert counted(world) == by_hand(world), "cancelled"
    with database.write() as session:
        reconcile.settle_cancelled(session)
    assert counted(world) == by_hand(world), "settled"


def test_a_blast_that_is_cancelled_before_it_began_waits_for_nobody(world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        lifecycle.cancel(session, world.blast_id)
    assert counted(world) == by_hand(world)
    with world.installation.database.write() as session:
        reconcile.settle_cancelled(session)
    assert counted(world) == by_hand(world) == {"en": Counter({("skipped", "cancelled"): 3}),
                                                "es": Counter({("skipped", "cancelled"): 2})}  # fmt: skip


def plans(session: Session, statements: list[tuple[str, Any]]) -> list[str]:
    """How the database would run them, a line each step, where it prefers indexes to reading a small table whole."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    if not sqlite:
        session.execute(text("SET LOCAL enable_seqscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))
    explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
    connection = session.connection()
    return [row[-1] for words, values in statements for row in connection.exec_driver_sql(explain + words, values)]


def test_a_look_at_progress_reads_no_row_of_what_was_accepted(world: World) -> None:
    world.launch()
    send(world)
    said: list[tuple[str, Any]] = []

    def listen(_connection: Connection, _cursor: Any, words: str, values: Any, *_: Any) -> None:
        if "deliveries" in words:
            said.append((words, values))

    engine = world.installation.database.engine
    with world.installation.database.read() as session:
        blast = session.get_one(lifecycle.Blast, world.blast_id)
        event.listen(engine, "before_cursor_execute", listen)
        progress.progress(session, blast)
        event.remove(engine, "before_cursor_execute", listen)
        steps = [step for step in plans(session, said) if re.search(r"(SEARCH|SCAN|on) deliveries", step)]
    assert said
    assert all("ix_deliveries_open" in step or "ix_deliveries_not_sent" in step for step in steps), steps
    assert len(steps) == 2


def test_providers_are_counted_where_they_have_answered(world: World) -> None:
    world.launch()
    answers = (("accepted", "gmail"), ("accepted", "gmail"), ("rejected", "gmail"), ("accepted", ""), ("pending", None))
    with world.installation.database.write() as session:
        for member, (state, provider) in zip(world.members, answers, strict=True):
            row = update(Delivery).where(Delivery.member_id == member)
            session.execute(row.values(state=state, provider=provider))
        found = causes.by_provider(session, world.blast_id).value
    assert {name: dict(tally.states) for name, tally in found.items()} == {
        "gmail": {"accepted": 2, "rejected": 1},
        "": {"accepted": 1},
    }
    assert list(found) == ["gmail", ""], "those without a name come last"


def test_the_rate_is_that_of_the_last_half_minute_and_at_first_of_the_whole() -> None:
    pulse = Pulse()
    assert pulse.rate("blast", 100, since_launch=10, now=0) == 10
    assert pulse.rate("blast", 200, since_launch=11, now=1) == pytest.approx(200 / 11)
    assert pulse.rate("blast", 500, since_launch=20, now=10) == 40
    assert pulse.rate("blast", 500, since_launch=100, now=60) == 5, "nobody looked for a while"
    assert pulse.rate("blast", 400, since_launch=110, now=70) == 0, "some were put back"


def test_after_a_rest_the_rate_is_known_from_what_was_seen_since() -> None:
    pulse = Pulse()
    assert pulse.rate("blast", 500, since_launch=10, now=0) == 50
    pulse.rest("blast")
    assert pulse.rate("blast", 500, since_launch=None, now=20) == 0, "not known yet"
    assert pulse.rate("blast", 520, since_launch=None, now=24) == 5, "nothing of the rest is in it"


def test_only_what_is_sending_has_a_rate_and_no_pause_is_in_it(world: World) -> None:
    def rate(**values: object) -> float:
        with world.installation.database.write() as session:
            session.execute(update(Blast).values(**values))
        with world.installation.database.read() as session:
            return progress.progress(session, session.get_one(Blast, world.blast_id)).per_second

    world.launch()
    send(world)
    assert rate(launched_at=clock(-2)) > 0
    assert rate(state="sent") == 0
    assert rate(state="paused") == 0
    assert rate(state="held") == 0
    assert rate(state="sending", resumed_at=clock()) == 0, "not known yet"


def test_what_is_dear_to_count_is_counted_seldom_and_by_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now, counts = [0.0], []
    monkeypatch.setattr("mobilizer.delivery.recount.time.monotonic", lambda: now[0])
    recount: Recount[int] = Recount()

    def count(seconds: float) -> int:
        counts.append(seconds)
        now[0] += seconds
        # Who looks meanwhile gets what was counted before.
        if len(counts) > 1:
            assert recount.of("blast", lambda: 1 // 0).value == len(counts) - 1
        return len(counts)

    assert recount.of("blast", lambda: count(0.5)).value == 1
    now[0] += 0.5 * PATIENCE - 0.1
    assert (recount.of("blast", lambda: count(0.5)).value, len(counts)) == (1, 1)
    now[0] += 0.2
    assert recount.of("blast", lambda: count(0.01)).value == 2
    assert recount.of("blast", lambda: count(0.01)).value == 3, "what is cheap is counted at each look"


def test_a_tally_adds_up() -> None:
    tally = progress.Tally()
    for state in DeliveryState:
        tally.add(state, "", 2)
    assert (tally.total, tally.final, tally.waiting) == (12, 8, 4)
