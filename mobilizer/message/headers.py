"""Message: headers, by our own hand. Text is encoded (RFC 2047), structure never is, and nothing can be injected.

Python's EmailMessage turns a long List-Unsubscribe into encoded words, which breaks one-click unsubscribe; here a
structured header folds between its parts only.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Sequence

import idna

from mobilizer.message.pieces import clean

LINE = 76
LONGEST = 998
WORD_BYTES = 45  # whose base64 makes an encoded word of 72

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_DOT_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LOCAL = re.compile(rf'{_DOT_ATOM}|"(?:[ !#-\[\]-~]|\\[ -~])+"')
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Za-z.:]+\]")
_STRUCTURED = re.compile(r"[!-~](?:[ -~]*[!-~])?")


class BadHeader(ValueError):
    """A value that can't stand in its header; the words of the value are not repeated."""


class Unaddressable(BadHeader):
    """An address that plain SMTP can't carry: not ASCII before the @ (that needs SMTPUTF8), or no address at all."""


def text_header(name: str, value: str) -> bytes:
    """An unstructured header (Subject): folded at blanks if it is ASCII, else in encoded words."""
    value = clean(value)
    if value.isascii() and "=?" not in value and max(map(len, value.split(" "))) <= 60:
        return _line(name, folded(len(name) + 2, value.split(" ")))
    return _line(name, _encoded(value, len(name) + 2))


def structured_header(name: str, *parts: str) -> bytes:
    """A header of ASCII parts, put on further lines where they don't fit on one. Raises BadHeader."""
    for part in parts:
        if not _STRUCTURED.fullmatch(part):
            raise BadHeader(f"{name}: not ASCII, or a control character, or blanks at an end")
    return _line(name, folded(len(name) + 2, parts))


def mailbox_header(name: str, display: str, address: str) -> bytes:
    """One mailbox (From, To, Reply-To): an optional name, then the address. Raises Unaddressable."""
    return wire_mailbox_header(name, display, wire_address(address))


def wire_mailbox_header(name: str, display: str, spec: str) -> bytes:
    """The same for an address as `wire_address` gives it."""
    display = clean(display)
    if not display:
        return _line(name, spec)
    shown = phrase(display, len(name) + 2)
    column = len(name) + 2 + len(shown) if "\r\n" not in shown else len(shown) - shown.rindex("\n") - 1
    separator = " " if column + len(spec) + 3 <= LINE else "\r\n "
    return _line(name, f"{shown}{separator}<{spec}>")


def phrase(words: str, offset: int = 0) -> str:
    """A display name: bare if it may be, quoted if it must be, in encoded words if it is not ASCII.

    ASCII is never encoded for its length alone: some parsers put a blank between the encoded words of a name.
    """
    longest = max(map(len, words.split(" "))) if len(words) > LONGEST - 100 else 0
    if not words.isascii() or "=?" in words or longest > LONGEST - 100:
        return _encoded(words, offset)
    if not _ATOMS.fullmatch(words):
        escaped = words.replace("\\", "\\\\").replace('"', '\\"')
        words = f'"{escaped}"'
    return words if offset + len(words) <= LINE else folded(offset, words.split(" "))


def wire_address(address: str) -> str:
    """An address as SMTP carries it: the domain in A-labels (IDNA 2008). Raises Unaddressable."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(address) > 254:
        raise Unaddressable("not an address that plain SMTP can carry")
    return f"{local}@{wire_domain(domain)}"


def wire_domain(domain: str) -> str:
    """A domain in A-labels (IDNA 2008). Raises Unaddressable."""
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            raise Unaddressable("not a domain name") from None
    if not _DOMAIN.fullmatch(domain):
        raise Unaddressable("not a domain name")
    return domain


def folded(offset: int, parts: Sequence[str]) -> str:
    """Parts with one blank between them, and a line break before it where the line would pass 76."""
    value, column = "", offset
    for part in parts:
        if value:
            fold = column + 1 + len(part) > LINE
            value += "\r\n " if fold else " "
            column = 1 if fold else column + 1
        value += part
        column += len(part)
    return value


def _encoded(value: str, offset: int) -> str:
    """Encoded words (RFC 2047) of at most 75 characters, cut between characters; the first line has `offset` taken."""
    words, taken, room = [], b"", (LINE - offset - len("=?utf-8?b??=")) // 4 * 3
    if len(whole := value.encode()) <= min(room, WORD_BYTES):
        return _word(whole)
    for character in value:
        spelled = character.encode()
        if len(taken) + len(spelled) > min(room, WORD_BYTES):
            words.append(_word(taken))
            taken, room = b"", WORD_BYTES
        taken += spelled
    return "\r\n ".join([*words, _word(taken)])


def _word(data: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(data, newline=False).decode()}?="


def _line(name: str, value: str) -> bytes:
    if len(value) > LONGEST and max(map(len, value.split("\r\n"))) > LONGEST:
        raise BadHeader(f"{name}: a line of more than {LONGEST} characters")
    return f"{name}: {value}\r\n".encode("ascii")
