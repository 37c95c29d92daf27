"""What is asked all the time uses the indexes that were made for it: looked up in the plan, not in a clock."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, select, text
from sqlalchemy.orm import Session

from mobilizer.db import Prepared
from mobilizer.delivery import claims, holds, launch, leases, reconcile
from mobilizer.delivery.ledger import Batch, Delivery, is_for, numbered, of_blast
from mobilizer.delivery.listing import deliveries_page
from mobilizer.engagement import acts, history
from tests.delivery.test_books import start
from tests.delivery.test_progress import plans
from tests.worlds import World

OPEN, NOT_SENT, NEXT = "ix_deliveries_open", "ix_deliveries_not_sent", "ix_batches_next"
PRIMARY = re.compile(r"pk_deliveries|deliveries USING INTEGER PRIMARY KEY")


def steps(world: World, ask: Callable[[Session], object], table: str) -> list[str]:
    """The steps in which the statements of `ask` look into a table."""
    said: list[tuple[str, Any]] = []

    def listen(_connection: Connection, _cursor: Any, words: str, values: Any, *_: Any) -> None:
        if table in words and not words.startswith("EXPLAIN"):
            said.append((words, values))

    def heard(statement: Prepared, connection: Connection, values: tuple[Any, ...]) -> list[Any]:
        words, arrange = statement._for(connection.dialect)
        said.append((words, arrange(values)))
        return []

    engine = world.installation.database.engine
    with world.installation.database.read() as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prepared, "run", heard)
        event.listen(engine, "before_cursor_execute", listen)
        try:
            ask(session)
        finally:
            event.remove(engine, "before_cursor_execute", listen)
        session.rollback()
        found = plans(session, said)
    assert said
    return [step for step in found if re.search(rf"(SEARCH|SCAN|Scan.* on) {table}\b", step)]


def lease_of(session: Session) -> leases.Lease:
    batch = session.scalars(select(Batch)).first()
    assert batch is not None
    return leases.Lease(batch.id, batch.blast_id, batch.language, 1)


@pytest.fixture
def frozen(world: World) -> World:
    """A world whose audience is frozen."""
    world.launch()
    return world


ASKED: list[tuple[str, Callable[[World, Session], object]]] = [
    ("the rows of a lease", lambda _, s: claims.due_people(s.connection(), lease_of(s))),
    ("what an earlier owner left", lambda _, s: leases.sweep(s, lease_of(s))),
    ("whether a batch is done", lambda _, s: leases.has_open_rows(s, lease_of(s))),
    ("when a batch is due again", lambda _, s: leases.give_back(s, lease_of(s))),
    ("whether a blast is over", lambda _, s: reconcile.finish(s)),
    ("what a cancelled blast has left", lambda _, s: reconcile.settle_cancelled(s)),
]


@pytest.mark.parametrize("ask", [ask for _, ask in ASKED], ids=[name for name, _ in ASKED])
def test_open_rows_are_found_by_their_index(frozen: World, ask: Callable[[World, Session], object]) -> None:
    found = steps(frozen, lambda session: ask(frozen, session), "deliveries")
    assert found
    others = [step for step in found if "deliveries_1" in step]  # of one member in other blasts, by their number
    assert all("pk_deliveries" in step for step in others), others
    assert all(OPEN in step for step in found if step not in others), found


def test_refusals_are_counted_by_the_index_of_what_was_not_sent(frozen: World) -> None:
    found = steps(frozen, lambda session: holds.refused_by_policy(session, frozen.blast_id), "deliveries")
    assert len(found) == 1
    assert NOT_SENT in found[0]


@pytest.mark.parametrize("after", [0, 2**33])
def test_a_page_of_deliveries_begins_where_it_says(frozen: World, after: int) -> None:
    keyring = frozen.installation.keyring
    found = steps(frozen, lambda s: deliveries_page(s, keyring, frozen.blast_id, after=after), "deliveries")
    assert found
    assert all(PRIMARY.search(step) and "rowid>" in step.replace(" ", "") for step in found) or all(
        "pk_deliveries" in step for step in found
    ), found


@pytest.mark.parametrize(
    "ask",
    [
        lambda world, s: s.scalars(select(Delivery.language).where(is_for(world.blast_id, 1))).all(),
        lambda world, s: s.scalars(select(Delivery.language).where(of_blast(world.blast_id))).all(),
        lambda world, s: history.received(s, world.members[0]),
        lambda world, s: claims.claim(s.connection(), lease_of(s), [numbered(world.blast_id, 1)]),
        lambda world, s: acts.acts_in(s, world.blast_id),
    ],
    ids=["one member in one blast", "all of one blast", "one member in every blast", "a claim", "results"],
)
def test_rows_of_any_state_are_found_by_their_number(frozen: World, ask: Callable[[World, Session], object]) -> None:
    found = steps(frozen, lambda session: ask(frozen, session), "deliveries")
    assert found
    assert all(PRIMARY.search(step) for step in found), found


def test_the_next_batch_of_a_language_is_found_without_looking_at_the_others(frozen: World) -> None:
    found = steps(frozen, leases.next_of_each, "batches")
    assert found
    assert all(NEXT in step for step in found), found


def test_a_chunk_of_an_audience_reads_no_member_and_no_subscription_outside_it(world: World) -> None:
    """Else a launch costs the square of its audience."""
    start(world)
    for table in ("subscriptions", "members"):
        found = steps(world, lambda s: launch.freeze_chunk(s, world.blast_id, 500, 20), table)
        assert found
        assert not [step for step in found if step.startswith("SCAN") or "Seq Scan" in step], found


def test_no_row_of_the_ledger_looks_up_another_table_when_it_is_written(frozen: World) -> None:
    with frozen.installation.database.read() as session:
        if session.get_bind().dialect.name == "sqlite":
            assert session.execute(text("PRAGMA foreign_key_list(deliveries)")).all() == []
        else:
            triggers = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'deliveries'::regclass"
            assert session.scalar(text(triggers)) == 0


@pytest.mark.parametrize("statement", [claims._DUE, claims._CLAIM], ids=["due", "claim"])
def test_no_state_is_a_bound_value_of_what_runs_for_each_message(world: World, statement: Prepared) -> None:
    """SQLite plans a statement anew at each run where a partial index may depend on a value."""
    words, _arrange = statement._for(world.installation.database.engine.dialect)
    _before, _, asked = words.partition("WHERE")
    assert "state = 'accepted'" in asked
    assert not re.search(r"state = (\?|%|:)", asked)
