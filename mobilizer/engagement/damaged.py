"""Engagement: damaged. Parcels of hits that can't be read or written down: laid aside, they hold up no other."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from mobilizer.db import Database
from mobilizer.engagement.hits import Parcel, record_parcels

FOLDER = "hits"  # of the home folder
ENDING = ".unreadable"
KEPT_DAYS = 30
TRIES = 3
# What is wrong with a parcel itself. All else is wrong with the way, and passes.
WRONG = (ValueError, TypeError, ArithmeticError, DataError, IntegrityError)

log = structlog.get_logger()


def record_readable(database: Database, packed: Sequence[bytes], tries: int = TRIES) -> list[bytes]:
    """Write parcels down, in one transaction where all of them can be; returns the damaged ones.

    One may only seem damaged: while it was written, another worker wrote it too, or somebody in it was erased. That is
    known when it is tried again.
    """
    try:
        parcels = [Parcel.unpacked(one) for one in packed]
        with database.write() as session:
            record_parcels(session, parcels)
    except WRONG as error:
        if len(packed) > 1:
            return [bad for one in packed for bad in record_readable(database, [one])]
        if isinstance(error, IntegrityError) and tries > 1:
            return record_readable(database, packed, tries - 1)
        log.error("hits_unreadable", file=_name(packed[0]), error=type(error).__name__)
        return [packed[0]]
    return []


def lay_aside(home: Path, packed: bytes) -> None:
    """Put a damaged parcel where an operator finds it, until its time is over. Raises OSError, as of a full disk."""
    (home / FOLDER).mkdir(mode=0o700, exist_ok=True)
    path = home / FOLDER / _name(packed)
    try:
        path.write_bytes(packed)
    except OSError:
        with suppress(OSError):
            path.unlink()  # half of it may be there
        raise


def lay_aside_file(path: Path, packed: bytes) -> None:
    """The same of a parcel that is a file there already: it needs no room."""
    path.rename(path.with_name(_name(packed)))


def damaged(home: Path) -> list[Path]:
    """The parcels that were laid aside on this machine."""
    return sorted((home / FOLDER).glob(f"*{ENDING}"))


def forget_damaged(home: Path, seconds: float = KEPT_DAYS * 86_400) -> int:
    """Forget those of this machine that are older than `seconds`; returns how many."""
    gone = 0
    for path in damaged(home):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - seconds:
                path.unlink()
                gone += 1
    return gone


def _name(packed: bytes) -> str:
    return hashlib.blake2b(packed, digest_size=16).hexdigest() + ENDING
