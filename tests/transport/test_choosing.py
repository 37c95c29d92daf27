"""Choosing a relay: by weight, evenly mixed, and never one that is down or full."""

from __future__ import annotations

import pytest

from mobilizer.transport.choosing import Choice
from mobilizer.transport.relay import Relay
from mobilizer.transport.relays import Route


def choice(**weights: int) -> Choice:
    return Choice(
        [Route(name, Relay("127.0.0.1", 25), weight=weight, connections=2) for name, weight in weights.items()]
    )


def chosen(choice: Choice, times: int, now: float = 0.0, **busy: int) -> str:
    return "".join(route.name if (route := choice.choose(now, busy)) else "-" for _ in range(times))


@pytest.mark.parametrize(
    ("weights", "order"),
    [
        ({"a": 1}, "aaaa"),
        ({"a": 1, "b": 1}, "abab"),
        ({"a": 5, "b": 1, "c": 1}, "aabacaa"),
        ({"a": 2, "b": 1}, "abaaba"),
        ({"b": 1, "a": 3}, "abaaabaa"),
    ],
)
def test_relays_are_chosen_by_weight_and_evenly_mixed(weights: dict[str, int], order: str) -> None:
    assert chosen(choice(**weights), len(order)) == order


@pytest.mark.parametrize(
    ("busy", "order"),
    [
        ({"a": 2}, "bbbb"),
        ({"a": 1, "b": 2}, "aaaa"),
        ({"a": 2, "b": 2}, "----"),
        ({"a": 3}, "bbbb"),
    ],
)
def test_a_relay_with_all_its_connections_is_passed_over(busy: dict[str, int], order: str) -> None:
    assert chosen(choice(a=3, b=1), len(order), **busy) == order


def test_a_relay_that_is_down_is_left_alone_for_longer_each_time() -> None:
    two = choice(a=1, b=1)
    now, pauses = 0.0, []
    for _ in range(9):
        pauses.append(two.down("a", now))
        assert chosen(two, 2, now + pauses[-1] - 0.01) == "bb"
        assert two.wait(now) == 0.0
        now += pauses[-1]
        assert "a" in chosen(two, 2, now)
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_troubles_of_the_same_moment_count_once() -> None:
    two = choice(a=1, b=1)
    assert [two.down("a", now) for now in (0.0, 0.5, 1.0)] == [5.0, 4.5, 4.0]
    assert two.down("a", 5.0) == 10.0


def test_a_relay_that_works_again_begins_with_the_shortest_pause() -> None:
    one = choice(a=1)
    one.down("a", 0.0)
    one.down("a", 5.0)
    one.up("a")
    assert chosen(one, 1, 5.0) == "a"
    assert one.down("a", 6.0) == 5.0


def test_when_all_are_down_it_says_how_long_that_lasts() -> None:
    two = choice(a=1, b=1)
    two.down("a", 0.0)
    two.down("b", 2.0)
    assert (chosen(two, 1, 3.0), two.wait(3.0)) == ("-", 2.0)
    assert chosen(two, 2, 5.0) == "aa"
