"""Rows that are read together say what they say one by one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mobilizer.audience.candidates import Reader
from mobilizer.audience.choices import Choices
from mobilizer.audience.fitting import Definition
from mobilizer.audience.flocks import FlockReader
from mobilizer.audience.rows import Row

CHOICES = Choices(
    {"email": 0, "first_name": 1, "last_name": 2, "language": 3, "status": 4},
    "en",
    attributes={"size": 5, "note": 6},
    fields={"size": Definition("size", "choice", ("S", "M"))},
    width=7,
)
EMAILS = st.sampled_from(
    ["ana@example.org", " Ana@Example.ORG ", "a@b@example.org", "'+a@example.org", "`a@example.org", "a..b@example.org",
     "a@gamil.com", "Ana <ana@example.org>", "", "x" * 65 + "@example.org", "a@" + "b" * 60 + ".org",
     "a@xn--bcher-kva.org",
     "a@example", "jé@example.org", "a@example.org\n", "email", "a@ex-.org", "a@example.test", "a@invalid"]
) | st.emails()  # fmt: skip
CELLS = st.sampled_from(["", "Ana", " Sol ", "'=cmd()", "O\nBrien", "N" * 160, "é\ufffd", "'", "\u200bZoë", "a\tb"])
ROWS = st.builds(
    lambda line, cells, more, fault: Row(line, [*cells, *more], fault),
    st.integers(1, 99),
    st.tuples(
        EMAILS,
        CELLS,
        CELLS,
        st.sampled_from(["", "es", "Español", "klingon", "x" * 600]),
        st.sampled_from(["", "yes", "unsubscribed", "bounced", "what"]),
        st.sampled_from(["", "S", "XL", "'=S"]),
        st.sampled_from(["", "note", "x" * 1001, "two\nlines", "\ufffd"]),
    ),
    st.sampled_from([(), (), (), ("",), ("more",)]),
    st.sampled_from(["", "", "", "nul"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, max_size=8))
def test_rows_read_together_are_read_as_one_by_one(rows: list[Row]) -> None:
    together, alone = FlockReader(CHOICES), Reader(CHOICES)
    assert together.read(rows) == [alone.read(row) for row in rows]
    only_email = Choices({"email": 0}, "en", width=7)
    assert FlockReader(only_email).read(rows) == [Reader(only_email).read(row) for row in rows]
