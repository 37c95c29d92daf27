"""Ground: one installation, what every face and every job starts from."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer import failpoints
from mobilizer.db import Database, check_durability
from mobilizer.keys import Keyring, load_keyring
from mobilizer.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings, database and keys that belong together."""

    settings: Settings
    database: Database
    keyring: Keyring


def install(settings: Settings) -> Installation:
    """Open the installation that the settings name, making its home folder and keys at first use.

    Raises db.UnsafeDurability where the database may forget a commit, ValueError for a failpoint that there isn't.
    """
    failpoints.arm(settings.failpoint)
    settings.home.mkdir(parents=True, exist_ok=True)
    settings.media.mkdir(exist_ok=True)
    database = Database(settings.database, idle_seconds=settings.lease_seconds / 2)
    check_durability(database)
    return Installation(settings, database, load_keyring(settings.home))
