"""Custody: rotating keys. A new key waits in `keys.json`, becomes current, and an old one is retired.

Which key is current is known to the database alone, so that it changes for all processes of all machines at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from mobilizer.custody.resealing import sealed_with
from mobilizer.db import clock
from mobilizer.installation import Installation, KeyPrint, follow_keys, learn_keys
from mobilizer.keys import KEYS_FILE, changing_keys, read_keys, write_keys
from mobilizer.organizers.audit import record

# Longer than any process may go on with the key ahead: each asks which one is current before a piece of work.
REST_SECONDS = 3600


class KeyInUse(RuntimeError):
    """A key can't be retired, for the reason that this says to the operator."""


@dataclass(frozen=True, slots=True)
class KeyState:
    """A key: 'waiting' in keys.json, 'current', 'older' (it opens, and must not be lost), or 'retired'."""

    key_id: int
    state: str
    since: datetime | None
    sealed: int


def keys_of(installation: Installation) -> list[KeyState]:
    """Every key, oldest first, with how many values are sealed with it."""
    with installation.database.read() as session:
        known = {row.key_id: row.since for row in session.scalars(select(KeyPrint)) if row.key_id}
    kept = read_keys(installation.settings.home / KEYS_FILE)
    current = max(known)

    def state(key_id: int) -> str:
        if key_id in kept.retired:
            return "retired"
        return "waiting" if key_id not in known else "current" if key_id == current else "older"

    return [
        KeyState(key_id, state(key_id), known.get(key_id), sealed_with(installation, key_id))
        for key_id in sorted({*known, *kept.keys, *kept.retired})
    ]


def add_key(installation: Installation) -> int:
    """Put a new key into `keys.json`, to wait; the one that waits already is enough. Returns its id.

    Raises ValueError when all ids are used up, OSError where the file can't be written; nothing is changed then.
    """
    with changing_keys(installation.settings.home) as path:
        kept = read_keys(path)
        waiting = max([*kept.keys, *kept.retired])
        if waiting <= _current(installation):
            kept = kept.with_key()
            write_keys(path, kept)
        return max(kept.keys)


def rotate(installation: Installation) -> int:
    """Let the key that waits seal from now on, or a new one. Returns its id.

    Killed on the way, it leaves a key that waits. Of two machines that rotate with different keys, the second one is
    told: raises installation.WrongKeys. Raises as `add_key`.
    """
    key_id = add_key(installation)
    installation.keyring.look_again()
    with installation.database.write() as session:
        learn_keys(session, installation.keyring, key_id)
        record(session, None, "keys.rotate", f"key:{key_id}")
    follow_keys(installation.keyring, installation.database)
    return key_id


def retire(installation: Installation, key_id: int) -> None:
    """Take what seals and opens by a key out of `keys.json`; what verifies its tokens stays for ever.

    Raises KeyInUse, and changes nothing, where it is current or unknown, where something is sealed with it, or where
    its successor is so young that a process may still be writing with it.
    """
    _refuse_in_use(installation, key_id)
    with changing_keys(installation.settings.home) as path:
        write_keys(path, read_keys(path).without_key(key_id))
    installation.keyring.look_again()
    with installation.database.write() as session:
        record(session, None, "keys.retire", f"key:{key_id}")


def _refuse_in_use(installation: Installation, key_id: int) -> None:
    if key_id not in read_keys(installation.settings.home / KEYS_FILE).keys:
        raise KeyInUse(f"There is no key {key_id} that could be retired.")
    if key_id >= _current(installation):
        raise KeyInUse(f"Key {key_id} is in use, or waits for it. Only older ones can be retired.")
    if _current_is_young(installation):
        raise KeyInUse("The current key is not an hour old: a process may still seal with the older one. Come back.")
    if sealed := sealed_with(installation, key_id):
        raise KeyInUse(f"{sealed} values are still sealed with key {key_id}. Run mobilizer keys reseal first.")


def _current(installation: Installation) -> int:
    with installation.database.read() as session:
        return session.scalars(select(func.max(KeyPrint.key_id))).one() or 0


def _current_is_young(installation: Installation) -> bool:
    young = select(KeyPrint.key_id).where(
        KeyPrint.key_id == _current(installation), KeyPrint.since > clock(-REST_SECONDS)
    )
    with installation.database.read() as session:
        return session.scalar(young) is not None
