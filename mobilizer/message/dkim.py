"""Message: DKIM (RFC 6376), relaxed/relaxed, rsa-sha256. The body must come canonical, as transfer.py makes it."""

from __future__ import annotations

import hashlib
import re
from binascii import b2a_base64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from mobilizer.message.headers import folded, wire_domain

# Signed once more than they occur, so that none can be added: RFC 6376, 8.15; the List headers as RFC 8058 asks.
OVERSIGNED = (
    "from", "to", "subject", "date", "reply-to", "list-unsubscribe", "list-unsubscribe-post", "list-id",
)  # fmt: skip
SIGNED = (*OVERSIGNED, "message-id", "mime-version", "content-type", "content-language", "feedback-id", "precedence")
SMALLEST_KEY = 1024  # bits; RFC 8301
BODY_HASH = "0" * 44  # stands where a body's hash goes

_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()
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

    @property
    def public(self) -> str:
        """The public half in base64, as its record has it behind `p=` (RFC 6376, 3.6.1)."""
        spki = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b2a_base64(spki, newline=False).decode()

    def sign(self, shared: tuple[bytes, ...], own: Sequence[bytes], body: bytes, at: int) -> bytes:
        """The DKIM-Signature header for these headers (each with its CRLF) and body; `at` in Unix seconds.

        `shared` are the headers that a blast's messages have in common: they are made canonical once.
        """
        fields = {**_shared_fields(shared), **_fields(own)}
        names = tuple([name for name in SIGNED if name in fields])
        header, canonical = _unsigned(self.domain, self.selector, names, at)
        stand_in, body_hash = BODY_HASH.encode(), b2a_base64(hashlib.sha256(body).digest(), newline=False)
        signed = [*[fields[name] for name in names], canonical.replace(stand_in, body_hash)]
        spelled = b2a_base64(self._key.sign(b"\r\n".join(signed), _PADDING, _HASH), newline=False)
        lines = [spelled[n : n + 72] for n in range(0, len(spelled), 72)]
        return b"\r\n ".join([header.replace(stand_in, body_hash), *lines]) + b"\r\n"


def relaxed(header: bytes) -> bytes:
    """A header in relaxed form (RFC 6376, 3.4.2), without a line end."""
    name, _, value = header.partition(b":")
    return name.strip().lower() + b":" + b" ".join(value.split())


def _fields(headers: Iterable[bytes]) -> Mapping[str, bytes]:
    """Headers in relaxed form by their names."""
    return {header.partition(b":")[0].lower().decode(): relaxed(header) for header in headers}


_shared_fields = lru_cache(maxsize=64)(_fields)


@lru_cache(maxsize=256)
def _unsigned(domain: str, selector: str, names: Sequence[str], at: int) -> tuple[bytes, bytes]:
    """The header up to where its signature goes, folded and in relaxed form, with a stand-in for the body's hash."""
    algorithm = ["v=1;", "a=rsa-sha256;", "c=relaxed/relaxed;", f"d={domain};", f"s={selector};"]
    first, *others, last = *names, *OVERSIGNED
    listed = [f"h={first}", *(f":{name}" for name in others), f":{last};"]
    parts = [*algorithm, f"t={at};", *listed, f"bh={BODY_HASH};", "b="]
    header = b"DKIM-Signature: " + folded(16, parts).encode("ascii")
    return header, relaxed(header)
