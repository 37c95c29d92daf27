"""The line of an inbox: cut as programs do, never through a letter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from wcwidth import iter_graphemes

from mobilizer.message.inboxes import ELLIPSIS, INBOXES, cut, letters, shown_in


def test_a_line_that_fits_stays_and_one_that_does_not_ends_in_an_ellipsis() -> None:
    assert cut("short", 10) == "short"
    assert cut("abcdefghij klm", 8) == "abcdefg…"
    assert cut("日本語のたより", 7) == "日本語…", "a wide letter takes the room of two"


def test_a_letter_and_what_belongs_to_it_stay_together() -> None:
    assert cut("cafe\u0301s and more", 5) == "cafe\u0301…"
    assert cut("ab👨‍👩‍👧 and more", 4) == "ab…", "a family is one letter"
    assert cut("क्षि and more", 3) == "क्षि…"


@given(st.text(max_size=60), st.integers(2, 60))
def test_what_is_kept_is_the_start_in_whole_letters_and_fits(text: str, most: int) -> None:
    shown = cut(text, most)
    if shown != text:
        assert letters(shown) <= most
        kept = shown.removesuffix(ELLIPSIS)
        assert "".join(iter_graphemes(text)).startswith(kept)
        assert kept.rstrip() == kept


def test_each_program_shows_what_it_has_room_for() -> None:
    subject, preheader = "s" * 200, "p" * 200
    lines = {one.slug: shown_in(one, subject, preheader) for one in INBOXES}
    assert {slug: len(line[0]) for slug, line in lines.items()} == {one.slug: one.subject for one in INBOXES}
    assert len(lines["gmail-desktop"][0]) + 3 + len(lines["gmail-desktop"][1]) == 105, "they share a line there"
    assert shown_in(INBOXES[2], "Hello", "more")[1] == "more"
