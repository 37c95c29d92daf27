"""Ground: one installation, what every face and every job starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from mobilizer import failpoints
from mobilizer.db import Base, Database, check_durability
from mobilizer.keys import Keyring, load_keyring
from mobilizer.settings import Settings


class WrongKeys(RuntimeError):
    """The keys of the home folder are not those of the database."""


class KeyPrint(Base):
    """One key that sealed values or blind indexes of this database were made with, known by its print."""

    __tablename__ = "key_prints"

    key_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    print: Mapped[bytes]


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings, database and keys that belong together."""

    settings: Settings
    database: Database
    keyring: Keyring


def install(settings: Settings) -> Installation:
    """Open the installation that the settings name, making its home folder and keys at first use.

    Raises db.UnsafeDurability where the database may forget a commit, keys.NoKeys and WrongKeys where it belongs to
    other keys than there are here, ValueError for a failpoint that there isn't.
    """
    failpoints.arm(settings.failpoint)
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.media.mkdir(exist_ok=True)
    database = Database(settings.database, idle_seconds=settings.lease_seconds / 2)
    try:
        check_durability(database)
        return Installation(settings, database, keyring_of(settings.home, database))
    except Exception:
        database.close()
        raise


def keyring_of(home: Path, database: Database) -> Keyring:
    """The keys of a home folder, if they are those of the database: with others nobody's address could be read, and a
    whole audience would be skipped. A database that knows none yet learns these. Raises keys.NoKeys, WrongKeys."""
    if not inspect(database.engine).has_table(KeyPrint.__tablename__):
        return load_keyring(home)  # it is brought up to date first
    keyring = load_keyring(home, make=not _prints(database))
    if not wrong_keys(keyring, database) and keyring.prints.keys() - _prints(database).keys():
        _learn(database, keyring)  # of two who come first with different keys, one is first
    if wrong := wrong_keys(keyring, database):
        raise WrongKeys(
            f"{home / 'keys.json'} does not hold the keys of this database (key {', '.join(map(str, wrong))}): "
            "bring the keys.json that belongs to it."
        )
    return keyring


def wrong_keys(keyring: Keyring, database: Database) -> list[int]:
    """The ids of the database's keys that a keyring lacks, or knows others by; 0 is the blind index."""
    return sorted(key_id for key_id, value in _prints(database).items() if keyring.prints.get(key_id) != value)


def _prints(database: Database) -> dict[int, bytes]:
    with database.read() as session:
        return {row.key_id: row.print for row in session.scalars(select(KeyPrint))}


def _learn(database: Database, keyring: Keyring) -> None:
    insert = postgresql.insert if database.engine.dialect.name == "postgresql" else sqlite.insert
    rows = [{"key_id": key_id, "print": value} for key_id, value in sorted(keyring.prints.items())]
    with database.write() as session:
        session.execute(insert(KeyPrint).on_conflict_do_nothing(), rows)
