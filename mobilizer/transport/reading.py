"""Transport: a raw message as a person reads it. Whatever came in, something readable comes out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message

_LANG = re.compile(r"<html\b[^>]*?\slang=[\"']?([A-Za-z0-9-]{2,35})", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_FOLD = re.compile(r"\r?\n[ \t]*")


@dataclass(frozen=True, slots=True)
class Reading:
    """`html` and `text` are '' where the message has no such part; `language` is '' where it names none."""

    subject: str
    language: str
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]


def read(raw: bytes) -> Reading:
    """All of a message: headers decoded and unfolded, the first part of each kind as text."""
    message = message_from_bytes(raw)
    return Reading(
        subject_of(message),
        language_of(message),
        _part(message, "text/html"),
        _part(message, "text/plain"),
        tuple((name, _decoded(str(value))) for name, value in message.items()),
    )


def subject_of(message: Message) -> str:
    """The subject in plain characters; '' without one."""
    return _decoded(str(message.get("Subject", "")))


def language_of(message: Message) -> str:
    """The language the message says it is in: Content-Language (RFC 3282), else its HTML's `lang`; '' for none."""
    said = str(message.get("Content-Language", "")).partition(",")[0].strip()
    if _TAG.fullmatch(said):
        return said
    found = _LANG.search(_part(message, "text/html"))
    return found[1] if found else ""


def _decoded(value: str) -> str:
    value = _FOLD.sub(" ", value)
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, ValueError, MessageError):
        return value


def _part(message: Message, kind: str) -> str:
    return next((_text(part) for part in _leaves(message) if part.get_content_type() == kind), "")


def _leaves(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if not part.is_multipart())


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")
