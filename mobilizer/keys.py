"""Ground: secrets. Seals personal data, indexes it blindly, and signs the tokens that go into mails."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import math
import os
import secrets
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
MAC_BYTES = 16
MACS_AT_ONCE = 4  # what a BLAKE2b of 64 bytes is divided into

KEYS_FILE = "keys.json"
MOST_KEYS = 255  # the id of a key is one byte, and is never given again
DOMAINS_KNOWN = 10_000

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
    SUMS = "sums"  # opens and clicks that are nobody's: its ticket has a blast alone


_UNMAILED = (Purpose.CONFIRM, Purpose.RECORD, Purpose.SUMS)
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


@dataclass(frozen=True, slots=True)
class RetiredKey:
    """What is left of a key that seals nothing any more: what verifies the links in its mails, and its print."""

    token: bytes
    print: bytes


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """What `keys.json` holds: secrets of keys that seal and open, by id, the blind index's, and retired keys."""

    keys: Mapping[int, bytes]
    index: bytes
    retired: Mapping[int, RetiredKey] = field(default_factory=dict)

    def with_key(self) -> KeptKeys:
        """The same and a new key, whose id is the next one. Raises ValueError when all ids are used up."""
        number = max([*self.keys, *self.retired]) + 1
        if number > MOST_KEYS:
            raise ValueError(f"there can be no more than {MOST_KEYS} keys")
        return KeptKeys({**self.keys, number: secrets.token_bytes(32)}, self.index, self.retired)

    def without_key(self, key_id: int) -> KeptKeys:
        """The same without what seals and opens by one key; what verifies its tokens stays."""
        left = {number: secret for number, secret in self.keys.items() if number != key_id}
        secret = self.keys[key_id]
        retired = RetiredKey(_derive(secret, b"token", 32), _derive(secret, b"print", 16))
        return KeptKeys(left, self.index, {**self.retired, key_id: retired})


