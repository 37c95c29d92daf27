"""Slugs: readable, ASCII, free."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mobilizer.slugs import MAX_SLUG, free_slug, is_slug, slug


@given(st.text())
def test_any_text_gives_a_slug(text: str) -> None:
    assert is_slug(slug(text, "otherwise"))


@given(st.text(), st.integers(0, 30))
def test_a_free_slug_is_a_slug_that_is_free(text: str, others: int) -> None:
    wanted = slug(text, "x")
    taken = {wanted, *(free for n in range(2, others) if (free := f"{wanted[: MAX_SLUG - 4]}-{n}"))}
    found = free_slug(wanted, taken.__contains__)
    assert is_slug(found)
    assert found not in taken


def test_slugs_are_readable() -> None:
    assert slug("L'amour, ça gagne!", "x") == "lamour-ca-gagne"
    assert slug("الحب", "appeal") == "appeal"
    assert not is_slug("a--b")
    assert not is_slug("-a")
    assert not is_slug("a\n")
