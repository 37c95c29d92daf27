"""A mail that asks to unsubscribe is told from bounces and from answers that nobody wrote."""

from __future__ import annotations

import pytest

from mobilizer.message.leaving import token_to_leave

TOKEN = "0123456789abcdef0123456789abcdef0123456789abcdef01"
OTHER = TOKEN[::-1]


def mail(*lines: str, to: str = f"<u+{TOKEN}@bounce.example.org>", subject: str = "unsubscribe") -> bytes:
    head = ["From: Ana <ana@example.org>", f"To: {to}", f"Subject: {subject}", *lines]
    return "\r\n".join([*head, "", f"u+{OTHER}@bounce.example.org", ""]).encode()


@pytest.mark.parametrize(
    ("raw", "recipient", "token"),
    [
        (mail(), "", TOKEN),
        (mail(to=f"U+{TOKEN.upper()}@Bounce.Example.ORG"), "", TOKEN),
        (mail(to="desk@example.org", subject=f"Unsubscribe {TOKEN}"), "", TOKEN),
        (mail(to="undisclosed-recipients:;"), f"u+{OTHER}@bounce.example.org", OTHER),
        (mail("Auto-Submitted: auto-generated"), "", TOKEN),  # a mail program, for somebody who pressed its button
        (mail(to="desk@example.org"), "", None),
        (mail(to="desk@example.org", subject=TOKEN + "0"), "", None),
        (mail(to=f"u+{TOKEN[:-1]}@bounce.example.org"), "", None),
        (b"", "", None),
        (b"\xff\x00 no mail at all" * 20_000, "", None),
    ],
)
def test_the_token_is_in_the_address_or_the_subject(raw: bytes, recipient: str, token: str | None) -> None:
    assert token_to_leave(raw, recipient) == token


@pytest.mark.parametrize(
    "line",
    [
        "Auto-Submitted: auto-replied (vacation)",
        "Auto-Submitted: auto-notified",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "Return-Path: <>",
        "Return-Path: <MAILER-DAEMON@example.org>",
        "List-Id: <news.example.org>",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
    ],
)
def test_who_nobody_wrote_for_asks_for_nothing(line: str) -> None:
    assert token_to_leave(mail(line)) is None


def test_the_envelope_tells_a_bounce() -> None:
    assert token_to_leave(mail(), sender="") is None
    assert token_to_leave(mail(), sender="MAILER-DAEMON") is None
    assert token_to_leave(mail(), sender="ana@example.org") == TOKEN
