"""Ground: one installation, what every face and every job starts from."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import structlog
from pydantic import ValidationError
from sqlalchemy import inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer import failpoints
from mobilizer.db import Base, Database, check_durability, clock
from mobilizer.keys import Keyring, load_keyring
from mobilizer.settings import Settings, kept_settings

# What may be chosen in the browser.
ORGANISATION = ("organisation", "postal_address")
SENDING = (
    "sender_name",
    "sender_address",
    "reply_to",
    "smtp_host",
    "smtp_port",
    "smtp_tls",
    "smtp_user",
    "smtp_password",
)
BY_TWO = "launch_by_two"
CHOSEN = (*ORGANISATION, *SENDING, BY_TWO)

log = structlog.get_logger()


class WrongKeys(RuntimeError):
    """The keys of the home folder are not those of the database."""


class KeyPrint(Base):
    """One key that sealed values or blind indexes of this database were made with, known by its print; 0 is the index.

    The highest is current: every process seals with it, whatever further keys its `keys.json` holds. `since` is when
    that began, None for keys older than the column.
    """

    __tablename__ = "key_prints"

    key_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    print: Mapped[bytes]
    since: Mapped[datetime | None] = mapped_column(default=clock())


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
    if not _prints(database):
        with database.write() as session:
            learn_keys(session, keyring, *keyring.prints)  # of two who come first with different keys, one is first
    follow_keys(keyring, database)
    return keyring


def follow_settings(installation: Installation) -> Installation:
    """The installation with what was chosen in the browser since: whose mail it is, and where it goes out. A file that
    can't be read changes nothing."""
    try:
        settings = kept_settings(installation.settings, CHOSEN)
    except (ValidationError, OSError) as error:
        log.error("settings_unreadable", error=type(error).__name__)
        return installation
    return installation if settings is installation.settings else replace(installation, settings=settings)


def follow_keys(keyring: Keyring, database: Database, every: float = 0.0) -> None:
    """Let a keyring seal with the database's current key, which may have been made since the keyring was read.

    Asked at most once in `every` seconds. Raises WrongKeys where `keys.json` has no such key, or another one.
    """
    now = time.monotonic()
    if now - keyring.followed_at < every:
        return
    known = _prints(database)
    if _wrong(keyring, known):
        keyring.look_again()
    if wrong := _wrong(keyring, known):
        raise WrongKeys(
            f"{keyring.path or 'The keyring'} does not hold the keys of this database (key "
            f"{', '.join(map(str, wrong))}): bring the keys.json that belongs to it."
        )
    if known:
        keyring.use(max(known))
    keyring.followed_at = now


def wrong_keys(keyring: Keyring, database: Database) -> list[int]:
    """The ids of the database's keys that a keyring lacks, or knows others by; 0 is the blind index."""
    return _wrong(keyring, _prints(database))


def learn_keys(session: Session, keyring: Keyring, *key_ids: int) -> None:
    """Let the database know some keys of a keyring; those that it knows by this number stay as they are."""
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(KeyPrint)
    rows = [{"key_id": key_id, "print": keyring.prints[key_id]} for key_id in sorted(key_ids)]
    session.execute(insert.on_conflict_do_nothing(), rows)


def _wrong(keyring: Keyring, known: dict[int, bytes]) -> list[int]:
    return sorted(key_id for key_id, value in known.items() if keyring.prints.get(key_id) != value)


def _prints(database: Database) -> dict[int, bytes]:
    with database.read() as session:
        return dict(session.execute(select(KeyPrint.key_id, KeyPrint.print)).all())
