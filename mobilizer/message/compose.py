"""Message: one member's mail. Values into slots, one join, then the signature: no template runs here.

`compose` gives the bytes for the relay; the others say what a person sees, for previews and the view in the browser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from mobilizer.message.content import Recipient
from mobilizer.message.dkim import Signer
from mobilizer.message.headers import mailbox_header, phrase, structured_header, text_header, wire_address, wire_domain
from mobilizer.message.pieces import Line, clean, fill
from mobilizer.message.rendition import Rendition
from mobilizer.message.transfer import Part, part
from mobilizer.message.values import values_for

_SLUG = re.compile(r"[^a-z0-9-]+")


def compose(rendition: Rendition, recipient: Recipient, date: datetime, signer: Signer | None) -> bytes:
    """The exact bytes of the message: ASCII, CRLF, no line that starts with a dot, without the dot at the end.

    The same for the same arguments; `date` becomes the Date header. Raises headers.Unaddressable.
    """
    plan = _plan(rendition)
    value_of = values_for(rendition, recipient)
    lines = [plan.opening]
    lines += plan.text.encode(value_of)
    lines.append(plan.between)
    lines += plan.html.encode(value_of)
    lines.append(plan.closing)
    body = b"".join(lines)
    subject = plan.subject or text_header("Subject", fill(rendition.subject, value_of))
    headers = [*plan.headers, subject, *_own_headers(plan, rendition, recipient, date)]
    if signer:
        headers.insert(0, signer.sign(headers, body, int(date.timestamp())))
    return b"".join([*headers, b"\r\n", body])


def return_path(rendition: Rendition, recipient: Recipient) -> str:
    """The address of MAIL FROM: what bounces comes back with its token (VERP)."""
    return f"b+{recipient.tokens.bounce}@{wire_domain(rendition.return_domain)}"


def envelope_recipient(recipient: Recipient) -> str:
    """The address of RCPT TO, its domain in A-labels. Raises headers.Unaddressable: it would need SMTPUTF8."""
    return wire_address(recipient.address)


def html_of(rendition: Rendition, recipient: Recipient, *, pixel: bool = True) -> str:
    """The HTML part as a mail program shows it; without the open pixel where looking must not count."""
    return fill(rendition.html, values_for(rendition, recipient, pixel=pixel))


def text_of(rendition: Rendition, recipient: Recipient) -> str:
    """The plain-text part."""
    return fill(rendition.text, values_for(rendition, recipient))


def subject_of(rendition: Rendition, recipient: Recipient) -> str:
    """The subject line."""
    return clean(fill(rendition.subject, values_for(rendition, recipient)))


def preheader_of(rendition: Rendition, recipient: Recipient) -> str:
    """The words that an inbox shows behind the subject."""
    return clean(fill(rendition.preheader, values_for(rendition, recipient)))


@dataclass(frozen=True, slots=True)
class _Plan:
    """All of a rendition that is the same in each of its messages, encoded. `subject` is empty if it has slots."""

    headers: tuple[bytes, ...]
    subject: bytes
    return_domain: str
    opening: bytes
    text: Part
    between: bytes
    html: Part
    closing: bytes


@lru_cache(maxsize=64)
def _plan(rendition: Rendition) -> _Plan:
    # No encoded line can hold “=_”: quoted-printable writes “=” as “=3D”, base64 has no “_”.
    boundary = f"=_{rendition.content_hash}"
    text, html = part(rendition.text), part(rendition.html)
    return _Plan(
        headers=_common_headers(rendition, boundary),
        subject=b"" if _has_slots(rendition.subject) else text_header("Subject", "".join(map(str, rendition.subject))),
        return_domain=wire_domain(rendition.return_domain),
        opening=_part_head(boundary, "plain", text.name, start=b""),
        text=text,
        between=_part_head(boundary, "html", html.name, start=b""),
        html=html,
        closing=f"--{boundary}--\r\n".encode(),
    )


def _has_slots(line: Line) -> bool:
    return any(not isinstance(piece, str) for piece in line)


def _part_head(boundary: str, kind: str, encoding: str, start: bytes) -> bytes:
    lines = [f"--{boundary}", f"Content-Type: text/{kind}; charset=utf-8", f"Content-Transfer-Encoding: {encoding}", ""]
    return start + "".join(f"{line}\r\n" for line in lines).encode("ascii")


def _common_headers(rendition: Rendition, boundary: str) -> tuple[bytes, ...]:
    reply_to = [mailbox_header("Reply-To", "", rendition.reply_to)] if rendition.reply_to else []
    return (
        mailbox_header("From", rendition.sender_name, rendition.sender_address),
        *reply_to,
        structured_header("MIME-Version", "1.0"),
        structured_header("Content-Type", "multipart/alternative;", f'boundary="{boundary}"'),
        structured_header("Content-Language", rendition.language),
        structured_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        structured_header("Feedback-ID", _feedback_id(rendition)),
        structured_header("Precedence", "bulk"),
        structured_header("X-Auto-Response-Suppress", "OOF,", "AutoReply"),
    )


def _own_headers(plan: _Plan, rendition: Rendition, recipient: Recipient, date: datetime) -> list[bytes]:
    tokens, domain = recipient.tokens, plan.return_domain
    return [
        mailbox_header("To", recipient.name, recipient.address),
        structured_header("Date", format_datetime(date)),
        structured_header("Message-ID", f"<{tokens.message}@{domain}>"),
        structured_header(
            "List-Unsubscribe",
            f"<{rendition.base_url}/u/{tokens.unsubscribe}>,",
            f"<mailto:u+{tokens.unsubscribe}@{domain}>",
        ),
        _list_id(recipient.list_name, recipient.list_slug, domain),
    ]


@lru_cache(maxsize=256)
def _list_id(name: str, slug: str, domain: str) -> bytes:
    """RFC 2919: the list's name for people, then its lasting identifier."""
    shown = phrase(clean(name), len("List-Id: ")) if clean(name) else ""
    identifier = f"<{_SLUG.sub('-', slug.lower()).strip('-') or 'list'}.{domain}>"
    return (
        structured_header("List-Id", *shown.split("\r\n "), identifier)
        if shown
        else structured_header("List-Id", identifier)
    )


def _feedback_id(rendition: Rendition) -> str:
    """Blast, language, template, sender: what Gmail's complaint figures are grouped by. Nothing of the member."""
    sender = re.sub(r"[^a-z0-9]", "", wire_address(rendition.sender_address).rpartition("@")[2].lower())[:15]
    words = (rendition.blast_slug, rendition.language, rendition.template)
    return ":".join([*(_SLUG.sub("-", word.lower()) for word in words), sender.ljust(5, "0")])
