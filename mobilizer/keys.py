"""Ground: secrets. Seals personal data, indexes it blindly, and signs the tokens that go into mails."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MAC_BYTES = 16
NUMBER_BYTES = 6
TOKEN_BYTES = 1 + 2 * NUMBER_BYTES + MAC_BYTES
NONCE_BYTES = 12

_LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8  # of a byte's last five bits


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


MAILED = tuple(purpose for purpose in Purpose if purpose != Purpose.CONFIRM)  # each has its token in every mail


class BadSeal(ValueError):
    """A sealed value was changed, moved to another row, or sealed with a key that is gone."""


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
        self._mailed = [self._macs[self.current][purpose] for purpose in MAILED]
        self._index = _derive(index_secret, b"index", 32)
        self.cookie_secret = _derive(secrets_by_id[self.current], b"cookie", 32)

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
            raise BadSeal("sealed with a key this keyring does not hold")
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
        """A token of 47 lower-case base32 characters: key id, ticket, 128-bit keyed BLAKE2b (RFC 7693)."""
        packed = _pack(ticket)
        return _spell(bytes([self.current]) + packed, _signed(packed, [self._macs[self.current][purpose]]))[0]

    def mail_tokens(self, ticket: Ticket) -> list[str]:
        """All tokens of a mail, in the order of MAILED, at a sixth of what each alone would take."""
        packed = _pack(ticket)
        return _spell(bytes([self.current]) + packed, _signed(packed, self._mailed))

    def read_token(self, purpose: Purpose, token: str) -> Ticket | None:
        """The ticket of a token that this keyring signed for this purpose, else None."""
        try:
            raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except ValueError:
            return None
        if len(raw) != TOKEN_BYTES or raw[0] not in self._macs:
            return None
        head, packed, mac = raw[:-MAC_BYTES], raw[1:-MAC_BYTES], raw[-MAC_BYTES:]
        # Base32 leaves unused bits at the end: only the one spelling we write is a token.
        if _spell(head, [mac]) != [token]:
            return None
        (good,) = _signed(packed, [self._macs[raw[0]][purpose]])
        if not hmac.compare_digest(mac, good):
            return None
        member, blast = packed[:NUMBER_BYTES], packed[NUMBER_BYTES:]
        return Ticket(int.from_bytes(member), int.from_bytes(blast))


def load_keyring(home: Path) -> Keyring:
    """The keyring of a home folder, made at first use (mode 0600). Losing `keys.json` loses every address."""
    path = home / "keys.json"
    if not path.exists():
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


def _pack(ticket: Ticket) -> bytes:
    return ticket.member.to_bytes(NUMBER_BYTES) + ticket.blast.to_bytes(NUMBER_BYTES)


def _macs(key_id: int, key: bytes) -> dict[Purpose, hashlib.blake2b]:
    """For each purpose, a MAC that has read the key and the token's first byte, to be copied for each token."""
    first = bytes([key_id])
    return {p: hashlib.blake2b(first, digest_size=MAC_BYTES, key=key, person=p.encode()) for p in Purpose}


def _signed(packed: bytes, macs: Iterable[hashlib.blake2b]) -> list[bytes]:
    signatures = []
    for mac in macs:
        own = mac.copy()
        own.update(packed)
        signatures.append(own.digest())
    return signatures


def _spell(head: bytes, signatures: Sequence[bytes]) -> list[str]:
    """Tokens that differ in their MAC only, in base32 (RFC 4648), in small letters and without padding.

    All in one number, a row of 20 bytes and 12 empty ones for each 32 letters: the first row is what ten bytes of the
    head spell, then one a token. Halving after halving, the bits spread until there are five in each byte.
    """
    between = bytes(12) + head[10:]
    rows = bytes(22) + head[:10] + between + (b"\0" + between).join(signatures) + b"\0"
    bits = int.from_bytes(rows)
    for upper, lower, shift in _halvings(len(rows)):
        bits = (bits & upper) << shift | bits & lower
    letters = bits.to_bytes(len(rows)).translate(_LETTERS).decode()
    first = letters[16:32]
    return [first + letters[at : at + 31] for at in range(32, len(letters), 32)]


@lru_cache(maxsize=8)
def _halvings(size: int) -> list[tuple[int, int, int]]:
    """For a number of so many bytes: masks of the halves of its groups of letters, and how far the upper half goes."""
    steps = []
    for letters in (16, 8, 4, 2, 1):
        lower = sum(((1 << letters * 5) - 1) << at for at in range(0, size * 8, letters * 16))
        steps.append((lower << letters * 5, lower, letters * 3))
    return steps
