"""Audience: an uploaded file on disk, sealed piece by piece; no address lies in the clear while it waits."""

from __future__ import annotations

import os
import secrets
import shutil
import struct
import time
from contextlib import suppress
from io import SEEK_CUR, SEEK_END, SEEK_SET, BufferedReader, RawIOBase
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from mobilizer.keys import MAC_BYTES, NONCE_BYTES, BadSeal, Keyring

PIECE = 1 << 20

_SIZE = struct.Struct(">I")
_SEAL = 1 + NONCE_BYTES + MAC_BYTES  # what a seal adds
_STRIDE = _SIZE.size + _SEAL + PIECE  # a full piece on disk


def upload_path(home: Path, import_id: int) -> Path:
    """Where the file of an import lies."""
    return home / "imports" / f"{import_id}.sealed"


def write_upload(path: Path, keyring: Keyring, data: IO[bytes]) -> None:
    """Seal a file onto disk as it is read. Each piece is bound to the file and its place, and the last one says that
    it is last."""
    _folder(path.parent)
    with path.open("wb") as file:
        path.chmod(0o600)
        writer = _Sealing(file, keyring, path.stem)
        while piece := data.read(PIECE):
            writer.write(piece)
        writer.finish()


def open_upload(path: Path, keyring: Keyring) -> BufferedReader:
    """The clear bytes of a file, opened as they are read. Raises FileNotFoundError; reading raises keys.BadSeal."""
    return BufferedReader(_Unsealed(path.open("rb"), keyring, path.stem), PIECE)


def upload_keys(path: Path) -> set[int]:
    """The ids of the keys that the pieces of a file are sealed with; none where there is no file."""
    try:
        with path.open("rb") as file:
            stored = file.seek(0, os.SEEK_END)
            return {_key_at(file, place) for place in range(0, stored, _STRIDE)}
    except FileNotFoundError:
        return set()


def reseal_upload(path: Path, keyring: Keyring) -> bool:
    """Bring a file under the current key, whole or not at all; who reads it meanwhile reads on in the old one. False
    where it is under it already. Raises FileNotFoundError, keys.BadSeal."""
    if upload_keys(path) <= {keyring.current}:
        return False
    with TemporaryDirectory(dir=path.parent, prefix="resealing-") as folder:
        fresh = Path(folder) / path.name
        with open_upload(path, keyring) as clear:
            write_upload(fresh, keyring, clear)
        fresh.replace(path)
    return True


def forget_strays(home: Path, waiting: set[int], seconds: float) -> int:
    """Throw away what lies among the uploads for longer than `seconds` and belongs to none of the `waiting` imports:
    left by a process that was killed. Returns how many files and folders went."""
    kept, gone = {upload_path(home, number).name for number in waiting}, 0
    for path in (home / "imports").glob("*"):
        with suppress(FileNotFoundError):  # whoever wrote it has taken it away meanwhile
            if path.name not in kept and path.stat().st_mtime < time.time() - seconds:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
                gone += 1
    return gone


class Incoming(RawIOBase):
    """A file that comes in with a request: written once from the start, then read anywhere.

    It lies in `home` without a name, sealed with a key that nobody keeps: when the request is over, or the process
    has died, nobody can read it.
    """

    def __init__(self, home: Path) -> None:
        folder = home / "imports"
        _folder(folder)
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 - closed in close()
        self._keyring = Keyring({1: secrets.token_bytes(32)}, secrets.token_bytes(32))
        self._sealing = _Sealing(self._file, self._keyring, "incoming")
        self._reader: BufferedReader | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return self._reader is None

    def seekable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._sealing.write(data)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        return self._opened().seek(offset, whence)

    def tell(self) -> int:
        return self._opened().tell()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        return self._opened().readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _opened(self) -> BufferedReader:
        """From the first look on it is read, and no more written."""
        if self._reader is None:
            self._sealing.finish()
            self._file.flush()
            self._reader = BufferedReader(_Unsealed(self._file, self._keyring, "incoming"), PIECE)
        return self._reader


def _key_at(file: IO[bytes], place: int) -> int:
    """The key of the piece that begins at a place of a file: the first byte of its seal."""
    file.seek(place + _SIZE.size)
    return int.from_bytes(file.read(1))


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _binding(name: str, number: int, last: bool) -> bytes:
    return f"upload:{name}:{number}:{'last' if last else 'more'}".encode()


class _Sealing:
    """The writing side: a piece is held back until it is known whether another one follows."""

    def __init__(self, file: IO[bytes], keyring: Keyring, name: str) -> None:
        self._file = file
        self._keyring = keyring
        self._name = name
        self._number = 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(data)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, *, last: bool) -> None:
        sealed = self._keyring.seal_bytes(piece, _binding(self._name, self._number, last))
        self._file.write(_SIZE.pack(len(sealed)) + sealed)
        self._number += 1


class _Unsealed(RawIOBase):
    """The reading side. All pieces but the last have one size, so that any place is found without reading up to it."""

    def __init__(self, file: IO[bytes], keyring: Keyring, name: str) -> None:
        self._file = file
        self._keyring = keyring
        self._name = name
        stored = file.seek(0, os.SEEK_END)
        self._pieces = -(-stored // _STRIDE)
        self._size = max(stored - self._pieces * (_STRIDE - PIECE), 0)
        self._at = 0
        self._open = -1  # the number of the piece in `_clear`
        self._clear = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = max(offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self._size}[whence], 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number, offset = divmod(self._at, PIECE)
        if number >= self._pieces and not (number == self._pieces == 0):
            return 0
        if number != self._open:
            self._clear, self._open = memoryview(self._piece(number)), number
        found = self._clear[offset : offset + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _piece(self, number: int) -> bytes:
        self._file.seek(number * _STRIDE)
        head = self._file.read(_SIZE.size)
        if len(head) < _SIZE.size:
            raise BadSeal("the file was cut short")
        sealed = self._file.read(_SIZE.unpack(head)[0])
        return self._keyring.open_bytes(sealed, _binding(self._name, number, number == self._pieces - 1))
