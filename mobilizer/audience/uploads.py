"""Audience: an uploaded file on disk, sealed piece by piece; no address lies in the clear while it waits."""

from __future__ import annotations

import struct
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO

from mobilizer.keys import BadSeal, Keyring

PIECE = 1 << 20

_SIZE = struct.Struct(">I")


def upload_path(home: Path, import_id: int) -> Path:
    """Where the file of an import lies."""
    return home / "imports" / f"{import_id}.sealed"


def write_upload(path: Path, keyring: Keyring, data: bytes) -> None:
    """Seal a file onto disk. Each piece is bound to the file and its place, and the last one says that it is last."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pieces = range(0, max(len(data), 1), PIECE)
    with path.open("wb") as file:
        path.chmod(0o600)
        for number, at in enumerate(pieces):
            last = number == len(pieces) - 1
            sealed = keyring.seal_bytes(data[at : at + PIECE], _binding(path, number, last))
            file.write(_SIZE.pack(len(sealed)) + sealed)


def open_upload(path: Path, keyring: Keyring) -> BufferedReader:
    """The clear bytes of a file, opened as they are read. Raises FileNotFoundError; reading raises keys.BadSeal."""
    return BufferedReader(_Unsealed(path.open("rb"), path, keyring), PIECE)


def _binding(path: Path, number: int, last: bool) -> bytes:
    return f"upload:{path.stem}:{number}:{'last' if last else 'more'}".encode()


class _Unsealed(RawIOBase):
    def __init__(self, file: IO[bytes], path: Path, keyring: Keyring) -> None:
        self._file = file
        self._path = path
        self._keyring = keyring
        self._number = 0
        self._clear = memoryview(b"")
        self._next = self._sealed_piece()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._clear and self._next:
            sealed, self._next = self._next, self._sealed_piece()
            binding = _binding(self._path, self._number, last=not self._next)
            self._clear = memoryview(self._keyring.open_bytes(sealed, binding))
            self._number += 1
        size = min(len(buffer), len(self._clear))
        buffer[:size] = self._clear[:size]
        self._clear = self._clear[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()

    def _sealed_piece(self) -> bytes:
        head = self._file.read(_SIZE.size)
        if not head:
            return b""
        try:
            sealed = self._file.read(_SIZE.unpack(head)[0])
        except struct.error:
            raise BadSeal("the file was cut short") from None
        return sealed
