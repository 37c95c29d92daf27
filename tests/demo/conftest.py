"""A small demo, seeded once on each kind of database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from mobilizer.db import Database
from mobilizer.demo.box import Box
from mobilizer.demo.seed import seed
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.settings import Settings
from tests.conftest import _named, _run

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MEMBERS = 240


@pytest.fixture
def empty(settings: Settings, database: Database, keyring: Keyring) -> Installation:
    """A migrated installation that holds nothing yet."""
    settings.media.mkdir(parents=True, exist_ok=True)
    return Installation(settings, database, keyring)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def seeded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A seeded demo of 240 members, to be looked at and not changed: one for a whole module of tests."""
    home = tmp_path_factory.mktemp("seeded")
    (home / "media").mkdir()
    url = f"sqlite:///{home / 'seeded.sqlite3'}"
    if request.param == "postgresql":
        admin = request.getfixturevalue("postgresql")
        name = f"seeded_{uuid4().hex}"
        _run(admin, f"CREATE DATABASE {name} TEMPLATE template_mobilizer")
        url = _named(admin, name)
    else:
        shutil.copy(request.getfixturevalue("sqlite_template"), home / "seeded.sqlite3")
    settings = Settings(home=home, database_url=url, postal_address="12 Hope Street, Lisbon", smtp_tls="none")
    here = Installation(settings, Database(url), Keyring({1: b"k" * 32}, b"i" * 32))
    assert seed(here, NOW, MEMBERS)
    yield here
    here.database.close()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A box that is not running."""
    return Box(tmp_path, 8123, 1123, 6123, "redis://127.0.0.1:6123/0", own_queue=True)
