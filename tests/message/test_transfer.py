"""Both transfer encodings give back the text, on short ASCII lines that nothing on the way has a reason to change."""

from __future__ import annotations

import quopri
from base64 import b64decode

from dkim.canonicalization import Relaxed
from hypothesis import example, given
from hypothesis import strategies as st

from mobilizer.message.pieces import Places, fill
from mobilizer.message.transfer import TOKENS, Base64, Encoding, Quoted, encoding, quote, quote_value

TOKEN_SET = [f"{n}{'0123456789abcdef' * 4}"[:50] for n in range(TOKENS)]
A, B = TOKENS, TOKENS + 1  # the places of two values behind the tokens


def values(a: str, b: str) -> tuple[str, ...]:
    """Tokens and two values behind them."""
    return (*TOKEN_SET, a, b)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=200)
VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=120)
LINES = st.lists(
    st.one_of(TEXT, TEXT.map(lambda text: text * 5), st.sampled_from([0, TOKENS - 1, A, B])), max_size=12
).map(tuple)
VALUES = st.tuples(VALUE, VALUE).map(lambda own: values(*own))
BEHIND = b"--end--\r\n"


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


def body(kind: type[Encoding], line: Places, said: tuple[str, ...]) -> bytes:
    encoded = b"".join(kind((line, BEHIND)).encode(said))
    assert encoded.endswith(BEHIND)
    return encoded.removesuffix(BEHIND)


@given(LINES, VALUES)
@example((".F", A, "."), values(".", ""))
@example(("From me  \n  .\n\n", A, " \n.", A), values("", ""))
@example(("=" * 74 + "é" * 40,), values("", ""))
@example((A, B), values("x" * 75, "Fine."))
@example((A, " ", B, "a"), values("two\nlines", "tab\there \0"))
def test_quoted_printable_decodes_to_the_filled_text(line: Places, said: tuple[str, ...]) -> None:
    encoded = body(Quoted, line, said)
    check_lines(encoded)
    # The last line end belongs to the boundary behind it.
    assert quopri.decodestring(encoded[:-2]) == wanted(line, said)


@given(LINES, VALUES)
@example(("x" * 24, A, "y" * 25, B, "z" * 26), values("1", "22"))
@example(("x" * 24, A, "y" * 24, A, A), values("", ""))
@example(("x" * 25, A, "y" * 25, A), values("v" * 500, ""))
def test_base64_decodes_to_the_filled_text(line: Places, said: tuple[str, ...]) -> None:
    encoded = body(Base64, line, said)
    lines = encoded.removesuffix(b"\r\n").split(b"\r\n")
    assert all(0 < len(text) <= 76 for text in lines) or not wanted(line, said)
    assert all(b"=" not in text for text in lines[:-1])
    assert b64decode(encoded) == wanted(line, said)


@given(st.lists(st.tuples(LINES, st.just(BEHIND)), min_size=1, max_size=3), st.lists(VALUES, min_size=1, max_size=3))
def test_parts_made_together_and_used_again_are_as_each_alone(
    stretches: list[tuple[Places, bytes]], members: list[tuple[str, ...]]
) -> None:
    for kind in (Quoted, Base64):
        together = kind(*stretches)
        for said in members:
            alone = [b"".join(kind(stretch).encode(said)) for stretch in stretches]
            assert b"".join(together.encode(said)) == b"".join(alone)


@given(LINES, VALUES)
def test_the_encoded_text_is_a_fixed_point_of_relaxed_canonicalisation(line: Places, said: tuple[str, ...]) -> None:
    encoded = b"".join(encoding(line)((line, BEHIND)).encode(said))
    assert Relaxed.canonicalize_body(encoded) == encoded


@given(VALUE)
@example(".")
@example("From here")
@example("a  b")
@example("x" * 75)
@example("x" * 76)
@example("é" * 25)
@example("a ")
@example("\t\r\0 ")
@example("")
def test_a_value_is_quoted_like_any_text(value: str) -> None:
    assert quote_value(value) == quote(value)


def test_arabic_goes_as_base64_and_english_as_quoted_printable() -> None:
    assert encoding(("الحب ينتصر دائمًا " * 20,)).name == "base64"
    assert encoding(("Love always wins. " * 20,)).name == "quoted-printable"


def test_a_segment_ends_where_the_next_can_start() -> None:
    assert quote("words") == b"words=\r\n"
    assert quote("words\n") == b"words\r\n"
    assert quote("words", last=True) == b"words"


def wanted(line: Places, said: tuple[str, ...]) -> bytes:
    return fill(line, said).replace("\n", "\r\n").encode()
