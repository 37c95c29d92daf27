"""Message: one member's mail. Values into slots, one join, then the signature: no template runs here.

`compose` gives the bytes for the relay; the others say what a person sees, for previews and the view in the browser.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from datetime import datetime, tzinfo
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from mobilizer.message.content import TOKEN_WIDTH, Recipient, Tokens
from mobilizer.message.dkim import Signer
from mobilizer.message.headers import (
    BadHeader,
    mailbox_header,
    phrase,
    structured_header,
    text_header,
    wire_address,
    wire_domain,
    wire_mailbox_header,
)
from mobilizer.message.pieces import Line, Places, clean, fill, placed
from mobilizer.message.rendition import Rendition
from mobilizer.message.transfer import TOKENS, Encoding, alternatives
from mobilizer.message.values import Voice, with_pixel, without_pixel
from mobilizer.tracking import Tracking

_STAND_IN = b"0" * TOKEN_WIDTH
_ALL_TOKENS = TOKEN_WIDTH * TOKENS
_IN_TOKENS = (string.ascii_lowercase + string.digits).encode()
_SLUG = re.compile(r"[^a-z0-9-]+")


class Mail(NamedTuple):
    """What goes to the relay: the addresses of MAIL FROM and RCPT TO, and the exact bytes of the message."""

    sender: str
    recipient: str
    content: bytes


def mail(rendition: Rendition, recipient: Recipient, date: datetime, signer: Signer | None) -> Mail:
    """One member's mail: ASCII, CRLF, no line that starts with a dot, without the dot at the end.

    The same for the same arguments; `date` becomes the Date header. Raises headers.BadHeader.
    """
    plan = _plan(rendition)
    values = plan.voice.say(recipient)
    tokens, address = _checked(recipient.tokens), wire_address(recipient.address)
    own = [
        *([text_header("Subject", fill(plan.subject, values))] if plan.subject else ()),
        wire_mailbox_header("To", recipient.name, address),
        _date(date, date.tzinfo),
        tokens.message.encode().join(plan.message_id),
        tokens.unsubscribe.encode().join(plan.unsubscribe),
        plan.list_id or _list_id(recipient.list_name, recipient.list_slug, plan.return_domain),
    ]
    lines = [plan.opening]
    for part in plan.parts:
        lines += part.encode(values)
    headers = [*plan.headers, *own, b"\r\n"]
    if signer:
        lines = [b"".join(lines)]
        headers.insert(0, signer.sign(plan.headers, own, lines[0], int(date.timestamp())))
    return Mail(f"b+{tokens.bounce}@{plan.return_domain}", address, b"".join(headers + lines))


def compose(rendition: Rendition, recipient: Recipient, date: datetime, signer: Signer | None) -> bytes:
    """The exact bytes of one member's mail."""
    return mail(rendition, recipient, date, signer).content


def return_path(rendition: Rendition, recipient: Recipient) -> str:
    """The address of MAIL FROM: what bounces comes back with its token (VERP)."""
    return f"b+{_checked(recipient.tokens).bounce}@{wire_domain(rendition.return_domain)}"


def envelope_recipient(recipient: Recipient) -> str:
    """The address of RCPT TO, its domain in A-labels. Raises headers.Unaddressable: it would need SMTPUTF8."""
    return wire_address(recipient.address)


def html_of(rendition: Rendition, recipient: Recipient, *, pixel: bool = True) -> str:
    """The HTML part as a mail program shows it; without the open pixel where looking must not count."""
    return _filled(rendition, with_pixel(rendition) if pixel else without_pixel(rendition), recipient)


def text_of(rendition: Rendition, recipient: Recipient) -> str:
    """The plain-text part."""
    return _filled(rendition, rendition.text, recipient)


def subject_of(rendition: Rendition, recipient: Recipient) -> str:
    """The subject line."""
    return clean(_filled(rendition, rendition.subject, recipient))


def preheader_of(rendition: Rendition, recipient: Recipient) -> str:
    """The words that an inbox shows behind the subject."""
    return clean(_filled(rendition, rendition.preheader, recipient))


def _filled(rendition: Rendition, line: Line, recipient: Recipient) -> str:
    voice = Voice(rendition, line)
    return fill(placed(line, voice.slots), voice.say(recipient))


@dataclass(frozen=True, slots=True)
class _Plan:
    """All of a rendition that is the same in each of its messages, encoded, and where the rest goes.

    `subject` is empty if it is the same for all and among the `headers`; `message_id` and `unsubscribe` are folded, and
    lack the token between their pieces. `list_id` is empty if each list has its own.
    """

    voice: Voice
    headers: tuple[bytes, ...]
    subject: Places
    message_id: list[bytes]
    unsubscribe: list[bytes]
    list_id: bytes
    return_domain: str
    opening: bytes
    parts: tuple[Encoding, ...]


@lru_cache(maxsize=64)
def _plan(rendition: Rendition) -> _Plan:
    # No encoded line can hold “=_”: quoted-printable writes “=” as “=3D”, base64 has no “_”.
    boundary = f"=_{rendition.content_hash}"
    picture, domain = with_pixel(rendition), wire_domain(rendition.return_domain)
    voice = Voice(rendition, rendition.text, picture, rendition.subject)
    subject = placed(rendition.subject, voice.slots) if _has_slots(rendition.subject) else ()
    fixed = () if subject else (text_header("Subject", "".join(map(str, rendition.subject))),)
    opening, parts = alternatives(boundary, placed(rendition.text, voice.slots), placed(picture, voice.slots))
    return _Plan(
        voice=voice,
        headers=(*_common_headers(rendition, boundary), *fixed),
        subject=subject,
        message_id=structured_header("Message-ID", f"<{_STAND_IN.decode()}@{domain}>").split(_STAND_IN),
        unsubscribe=_ways_to_leave(rendition, domain).split(_STAND_IN),
        list_id=_list_id("", "news", domain) if _is_alike(rendition) else b"",
        return_domain=domain,
        opening=opening,
        parts=parts,
    )


def _is_alike(rendition: Rendition) -> bool:
    """Whether nothing in it may tell of the list that somebody is on."""
    return rendition.discreet or rendition.tracking is Tracking.OFF


def _ways_to_leave(rendition: Rendition, domain: str) -> bytes:
    web, post = f"<{rendition.base_url}/u/{_STAND_IN.decode()}>", f"<mailto:u+{_STAND_IN.decode()}@{domain}>"
    return structured_header("List-Unsubscribe", *((f"{web},", post) if rendition.leave_by_mail else (web,)))


def _checked(tokens: Tokens) -> Tokens:
    """Tokens as they may stand in headers and need no quoting anywhere. Raises BadHeader."""
    spelled = "".join(tokens).encode()
    if len(spelled) != _ALL_TOKENS or spelled.translate(None, _IN_TOKENS):
        raise BadHeader("not a token")
    return tokens


def _has_slots(line: Line) -> bool:
    return any(not isinstance(piece, str) for piece in line)


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


@lru_cache(maxsize=64)
def _date(date: datetime, _zone: tzinfo | None) -> bytes:
    # The zone is named for the cache: the same moment is equal in another, and spelled differently.
    return structured_header("Date", format_datetime(date))


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
    # A discreet one does not even say that it hides something.
    template = "mail" if rendition.discreet else rendition.template
    words = (rendition.blast_slug, rendition.language, template)
    return ":".join([*(_SLUG.sub("-", word.lower()) for word in words), sender.ljust(5, "0")])
