"""Message: a mail that asks to unsubscribe, told from answers that nobody wrote.  (pure)"""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesHeaderParser

LONGEST = 256_000  # bytes of a mail that are looked at: its header is in them
_TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{50}(?![0-9a-f])")
_ADDRESSED = re.compile(r"\bu\+([0-9a-f]{50})@", re.IGNORECASE)
_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To", "Cc")


def token_to_leave(raw: bytes, recipient: str = "", sender: str | None = None) -> str | None:
    """The token of whoever asks to be taken off everything, as yet unread; None where no person does.

    It is in the address the mail came to (as List-Unsubscribe gives it), else in its subject. `recipient` and `sender`
    are those of its envelope, where they are known. Bounces (RFC 5321, 4.5.5) and automatic answers (RFC 3834) ask for
    nothing; a mail program that makes the mail for somebody ("auto-generated") does.
    """
    header = BytesHeaderParser().parsebytes(raw[:LONGEST])
    if _is_bounce(header, sender) or _is_automatic_answer(header):
        return None
    came_to = [recipient, *(str(value) for name in _TO for value in header.get_all(name, []))]
    found = next((match[1] for one in came_to if (match := _ADDRESSED.search(one))), None)
    in_subject = _TOKEN.search(str(header.get("Subject", "")).lower())
    return (found or (in_subject[0] if in_subject else "")).lower() or None


def _is_bounce(header: Message, sender: str | None) -> bool:
    """Whether a mail server wrote it: no return path, or a report (RFC 6522)."""
    path = sender if sender is not None else str(header.get("Return-Path", "?")).strip(" <>")
    return path.lower().partition("@")[0] in ("", "mailer-daemon") or header.get_content_type() == "multipart/report"


def _is_automatic_answer(header: Message) -> bool:
    said = str(header.get("Auto-Submitted", "no")).lower()
    old = str(header.get("Precedence", "")).lower() in ("auto_reply", "bulk", "junk", "list")
    return said.startswith(("auto-replied", "auto-notified")) or old or "X-Autoreply" in header or "List-Id" in header
