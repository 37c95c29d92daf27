"""What Python's own parser reads back from our headers is what went in, whatever went in."""

from __future__ import annotations

from email import message_from_bytes
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.policy import default
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mobilizer.message.headers import (
    BadHeader,
    Unaddressable,
    folded,
    mailbox_header,
    phrase,
    structured_header,
    text_header,
    wire_address,
)
from mobilizer.message.pieces import clean

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def parsed(*headers: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(b"".join(headers) + b"\r\n", policy=default))


def lines_of(header: bytes) -> list[bytes]:
    assert header.endswith(b"\r\n")
    return header[:-2].split(b"\r\n")


@given(WORDS)
@example("")
@example("=?utf-8?q?not_encoded?=")
@example("a" * 998)
@example("Two words " * 40)
@example("حب ينتصر دائمًا " * 12)
@example("😀👩🏽‍🚀" * 40)
@example("Hello\r\nBcc: everyone@example.org")
def test_a_subject_is_read_back_as_it_was_written(subject: str) -> None:
    header = text_header("Subject", subject)
    assert all(len(line) <= 76 and line.isascii() for line in lines_of(header))
    assert all(line.startswith(b" ") for line in lines_of(header)[1:])
    message = parsed(header)
    assert message.keys() == ["Subject"]
    assert message["Subject"] == clean(subject)


@given(WORDS)
@example('Ana "the light" Müller')
@example('"; <b>bold</b>, (comment) @ home')
@example("x\r\nBcc: everyone@example.org\r\n\r\nbody\0")
@example("back\\slash \\")
@example("أمل حسن")
@example("O'Neil, Zoë <zoe@example.org>")
@example("n" * 200)
@example("ن" * 200)
def test_a_name_is_read_back_as_it_was_written_and_adds_no_header(name: str) -> None:
    header = mailbox_header("To", name, "ana@example.net")
    longest = max(map(len, clean(name).split(" "))) if name.isascii() else 0
    assert all(len(line) <= max(76, 2 * longest + 8) and line.isascii() for line in lines_of(header))
    message = parsed(header, b"X-After: here\r\n")
    assert message.keys() == ["To", "X-After"]
    (address,) = cast(AddressHeader, message["To"]).addresses
    assert address.addr_spec == "ana@example.net"
    if header.count(b"=?utf-8?") > 1:
        # Python 3.11's address parser puts a blank between encoded words (RFC 2047, 6.2, says it must not).
        raw = header.decode().removeprefix("To: ").removesuffix("<ana@example.net>\r\n")
        assert str(make_header(decode_header(raw))).rstrip() == clean(name)
    else:
        assert address.display_name == clean(name)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_an_ascii_name_that_fits_on_the_line_stays_readable(name: str) -> None:
    shown = phrase(clean(name))
    assert shown.startswith("=?") == ("=?" in clean(name))


@given(WORDS)
@example("ok\r\nBcc: everyone@example.org")
@example("tab\there")
@example(" blank at an end ")
@example("ünicode")
def test_a_structured_header_takes_visible_ascii_and_nothing_else(value: str) -> None:
    try:
        header = structured_header("X-Part", value)
    except BadHeader:
        assert not (value.isascii() and value.isprintable() and value == value.strip() and 0 < len(value) < 900)
    else:
        assert header == f"X-Part: {value}\r\n".encode()


@given(st.lists(st.text("abcdef", min_size=1, max_size=70), min_size=1, max_size=12))
def test_folding_breaks_lines_between_parts_only_and_unfolds_to_the_same(parts: list[str]) -> None:
    value = folded(20, parts)
    assert value.replace("\r\n", "") == " ".join(parts)
    assert all(len(line) <= 76 for line in value.split("\r\n"))


def test_an_international_domain_goes_as_a_labels() -> None:
    assert wire_address("ana@münchen.example") == "ana@xn--mnchen-3ya.example"
    assert wire_address("ana@faß.example") == "ana@xn--fa-hia.example"
    assert (
        parsed(mailbox_header("To", "Ana", "ana@bücher.example"))["To"].addresses[0].domain == "xn--bcher-kva.example"
    )


@pytest.mark.parametrize(
    "address",
    ["añil@example.org", "ana", "@example.org", "ana@", "a b@example.org", "ana@exa mple.org", "ana@-x.example",
     "ana@example.org\r\nBcc: x@example.org", "<ana@example.org>", "ana@example.org, eve@example.org",
     "ana@" + "x" * 260 + ".org"],
)  # fmt: skip
def test_what_plain_smtp_cannot_carry_is_refused(address: str) -> None:
    with pytest.raises(Unaddressable):
        mailbox_header("To", "Ana", address)


def test_the_refusal_does_not_repeat_the_address() -> None:
    with pytest.raises(Unaddressable) as refusal:
        wire_address("añil@example.org")
    assert "example.org" not in str(refusal.value)
