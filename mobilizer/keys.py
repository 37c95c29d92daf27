"""Ground: secrets. Seals personal data, indexes it blindly, and signs the tokens that go into mails."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import struct
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
MAC_BYTES = 16
MACS_AT_ONCE = 4  # what a BLAKE2b of 64 bytes is divided into

_HEAD = struct.Struct(">BII")  # of a token: key id, member, blast


class Purpose(StrEnum):
    """What a token is good for; a token of one purpose never serves as another."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsub"
    PREFERENCES = "prefs"
    VIEW = "view"
    BOUNCE = "bounce"
    MESSAGE = "message"
    CONFIRM = "confirm"
    RECORD = "record"  # of all we know; its ticket's blast is the hour it was made in


_UNMAILED = (Purpose.CONFIRM, Purpose.RECORD)
MAILED = tuple(purpose for purpose in Purpose if purpose not in _UNMAILED)  # each has its token in every mail

_PLACES = {purpose: place for place, purpose in enumerate(Purpose)}  # of its MAC: a new purpose comes last
_MAILED_AT = [2 * MAC_BYTES * _PLACES[purpose] for purpose in MAILED]
_MAILED_GROUPS = -(-len(MAILED) // MACS_AT_ONCE)


class BadSeal(ValueError):
    """A sealed value was changed, moved to another row, or sealed with a key that is gone."""


class UnknownKey(BadSeal):
    """A value that was sealed with a key which this keyring does not hold: nothing is wrong with the value."""


class NoKeys(RuntimeError):
    """There is no `keys.json` where one must be."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who and what a token speaks of. `member` 0 is nobody (a proof); `blast` 0 is no blast."""

    member: int
    blast: int


class Keyring:
    """The installation's keys, by id; the highest id is current, older ones still open and verify."""

    def __init__(self, secrets_by_id: dict[int, bytes], index_secret: bytes) -> None:
        if not secrets_by_id or not all(0 < key_id < 256 for key_id in secrets_by_id):
            raise ValueError("a keyring needs at least one key, with an id from 1 to 255")
        self.current = max(secrets_by_id)
        self._ciphers = {i: AESGCM(_derive(s, b"seal", 32)) for i, s in secrets_by_id.items()}
        self._macs = {i: _macs(i, _derive(s, b"token", 32)) for i, s in secrets_by_id.items()}
        self._index = _derive(index_secret, b"index", 32)
        self.cookie_secret = _derive(secrets_by_id[self.current], b"cookie", 32)
        # By which a database knows its keys again, and which tell nothing of them; 0 is the blind index.
        self.prints = {i: _derive(s, b"print", 16) for i, s in {0: index_secret, **secrets_by_id}.items()}

    # -- sealed columns (AES-256-GCM, NIST SP 800-38D) -------------------------------------------

    def seal(self, plain: str, bound_to: bytes) -> bytes:
        """Encrypt `plain` for the one row that `bound_to` names: key id, 96-bit nonce, ciphertext and tag."""
        return self.seal_bytes(plain.encode(), bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> str:
        """Decrypt what `seal` made. Raises BadSeal if it was altered, moved, or its key is gone."""
        return self.open_bytes(sealed, bound_to).decode()

    def seal_bytes(self, plain: bytes, bound_to: bytes) -> bytes:
        """As `seal`, for bytes: a piece of an uploaded file."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = self._ciphers[self.current].encrypt(nonce, plain, bound_to)
        return bytes([self.current]) + nonce + sealed

    def open_bytes(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Decrypt what `seal_bytes` made. Raises BadSeal if it was altered, moved, or its key is gone."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise UnknownKey("sealed with a key this keyring does not hold")
        try:
            return cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], bound_to)
        except InvalidTag:
            raise BadSeal("altered, or moved from another row") from None

    # -- blind index -------------------------------------------------------------------------------

    def address_key(self, address: str) -> bytes:
        """A 16-byte keyed hash of a normalised address: finds a row, tells nothing."""
        return hmac.digest(self._index, b"address\0" + address.encode(), "sha256")[:16]

    def domain_key(self, domain: str) -> bytes:
        """A 16-byte keyed hash of a mail domain."""
        return hmac.digest(self._index, b"domain\0" + domain.encode(), "sha256")[:16]

    # -- tokens --------------------------------------------------------------------------------------

    def token(self, purpose: Purpose, ticket: Ticket) -> str:
        """A token of 50 lower-case hexadecimal digits: key id, ticket, 128 bits of keyed BLAKE2b (RFC 7693)."""
        head = _HEAD.pack(self.current, ticket.member, ticket.blast)
        return head.hex() + self._mac(head, purpose).hex()

    def mail_tokens(self, ticket: Ticket) -> list[str]:
        """All tokens of a mail, in the order of MAILED."""
        head = _HEAD.pack(self.current, ticket.member, ticket.blast)
        begin = head.hex()
        signed = "".join([_signed(mac, head).hex() for mac in self._macs[self.current][:_MAILED_GROUPS]])
        return [begin + signed[at : at + 2 * MAC_BYTES] for at in _MAILED_AT]

    def read_token(self, purpose: Purpose, token: str) -> Ticket | None:
        """The ticket of a token that this keyring signed for this purpose, else None."""
        try:
            raw = bytes.fromhex(token)
        except ValueError:
            return None
        head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
        # Only the one spelling we write is a token.
        if len(mac) != MAC_BYTES or head[0] not in self._macs or raw.hex() != token:
            return None
        if not hmac.compare_digest(mac, self._mac(head, purpose)):
            return None
        _, member, blast = _HEAD.unpack(head)
        return Ticket(member, blast)

    def _mac(self, head: bytes, purpose: Purpose) -> bytes:
        group, place = divmod(_PLACES[purpose], MACS_AT_ONCE)
        signed = _signed(self._macs[head[0]][group], head)
        return signed[place * MAC_BYTES :][:MAC_BYTES]


def load_keyring(home: Path, *, make: bool = True) -> Keyring:
    """The keyring of a home folder, made at first use (mode 0600). Losing `keys.json` loses every address.

    Raises NoKeys where there is none and it must not be made.
    """
    path = home / "keys.json"
    if not path.exists():
        if not make:
            raise NoKeys(f"{path} is missing: bring the keys of this installation here, no others open its database.")
        home.mkdir(parents=True, exist_ok=True)
        fresh = {"keys": {"1": secrets.token_hex(32)}, "index": secrets.token_hex(32)}
        temporary = home / f".keys-{os.getpid()}.json"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(fresh, file)
        try:
            # A hard link fails if another process was first: its keys stay.
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    kept = json.loads(path.read_text())
    keys = {int(key_id): bytes.fromhex(secret) for key_id, secret in kept["keys"].items()}
    return Keyring(keys, bytes.fromhex(kept["index"]))


def share_code() -> str:
    """A fresh share code: 10 characters that nobody mixes up when reading aloud (49 bits)."""
    return "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(10))


def _derive(secret: bytes, label: bytes, size: int) -> bytes:
    return hashlib.blake2b(label, key=secret, digest_size=size).digest()


def _macs(key_id: int, key: bytes) -> list[hashlib.blake2b]:
    """For each group of purposes a hash that has read the key and a token's first byte, to be copied for each token."""
    first, size = bytes([key_id]), MACS_AT_ONCE * MAC_BYTES
    return [
        hashlib.blake2b(first, digest_size=size, key=key, person=b"%d" % group)
        for group in range(0, len(Purpose), MACS_AT_ONCE)
    ]


def _signed(mac: hashlib.blake2b, head: bytes) -> bytes:
    """The MACs of a group of purposes, one behind the other."""
    own = mac.copy()
    own.update(head[1:])
    return own.digest()
