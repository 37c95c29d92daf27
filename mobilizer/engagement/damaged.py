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
TRIES = 3
# What is wrong with a parcel itself. All else is wrong with the way, and passes.
WRONG = (ValueError, TypeError, ArithmeticError, DataError, IntegrityError)

log = structlog.get_logger()


def record_readable(database: Database, home: Path, packed: Sequence[bytes], tries: int = TRIES) -> None:
    """Write parcels down, in one transaction where all of them can be; the damaged ones are laid aside.

    One may only seem damaged: while it was written, another worker wrote it too, or somebody in it was erased. That is
    known when it is tried again.
    """
    try:
        parcels = [Parcel.unpacked(one) for one in packed]
        with database.write() as session:
            record_parcels(session, parcels)
    except WRONG as error:
        if len(packed) > 1:
            for one in packed:
                record_readable(database, home, [one])
        elif isinstance(error, IntegrityError) and tries > 1:
            record_readable(database, home, packed, tries - 1)
        else:
            lay_aside(home, packed[0], type(error).__name__)


def lay_aside(home: Path, packed: bytes, why: str) -> None:
    """Put a damaged parcel where an operator finds it, until its time is over; where the disk is full, it goes."""
    name = hashlib.blake2b(packed, digest_size=16).hexdigest() + ENDING
    log.error("hits_unreadable", file=name, error=why)
    try:
        (home / FOLDER).mkdir(mode=0o700, exist_ok=True)
        (home / FOLDER / name).write_bytes(packed)
    except OSError as error:
        log.error("hits_lost", error=type(error).__name__)


def damaged(home: Path) -> list[Path]:
    """The parcels that were laid aside on this machine."""
    return sorted((home / FOLDER).glob(f"*{ENDING}"))


def forget_damaged(home: Path, seconds: float) -> int:
    """Forget those that were laid aside longer than `seconds` ago; returns how many."""
    gone = 0
    for path in damaged(home):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - seconds:
                path.unlink()
                gone += 1
    return gone
