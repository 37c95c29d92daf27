"""Ranges agree with published ones, and widen as people grow fewer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mobilizer.engagement.ranges import Range, differ, least_difference, range_of


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17: 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_range_is_the_published_one(part: int, whole: int, low: float, high: float) -> None:
    found = range_of(part, whole)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@settings(max_examples=50)
@given(st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_range_holds_its_share_and_more_people_make_it_narrower(counted: tuple[int, int]) -> None:
    part, whole = counted
    found, more, others = range_of(part, whole), range_of(10 * part, 10 * whole), range_of(whole - part, whole)
    assert found is not None
    assert more is not None
    assert others is not None
    assert 0 <= found.low <= part / whole + 1e-12
    assert part / whole - 1e-12 <= found.high <= 1
    assert more.high - more.low < found.high - found.low
    assert found.low == pytest.approx(1 - others.high, abs=1e-9)


def test_there_is_no_range_of_nobody_nor_of_more_than_all() -> None:
    assert range_of(0, 0) is None
    with pytest.raises(ValueError, match="5 is no part of 4"):
        range_of(5, 4)


def test_ranges_meet_where_they_share_a_point() -> None:
    assert Range(0.1, 0.2).meets(Range(0.2, 0.3))
    assert not Range(0.1, 0.2).meets(Range(0.21, 0.3))


def test_what_so_many_people_can_tell_is_said_as_it_is_judged() -> None:
    """Beside the least difference that is told, the judgement turns; with more variants later."""
    assert round(least_difference(0.093, 2000), 3) == 0.018
    for share, people in ((0.1, 2000), (0.02, 10_000), (0.5, 400)):
        least = least_difference(share, people)
        low = round(share * people - least * people / 2)
        smaller, larger = (round(factor * least * people) for factor in (0.8, 1.2))
        assert not differ((low, people), (low + smaller, people))
        assert differ((low, people), (low + larger, people))
        assert differ((low + larger, people), (low, people))
        assert not differ((low, people), (low + larger, people), variants=4)
        assert least_difference(share, people, 4) > 1.2 * least
    assert not differ((0, 0), (5, 10))
    assert not differ((0, 10), (0, 10))
