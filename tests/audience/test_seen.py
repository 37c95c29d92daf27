"""Which addresses of a file were there before: as a dict would say it, in less memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mobilizer.audience.seen import Seen

# Few different bytes, so that keys begin alike and one's end with the next one's beginning may look like a third.
KEYS = st.lists(st.sampled_from([0, 1, 2]), min_size=16, max_size=16).map(bytes)
ALIKE = st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda pair: bytes([0, 0, *[pair[0]] * 7, *[pair[1]] * 7]))


@given(st.lists(st.one_of(KEYS, ALIKE, st.binary(min_size=16, max_size=16)), max_size=60))
def test_each_key_is_known_by_the_line_it_was_on_first(keys: list[bytes]) -> None:
    seen, known = Seen(), dict[bytes, int]()
    for line, key in enumerate(keys, 2):
        assert seen.first(key, line) == known.setdefault(key, line)


def test_many_are_remembered_as_one_by_one() -> None:
    keys = [bytes([n % 3]) * 2 + bytes([n % 5]) * 14 for n in range(40)]
    one, many = Seen(), Seen()
    assert not many
    assert many.firsts(keys, range(40)) == [one.first(key, n) for n, key in enumerate(keys)]
    assert many.line_of(keys[0]) == 0
    assert many.line_of(b"x" * 16) is None
