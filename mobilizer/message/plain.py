"""Message: a plain mail to one person. Text, and perhaps the same in HTML, in the headers and encodings of blasts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from mobilizer.message.dkim import Signer
from mobilizer.message.headers import mailbox_header, structured_header, text_header
from mobilizer.message.transfer import alternatives, encoded


@dataclass(frozen=True, slots=True)
class PlainMail:
    """Who writes what to whom. `message_id` is the whole one, without its angle brackets.

    Without `html` it is text alone. `unsubscribe` is the address of a one-click unsubscribe (RFC 8058), empty in a
    letter that was asked for.
    """

    sender_name: str
    sender_address: str
    name: str
    address: str
    subject: str
    text: str
    language: str
    message_id: str
    unsubscribe: str = ""
    html: str = ""


def plain(mail: PlainMail, date: datetime, signer: Signer | None) -> bytes:
    """The exact bytes of the mail, as `compose.compose` gives those of a member's. Raises headers.Unaddressable.

    Marked as written by a program (RFC 3834), so that nobody's absence note comes back.
    """
    kind, body = _content(mail)
    headers = [
        mailbox_header("From", mail.sender_name, mail.sender_address),
        mailbox_header("To", mail.name, mail.address),
        text_header("Subject", mail.subject),
        structured_header("Date", format_datetime(date)),
        structured_header("Message-ID", f"<{mail.message_id}>"),
        structured_header("MIME-Version", "1.0"),
        *kind,
        structured_header("Content-Language", mail.language),
        structured_header("Auto-Submitted", "auto-generated"),
        structured_header("X-Auto-Response-Suppress", "All"),
    ]
    if mail.unsubscribe:
        headers += [
            structured_header("List-Unsubscribe", f"<{mail.unsubscribe}>"),
            structured_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]
    if signer:
        headers.insert(0, signer.sign((), headers, body, int(date.timestamp())))
    return b"".join([*headers, b"\r\n", body])


def _content(mail: PlainMail) -> tuple[list[bytes], bytes]:
    """The headers that say what the body is, and the body."""
    if not mail.html:
        encoding, body = encoded(mail.text)
        said = structured_header("Content-Type", "text/plain;", "charset=utf-8")
        return [said, structured_header("Content-Transfer-Encoding", encoding)], body
    # No encoded line can hold “=_”, as in compose.py.
    boundary = f"=_{hashlib.blake2b(mail.html.encode(), digest_size=16).hexdigest()}"
    opening, parts = alternatives(boundary, (mail.text,), (mail.html,))
    body = b"".join([opening, *(line for part in parts for line in part.encode(()))])
    return [structured_header("Content-Type", "multipart/alternative;", f'boundary="{boundary}"')], body