class Keyring:
    """The installation's keys, by id. One is current: it seals, and signs tokens; others still open and verify.

    What is read from a file follows it: a key that came into the file later is found when a value or a token asks for
    it, so that keys can be rotated while this process runs.
    """

    def __init__(
        self,
        secrets_by_id: Mapping[int, bytes],
        index_secret: bytes,
        retired: Mapping[int, RetiredKey] | None = None,
    ) -> None:
        self.path: Path | None = None
        self.followed_at = -math.inf  # when the database was last asked which key is current, on the monotonic clock
        self._seen: tuple[int, ...] = ()
        self.current = 0
        self._index = _derive(index_secret, b"index", 32)
        self._hashing = _hmac_states(self._index, b"address\0")
        self._domain_keys: dict[str, bytes] = {}  # of those seen last: most addresses have one of few domains
        # Never rotated, as the index is not: what is signed with it opens nothing by itself.
        self.cookie_secret = _derive(index_secret, b"cookie", 32)
        self._take(KeptKeys(secrets_by_id, index_secret, retired or {}))

    @classmethod
    def kept_in(cls, path: Path) -> Self:
        """The keyring of a `keys.json`."""
        seen = _version(path)
        kept = read_keys(path)
        ring = cls(kept.keys, kept.index, kept.retired)
        ring.path, ring._seen = path, seen
        return ring

    def use(self, key_id: int) -> None:
        """Seal and sign with this key from now on. Raises UnknownKey."""
        if key_id not in self._ciphers:
            raise UnknownKey(f"key {key_id} is not on this keyring, or retired")
        self.current = key_id

    def look_again(self) -> bool:
        """Read the file again if it has changed; whether it had. The current key stays current while it is there."""
        if self.path is None:
            return False
        try:
            seen = _version(self.path)
            if seen == self._seen:
                return False
            self._take(read_keys(self.path))
        except (OSError, ValueError, KeyError):
            return False  # what we know is still good
        self._seen = seen
        return True

    def _take(self, kept: KeptKeys) -> None:
        if not kept.keys or not all(0 < key_id <= MOST_KEYS for key_id in kept.keys):
            raise ValueError("a keyring needs at least one key, with an id from 1 to 255")
        tokens = {i: _derive(s, b"token", 32) for i, s in kept.keys.items()}
        tokens |= {i: old.token for i, old in kept.retired.items()}
        self._ciphers = {i: AESGCM(_derive(s, b"seal", 32)) for i, s in kept.keys.items()}
        self._macs = {i: _macs(i, key) for i, key in tokens.items()}
        # By which a database knows its keys again, and which tell nothing of them; 0 is the blind index.
        self.prints = {i: _derive(s, b"print", 16) for i, s in {0: kept.index, **kept.keys}.items()}
        self.prints |= {i: old.print for i, old in kept.retired.items()}
        if self.current not in self._ciphers:
            self.current = max(self._ciphers)

    # -- sealed columns (AES-256-GCM, NIST SP 800-38D) -------------------------------------------

    def seal(self, plain: str, bound_to: bytes) -> bytes:
        """Encrypt `plain` for the one row that `bound_to` names: key id, 96-bit nonce, ciphertext and tag."""
        return self.seal_bytes(plain.encode(), bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> str:
        """Decrypt what `seal` made. Raises BadSeal if it was altered, moved, or its key is gone."""
        return self.open_bytes(sealed, bound_to).decode()

    def seal_bytes(self, plain: bytes, bound_to: bytes) -> bytes:
        """As `seal`, for bytes: a piece of an uploaded file."""
        nonce, current = os.urandom(NONCE_BYTES), self.current
        return bytes([current]) + nonce + self._ciphers[current].encrypt(nonce, plain, bound_to)

    def seal_all(self, plain: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """`seal` for many pairs of a text and what it is bound to."""
        nonces = os.urandom(NONCE_BYTES * len(plain))
        current = self.current
        encrypt, head = self._ciphers[current].encrypt, bytes([current])
        places = range(0, len(nonces), NONCE_BYTES)
        return [
            head + (nonce := nonces[at : at + NONCE_BYTES]) + encrypt(nonce, text.encode(), bound_to)
            for at, (text, bound_to) in zip(places, plain, strict=True)
        ]

    def open_bytes(self, sealed: bytes, bound_to: bytes) -> bytes:
        """Decrypt what `seal_bytes` made. Raises BadSeal if it was altered, moved, or its key is gone."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None and sealed and self.look_again():
            cipher = self._ciphers.get(sealed[0])
        if cipher is None:
            raise UnknownKey("sealed with a key this keyring does not hold")
        try:
            return cipher.decrypt(sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], bound_to)
        except InvalidTag:
            raise BadSeal("altered, or moved from another row") from None

    def reseal(self, sealed: bytes, bound_to: bytes) -> bytes:
        """The same value under the current key. Raises BadSeal."""
        return self.seal_bytes(self.open_bytes(sealed, bound_to), bound_to)

    # -- blind index -------------------------------------------------------------------------------

    def address_key(self, address: str) -> bytes:
        """A 16-byte keyed hash of a normalised address: finds a row, tells nothing."""
        return self.address_keys((address,))[0]

    def address_keys(self, addresses: Iterable[str]) -> list[bytes]:
        """`address_key` of many: HMAC-SHA-256 (RFC 2104), whose two hashes have taken in the secret already."""
        inside, outside = self._hashing
        inner, outer, found = inside.copy, outside.copy, list[bytes]()
        for address in addresses:
            within, around = inner(), outer()
            within.update(address.encode())
            around.update(within.digest())
            found.append(around.digest()[:16])
        return found

    def domain_key(self, domain: str) -> bytes:
        """A 16-byte keyed hash of a mail domain."""
        key = self._domain_keys.get(domain)
        if key is None:
            if len(self._domain_keys) >= DOMAINS_KNOWN:
                self._domain_keys.clear()
            key = hmac.digest(self._index, b"domain\0" + domain.encode(), "sha256")[:16]
            self._domain_keys[domain] = key
        return key

    # -- tokens --------------------------------------------------------------------------------------

    def token(self, purpose: Purpose, ticket: Ticket) -> str:
        """A token of 50 lower-case hexadecimal digits: key id, ticket, 128 bits of keyed BLAKE2b (RFC 7693)."""
        head = _HEAD.pack(self.current, ticket.member, ticket.blast)
        return head.hex() + self._mac(head, purpose).hex()

    def mail_tokens(self, ticket: Ticket) -> list[str]:
        """All tokens of a mail, in the order of MAILED."""
        current = self.current
        head = _HEAD.pack(current, ticket.member, ticket.blast)
        begin = head.hex()
        signed = "".join([_signed(mac, head).hex() for mac in self._macs[current][:_MAILED_GROUPS]])
        return [begin + signed[at : at + 2 * MAC_BYTES] for at in _MAILED_AT]

    def read_token(self, purpose: Purpose, token: str) -> Ticket | None:
        """The ticket of a token that this keyring signed for this purpose, else None."""
        try:
            raw = bytes.fromhex(token)
        except ValueError:
            return None
        head, mac = raw[: _HEAD.size], raw[_HEAD.size :]
        # Only the one spelling we write is a token.
        if len(mac) != MAC_BYTES or raw.hex() != token:
            return None
        if head[0] not in self._macs and not (self.look_again() and head[0] in self._macs):
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
    path = home / KEYS_FILE
    if not path.exists():
        if not make:
            raise NoKeys(f"{path} is missing: bring the keys of this installation here, no others open its database.")
        home.mkdir(parents=True, exist_ok=True)
        temporary = _written_beside(path, KeptKeys({1: secrets.token_bytes(32)}, secrets.token_bytes(32)))
        try:
            # A hard link fails if another process was first: its keys stay.
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    return Keyring.kept_in(path)


def read_keys(path: Path) -> KeptKeys:
    """What a `keys.json` holds. Raises OSError, ValueError and KeyError where it is none."""
    kept = json.loads(path.read_text())
    retired = {
        int(key_id): RetiredKey(bytes.fromhex(old["token"]), bytes.fromhex(old["print"]))
        for key_id, old in kept.get("retired", {}).items()
    }
    keys = {int(key_id): bytes.fromhex(secret) for key_id, secret in kept["keys"].items()}
    return KeptKeys(keys, bytes.fromhex(kept["index"]), retired)


@contextmanager
def changing_keys(home: Path) -> Iterator[Path]:
    """The path of a home's `keys.json`, which nobody else changes meanwhile."""
    folder = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield home / KEYS_FILE
    finally:
        os.close(folder)


def write_keys(path: Path, kept: KeptKeys) -> None:
    """Put other keys into a `keys.json`, whole or not at all, on disk when this returns; its owner stays its owner."""
    owner = path.stat()
    temporary = _written_beside(path, kept)
    with suppress(PermissionError):  # only root may give a file away, and only root's is another's
        os.chown(temporary, owner.st_uid, owner.st_gid)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _hmac_states(key: bytes, begins: bytes) -> tuple[hashlib._Hash, hashlib._Hash]:
    """The two hashes of an HMAC-SHA-256 (RFC 2104), inner and outer, of a message that begins in this way."""
    block = key.ljust(hashlib.sha256().block_size, b"\0")  # a longer one would have to be hashed first
    inner, outer = (hashlib.sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))
    inner.update(begins)
    return inner, outer


def _written_beside(path: Path, kept: KeptKeys) -> Path:
    """A file of its own with these keys, on disk, which nobody else may read."""
    temporary = path.with_name(f".keys-{os.getpid()}.json")
    temporary.unlink(missing_ok=True)  # of a process of the same number that was killed
    spelled = {
        "keys": {str(key_id): secret.hex() for key_id, secret in kept.keys.items()},
        "index": kept.index.hex(),
        "retired": {str(i): {"token": old.token.hex(), "print": old.print.hex()} for i, old in kept.retired.items()},
    }
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(spelled, file)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _version(path: Path) -> tuple[int, ...]:
    """What tells that a file is another one now."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


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
