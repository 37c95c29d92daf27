"""What a viewer may know of numbers."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from mobilizer.organizers.sums import FEW, Kept, alone, parts


def test_few_are_few_and_nobody_is_nobody() -> None:
    assert [alone(count) for count in (0, 1, 4, 5, 900)] == [0, Kept.FEW, Kept.FEW, 5, 900]


def test_the_next_one_is_kept_back_too() -> None:
    shown = parts([100, 3, 0, 7, 40])
    assert shown.total == 150
    assert shown.cells == (100, Kept.FEW, 0, Kept.BACK, 40)


def test_where_that_is_not_enough_the_total_is_kept_back() -> None:
    assert parts([2, 5]).total is Kept.BACK
    assert parts([1, 2]).total is Kept.FEW
    assert parts([]).total == 0


@given(st.lists(st.integers(0, 30), max_size=6))
def test_no_subtraction_tells_how_many_the_few_are(counts: list[int]) -> None:
    shown = parts(counts)
    assert all(not isinstance(cell, int) or not 0 < cell < FEW for cell in (shown.total, *shown.cells))
    assert all(cell == count for cell, count in zip(shown.cells, counts, strict=True) if isinstance(cell, int))
    few = shown.cells.count(Kept.FEW)
    if not isinstance(shown.total, int) or not few:
        return
    back = shown.cells.count(Kept.BACK)
    hidden = shown.total - sum(cell for cell in shown.cells if isinstance(cell, int))
    for guess in product(range(1, FEW), repeat=min(few, 3)):  # what one might think of the first of them
        least = sum(guess) + (few - len(guess)) * 1 + back * FEW
        most_left = hidden - least
        assert most_left >= 0
        assert back or most_left <= (few - len(guess)) * (FEW - 2)
