"""What is known from memory of links: asked for once, waited for briefly, and never more than there is room for."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from mobilizer.public import targets
from mobilizer.public.targets import Away, Memory


def test_names_that_are_thought_up_while_the_database_hangs_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(targets, "MOST_WAITING", 20)
    answers, asked = threading.Event(), list[int]()

    def ask(key: int) -> int:
        asked.append(key)
        answers.wait()
        return key

    memory = Memory[int, int](ask, 1000)
    for key in range(200):
        with pytest.raises(Away):
            memory.get(key)
    answers.set()
    memory._asking.shutdown()
    assert len(asked) == 20


def test_one_slow_moment_is_over_though_new_names_are_asked_for_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks while the database is taken for away waits for nothing, so that they can't tell whether it is."""
    monkeypatch.setattr(targets, "PATIENCE_SECONDS", 0.01)
    now = [1000.0]
    monkeypatch.setattr(targets.time, "monotonic", lambda: now[0])
    answers = threading.Event()
    memory = Memory[int, int](lambda key: (answers.wait(), key)[1], 1000)
    with pytest.raises(Away):
        memory.get(0)
    answers.set()
    monkeypatch.setattr(targets, "PATIENCE_SECONDS", 30.0)
    for key in range(1, 12):
        now[0] += 0.5
        with suppress(Away):
            memory.get(key)
    assert memory.get(99) == 99
