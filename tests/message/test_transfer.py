"""Both transfer encodings give back the text, on short ASCII lines that nothing on the way has a reason to change."""

from __future__ import annotations

import quopri
from base64 import b64decode

from dkim.canonicalization import Relaxed
from hypothesis import example, given
from hypothesis import strategies as st

from mobilizer.message.pieces import Line, Slot, fill
from mobilizer.message.transfer import _base64, _quoted, part, quote

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200)
VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=120)
SLOTS = st.sampled_from([Slot("a"), Slot("b"), Slot("c", form="html")])
LINES = st.lists(st.one_of(TEXT, TEXT.map(lambda text: text * 5), SLOTS), max_size=12).map(tuple)
VALUES = st.fixed_dictionaries({"a": VALUE, "b": VALUE, "c": st.just("abcdefghij234567" * 3)})


def check_lines(encoded: bytes) -> None:
    assert encoded == b"" or encoded.endswith(b"\r\n")
    for line in encoded.split(b"\r\n"):
        assert len(line) <= 76
        assert b"\n" not in line
        assert b"\r" not in line
        assert line.isascii()
        assert not line.startswith((b".", b"F"))
        assert line == line.rstrip(b" \t")
        assert b"  " not in line
        assert b"\t" not in line


@given(LINES, VALUES)
@example((".F", Slot("a"), "."), {"a": ".", "b": "", "c": ""})
@example(("From me  \n  .\n\n", Slot("a"), " \n.", Slot("a")), {"a": "", "b": "", "c": ""})
@example(("=" * 74 + "é" * 40,), {"a": "", "b": "", "c": ""})
@example((Slot("a"), Slot("b")), {"a": "x" * 75, "b": "Fine.", "c": ""})
def test_quoted_printable_decodes_to_the_filled_text(line: Line, values: dict[str, str]) -> None:
    encoded = b"".join(_quoted(line).encode(lambda slot: values[slot.field]))
    check_lines(encoded)
    # The last line end belongs to the boundary behind it.
    assert quopri.decodestring(encoded[:-2]) == wanted(line, values)


@given(LINES, VALUES)
@example(("x" * 24, Slot("a"), "y" * 25, Slot("b"), "z" * 26), {"a": "1", "b": "22", "c": ""})
def test_base64_decodes_to_the_filled_text(line: Line, values: dict[str, str]) -> None:
    encoded = b"".join(_base64(line).encode(lambda slot: values[slot.field]))
    check = [text for text in encoded.split(b"\r\n") if text]
    assert all(len(text) <= 76 for text in check)
    assert all(b"=" not in text for text in check[:-1])
    assert b64decode(encoded) == wanted(line, values)


@given(LINES, VALUES)
def test_the_encoded_text_is_a_fixed_point_of_relaxed_canonicalisation(line: Line, values: dict[str, str]) -> None:
    body = b"".join([*part(line).encode(lambda slot: values[slot.field]), b"--end--\r\n"])
    assert Relaxed.canonicalize_body(body) == body


def test_arabic_goes_as_base64_and_english_as_quoted_printable() -> None:
    assert part(("الحب ينتصر دائمًا " * 20,)).name == "base64"
    assert part(("Love always wins. " * 20,)).name == "quoted-printable"


def test_a_segment_ends_where_the_next_can_start() -> None:
    assert quote("words") == b"words=\r\n"
    assert quote("words\n") == b"words\r\n"
    assert quote("words", last=True) == b"words"


def wanted(line: Line, values: dict[str, str]) -> bytes:
    filled = fill(line, lambda slot: values[slot.field])
    return filled.replace("\n", "\r\n").encode()
