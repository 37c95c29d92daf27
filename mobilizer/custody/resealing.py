"""Custody: resealing. Brings every sealed value under the current key, a chunk at a time, while everything runs.

The first byte of a value names its key: what is left to do can be seen, so nothing else is written down. A run that was
stopped or killed is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from mobilizer.audience.imports import Import
from mobilizer.audience.uploads import reseal_upload, upload_keys, upload_path
from mobilizer.custody.sealed import SEALED, SealedColumn
from mobilizer.installation import Installation, follow_keys
from mobilizer.keys import BadSeal, Keyring

CHUNK = 1000
FOLLOW_SECONDS = 1.0
UPLOADS = "imports/"


@dataclass(frozen=True, slots=True)
class Resealed:
    """A chunk of work done at one place: values that are under the current key now, and such as nothing opens."""

    place: str
    values: int
    broken: int = 0


def left_to_reseal(installation: Installation) -> dict[str, int]:
    """How many values at each place are sealed with another key than the current one."""
    current = installation.keyring.current
    with installation.database.read() as session:
        left = {one.name: _count(session, one, current, same=False) for one in SEALED}
    return {**left, UPLOADS: sum(bool(keys - {current}) for keys in _uploads(installation).values())}


def sealed_with(installation: Installation, key_id: int) -> int:
    """How many values and files are sealed with a key."""
    with installation.database.read() as session:
        values = sum(_count(session, one, key_id, same=True) for one in SEALED)
    return values + sum(key_id in keys for keys in _uploads(installation).values())


def reseal(installation: Installation, size: int = CHUNK) -> Iterator[Resealed]:
    """Reseal everything, `size` values a transaction; whoever reads on decides after each whether to go on.

    A value that somebody changes meanwhile is left as they made it: they sealed it with the current key. Raises
    installation.WrongKeys where this machine lacks a key.
    """
    for one in SEALED:
        after: tuple[Any, ...] | None = None
        while True:
            follow_keys(installation.keyring, installation.database, FOLLOW_SECONDS)
            with installation.database.read() as session:
                rows = _next(session, one, installation.keyring.current, after, size)
            if not rows:
                break
            after = tuple(rows[-1][: len(one.key)])
            yield _reseal_rows(installation, one, rows)
    for number in _uploads(installation):
        yield Resealed(UPLOADS, _reseal_file(installation, number))


def _next(
    session: Session, one: SealedColumn, current: int, after: tuple[Any, ...] | None, size: int
) -> Sequence[tuple[Any, ...]]:
    """The next rows: number, sealed value, what it is bound by."""
    asked = select(*one.key, one.column, *one.bound_by).where(one.column.is_not(None), ~one.under(current))
    if after is not None:
        asked = asked.where(tuple_(*one.key) > tuple_(*after))
    return [tuple(row) for row in session.execute(asked.order_by(*one.key).limit(size))]


def _reseal_rows(installation: Installation, one: SealedColumn, rows: Sequence[tuple[Any, ...]]) -> Resealed:
    """Make the new seals first, then write them where the old ones are still there."""
    many, changed, broken = len(one.key), list[tuple[tuple[Any, ...], bytes, bytes]](), 0
    for row in rows:
        sealed, bound_by = row[many], row[many + 1 :]
        try:
            changed.append((row[:many], sealed, _anew(installation.keyring, one, sealed, bound_by)))
        except BadSeal:
            broken += 1
    if not changed:
        return Resealed(one.name, 0, broken)
    with installation.database.write() as session:
        return Resealed(one.name, _put(session, one, changed), broken)


def _anew(keyring: Keyring, one: SealedColumn, sealed: bytes, bound_by: tuple[Any, ...]) -> bytes:
    return keyring.reseal(sealed, one.binding(*bound_by))


def _put(session: Session, one: SealedColumn, changed: Sequence[tuple[tuple[Any, ...], bytes, bytes]]) -> int:
    """Write (row, value before, value now) where the value before is still there; how many were."""
    at = [column == bindparam(f"key{place}") for place, column in enumerate(one.key)]
    table = one.column.class_.__table__
    put = update(table).where(*at, one.column == bindparam("before")).values({one.column.key: bindparam("now")})
    rows = [
        {**{f"key{place}": value for place, value in enumerate(key)}, "before": before, "now": now}
        for key, before, now in changed
    ]
    return cast("CursorResult[Any]", session.connection().execute(put, rows)).rowcount


def _count(session: Session, one: SealedColumn, key_id: int, *, same: bool) -> int:
    under = one.under(key_id) if same else ~one.under(key_id)
    asked = select(func.count()).select_from(one.column.class_).where(one.column.is_not(None), under)
    return session.scalars(asked).one()


def _uploads(installation: Installation) -> dict[int, set[int]]:
    """The imports whose files wait to be read, and with which keys their pieces are sealed."""
    with installation.database.read() as session:
        waiting = session.scalars(select(Import.id).where(Import.state.in_(("uploaded", "running")))).all()
    paths = {number: upload_path(installation.settings.home, number) for number in waiting}
    return {number: upload_keys(path) for number, path in paths.items() if path.exists()}


def _reseal_file(installation: Installation, number: int) -> int:
    path = upload_path(installation.settings.home, number)
    try:
        return int(reseal_upload(path, installation.keyring))
    except (FileNotFoundError, BadSeal):
        return 0  # it was read, or thrown away
    finally:
        if number not in _uploads(installation):
            path.unlink(missing_ok=True)  # it was read or thrown away while we wrote it
