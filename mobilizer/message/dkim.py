"""Message: DKIM (RFC 6376), relaxed/relaxed, rsa-sha256. The body must come canonical, as transfer.py makes it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mobilizer.message.headers import folded, wire_domain

# Signed once more than they occur, so that none can be added: RFC 6376, 8.15; the List headers as RFC 8058 asks.
OVERSIGNED = (
    "from", "to", "subject", "date", "reply-to", "list-unsubscribe", "list-unsubscribe-post", "list-id",
)  # fmt: skip
SIGNED = (*OVERSIGNED, "message-id", "mime-version", "content-type", "content-language", "feedback-id", "precedence")
SMALLEST_KEY = 1024  # bits; RFC 8301

_BLANKS = re.compile(rb"[ \t\r\n]+")
_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")


class BadSigningKey(ValueError):
    """Not a PEM private key that can sign mail."""


class Signer:
    """Signs for a domain with the private key whose public half is at `<selector>._domainkey.<domain>`.

    Raises BadSigningKey.
    """

    def __init__(self, domain: str, selector: str, pem: bytes) -> None:
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadSigningKey("a DKIM key is an RSA private key in PEM, without a password") from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < SMALLEST_KEY:
            raise BadSigningKey(f"a DKIM key is an RSA key of {SMALLEST_KEY} bits or more; 2048 is usual")
        if not _SELECTOR.fullmatch(selector):
            raise BadSigningKey("a DKIM selector is made of letters, digits, dots and dashes")
        self._key = key
        self.domain = wire_domain(domain).lower()
        self.selector = selector

    def sign(self, headers: Sequence[bytes], body: bytes, at: int) -> bytes:
        """The DKIM-Signature header for these headers (each with its CRLF) and body; `at` in Unix seconds."""
        fields = {header.partition(b":")[0].lower().decode(): header for header in headers}
        names = [name for name in SIGNED if name in fields]
        unsigned = self._header([*names, *OVERSIGNED], body, at)
        signed = b"".join(relaxed(fields[name]) + b"\r\n" for name in names) + relaxed(unsigned)
        signature = self._key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        spelled = base64.b64encode(signature)
        lines = b"\r\n ".join([spelled[n : n + 72] for n in range(0, len(spelled), 72)])
        return unsigned + b"\r\n " + lines + b"\r\n"

    def _header(self, names: Sequence[str], body: bytes, at: int) -> bytes:
        body_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
        algorithm = ["v=1;", "a=rsa-sha256;", "c=relaxed/relaxed;", f"d={self.domain};", f"s={self.selector};"]
        listed = [f"h={names[0]}", *(f":{name}" for name in names[1:-1]), f":{names[-1]};"]
        parts = [*algorithm, f"t={at};", *listed, f"bh={body_hash};", "b="]
        return b"DKIM-Signature: " + folded(16, parts).encode("ascii")


def relaxed(header: bytes) -> bytes:
    """A header in relaxed form (RFC 6376, 3.4.2), without a line end."""
    name, _, value = header.partition(b":")
    return name.strip().lower() + b":" + _BLANKS.sub(b" ", value).strip(b" ")
