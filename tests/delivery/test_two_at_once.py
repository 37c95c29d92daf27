"""Freezing where there are several writers: two stretches at once, and the cursor never passes what isn't written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery import launch
from mobilizer.delivery.ledger import Delivery, numbered, of_blast
from tests.delivery.test_books import start
from tests.delivery.test_freezing import CHUNK, books, small_batches
from tests.worlds import World

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def started(world: World) -> World:
    """A blast to 65 members that is launching: four stretches."""
    small_batches(world)
    world.join(["en", "es", "es-MX"] * 20)
    start(world)
    return world


def freeze(world: World) -> None:
    launch.freeze(world.installation, world.blast_id, CHUNK)


def behind() -> bool:
    """Whether this is the one that writes behind another."""
    return threading.current_thread() is not threading.main_thread()


def broken(monkeypatch: pytest.MonkeyPatch, when: Callable[[], bool]) -> None:
    write = launch._write

    def fails(*arguments: Any) -> None:
        write(*arguments)
        if when():
            raise RuntimeError("no such column")

    monkeypatch.setattr(launch, "_write", fails)


def frozen(world: World) -> tuple[int, int]:
    """(the cursor, how many deliveries there are)."""
    with world.installation.database.read() as session:
        return world.blast().frozen_up_to, session.scalars(
            select(func.count()).select_from(Delivery).where(of_blast(world.blast_id))
        ).one()


def test_every_second_stretch_is_written_behind_another(started: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[bool] = []
    broken(monkeypatch, lambda: said.append(behind()) or False)  # type: ignore[func-returns-value]
    freeze(started)
    assert sorted(said) == [False, False, True, True]
    books(started)
    assert started.blast().state == BlastState.SENDING


def test_one_that_fails_behind_another_leaves_what_the_other_wrote(
    started: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        broken(patch, behind)
        with pytest.raises(RuntimeError):
            freeze(started)
    cursor, rows = frozen(started)
    assert rows == sum(member <= cursor for member in started.members) == CHUNK
    assert started.blast().troubles == 1
    freeze(started)
    books(started)


def test_one_that_fails_takes_back_what_is_written_behind_it(started: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        broken(patch, lambda: not behind())
        with pytest.raises(RuntimeError):
            freeze(started)
    assert frozen(started) == (0, 0)
    freeze(started)
    books(started)


def test_who_is_cancelled_in_between_gets_nobody_else(started: World, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = launch._moved

    def cancelled(*arguments: Any) -> bool:
        with started.installation.database.write() as session:
            assert lifecycle.cancel(session, started.blast_id)
        return moved(*arguments)

    monkeypatch.setattr(launch, "_moved", cancelled)
    freeze(started)
    assert frozen(started)[1] == CHUNK
    assert started.blast().state == BlastState.CANCELLED


def test_nobody_begins_where_another_has_not_committed_yet(started: World) -> None:
    with started.installation.database.write() as session:
        assert launch._alone(session, started.blast_id, 0)
        freeze(started)
        assert frozen(started) == (0, 0)
        other = session.scalar(select(func.pg_try_advisory_xact_lock(numbered(started.blast_id, 0))))
        assert other, "one's own lock is no obstacle"
    with started.installation.database.read() as session:
        assert session.get_one(Blast, started.blast_id).state == BlastState.LAUNCHING
    freeze(started)
    books(started)
