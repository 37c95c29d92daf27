"""Bench: the ground. A throw-away installation, its home folder and its database, gone when the run is over."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from mobilizer.demo.box import Box
from mobilizer.settings import Settings, child_environment

NO_REDIS = "redis://127.0.0.1:1/0"  # nothing is queued here, and nobody else's queue is touched


class NoGround(RuntimeError):
    """There is no place to measure in; the words say why."""


@dataclass(frozen=True, slots=True)
class Ground:
    """One throw-away installation. `database_url` empty: SQLite in the home folder."""

    home: Path
    database_url: str

    def environment(self, smtp_port: int, connections: int) -> dict[str, str]:
        """What a process is started with that works here: nothing of the caller's own installation is left."""
        return child_environment(**self._values(smtp_port, connections))

    def settings(self, smtp_port: int = 25, connections: int = 1) -> Settings:
        """The same as settings in this process."""
        values = self._values(smtp_port, connections)
        fields = {n.removeprefix("MOBILIZER_").lower(): v for n, v in values.items() if n != "MOBILIZER_HOME"}
        return Settings(home=self.home, **fields)  # type: ignore[arg-type]

    def _values(self, smtp_port: int, connections: int) -> dict[str, str]:
        box = Box(self.home, web_port=80, smtp_port=smtp_port, queue_port=0, redis_url=NO_REDIS, own_queue=False)
        return {
            **box.values(),
            "DATABASE_URL": self.database_url,
            "MOBILIZER_DATABASE_URL": self.database_url,
            "MOBILIZER_SMTP_CONNECTIONS": str(connections),
            "MOBILIZER_BASE_URL": "https://act.example.org",
            "MOBILIZER_INBOX": "false",
            "MOBILIZER_LOG_LEVEL": "WARNING",
        }


@contextmanager
def ground(database: str) -> Iterator[Ground]:
    """A home folder, and a fresh database: on the server that `database` names, else a SQLite file.

    Nothing that is there already is read or changed. Raises NoGround.
    """
    with tempfile.TemporaryDirectory(prefix="mobilizer-bench-") as folder, _fresh(database) as url:
        yield Ground(Path(folder).resolve(), url)


@contextmanager
def _fresh(database: str) -> Iterator[str]:
    try:
        url = make_url(Settings(database_url=database).database) if database else None
    except ArgumentError:
        raise NoGround("This is not the address of a database, like postgresql://user@host/postgres.") from None
    if url is None:
        yield ""
    elif url.get_backend_name() == "sqlite":
        with _fresh_file(Path(url.database or "")):
            yield database
    else:
        with _fresh_on_server(url) as name:
            yield url.set(database=name).render_as_string(hide_password=False)


@contextmanager
def _fresh_file(path: Path) -> Iterator[None]:
    if path.is_dir() or (path.exists() and path.stat().st_size):
        raise NoGround(f"{path} holds something already: name a file that is not there yet.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise NoGround(f"No file can be made in {path.parent}: name a folder that is there and yours.")
    try:
        yield
    finally:
        for ending in ("", "-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)


@contextmanager
def _fresh_on_server(url: URL) -> Iterator[str]:
    name = f"mobilizer_bench_{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT", hide_parameters=True)
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise NoGround(f"No fresh database could be made there: {reason}") from None
    engine.dispose()
    try:
        yield name
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        engine.dispose()
