"""A plain mail to one of our own people: readable, signed, and marked as written by a program."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest

from mobilizer.message.headers import Unaddressable
from mobilizer.message.plain import PlainMail, plain
from tests.message.samples import WHEN
from tests.message.test_dkim import SIGNER, verifies

TEXT = "نص طويل بعض الشيء: 100 % = حسنا \n\n.dot\nFrom here\n"


def mail(address: str = "ada@example.org") -> PlainMail:
    return PlainMail(
        "Us & Co", "us@lights.example.org", "Ada", address, "سلام\r\nBcc: all@example.org", TEXT, "ar", "n1@x.org"
    )


def test_it_reads_as_it_was_written_and_is_signed() -> None:
    content = plain(mail(), WHEN, SIGNER)
    read = message_from_bytes(content, policy=default)
    assert read.get_content().replace("\r\n", "\n") == TEXT
    assert read["Subject"] == "سلام Bcc: all@example.org"
    assert read["Bcc"] is None
    assert (read["Auto-Submitted"], read["Content-Language"]) == ("auto-generated", "ar")
    assert verifies(content)


def test_its_lines_are_what_smtp_carries() -> None:
    lines = plain(mail(), WHEN, None).split(b"\r\n")
    assert all(line.isascii() and len(line) <= 78 and b"\n" not in line for line in lines)
    assert not any(line.startswith(b".") for line in lines)


def test_an_address_that_plain_smtp_cannot_carry_is_refused() -> None:
    with pytest.raises(Unaddressable):
        plain(mail("адам@example.org"), WHEN, None)
