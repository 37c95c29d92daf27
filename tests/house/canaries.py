"""Canaries: words so rare that whoever finds one has found a person; the ways to write them, and where to look."""

from __future__ import annotations

import base64
import json
import quopri
import subprocess
import sys
import unicodedata
import zlib
from functools import cache
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from sqlalchemy import inspect, literal_column, select, table, text

from mobilizer.installation import Installation
from mobilizer.settings import child_environment

CANARY = "zq7xvogel"
NAMED = "Wj\u00f6rkqy\u00dfin"  # for what no address can hold: its forms are many


@cache
def forms(word: str) -> dict[str, bytes]:
    """How a word may be written, by the name of the way; all but base64 in small letters."""
    found: dict[str, bytes] = {}
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", word) if not unicodedata.combining(letter))
    for case, said in {"": word, " small": word.lower(), " LARGE": word.upper(), " plain": plain}.items():
        told = said.encode()
        found |= {f"clear{case}": told, f"quoted-printable{case}": quopri.encodestring(told).strip()}
        found |= {f"{code}{case}": said.encode(code) for code in ("utf-16-le", "utf-16-be", "cp1252")}
        found |= {f"url{case}": quote(said).encode(), f"json{case}": json.dumps(said)[1:-1].encode()}
        found[f"hex{case}"] = told.hex().encode()
    found = {name: form.lower() for name, form in found.items()}
    for case, said in {"": word, " small": word.lower(), " LARGE": word.upper()}.items():
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + said.encode())
            found[f"base64+{shift}{case}"] = coded[4 if shift else 0 : -4]
    return found


def traces(where: bytes, *words: str) -> list[str]:
    """In which ways one of the words, the canaries if none is named, shows in bytes."""
    small = where.lower()
    return [
        name
        for word in words or (CANARY, NAMED)
        for name, form in forms(word).items()
        if form in (where if name.startswith("base64") else small)
    ]


def rows_of(installation: Installation) -> bytes:
    """Every value of every table that is there, ours or not, as the database itself spells it."""
    seen: list[bytes] = []
    with installation.database.engine.connect() as connection:
        for name in inspect(connection).get_table_names():
            for row in connection.execute(select(literal_column("*")).select_from(table(name))):
                seen += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(seen)


def files_of(installation: Installation) -> bytes:
    """Every file of the home folder: with SQLite that is the database too, its write-ahead log and all.

    Read by another process: a process that closes a SQLite file it has open elsewhere loses its locks on it.
    """
    paths = sorted(str(path) for path in installation.settings.home.rglob("*") if path.is_file())
    return subprocess.run(["cat", *paths], capture_output=True, check=True).stdout


def server_of(installation: Installation, since: float) -> dict[str, list[str]]:
    """Where in a PostgreSQL server's own files, its write-ahead log among them, that changed since a time (in Unix
    seconds), a canary shows; by file. With SQLite there are no others than `files_of` reads."""
    if installation.database.engine.dialect.name != "postgresql":
        return {}
    with installation.database.engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
        folder = Path(connection.execute(text("SHOW data_directory")).scalar_one())
    changed = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_mtime >= since]
    assert any("pg_wal" in path.parts for path in changed), "the log of the writes is not looked at"
    return {str(path.relative_to(folder)): found for path in changed if (found := traces(path.read_bytes()))}


def redis_of(installation: Installation) -> bytes:
    """Every key and value in Redis, RQ's compressed ones opened."""
    seen: list[bytes] = []
    with Redis.from_url(installation.settings.redis_url) as redis:
        for key in redis.scan_iter(count=1000):
            seen += [key, *_values(redis, key)]
    return b"\n".join(_opened(value) for value in seen)


def _values(redis: Redis, key: bytes) -> list[bytes]:
    match redis.type(key):
        case b"string":
            return [redis.get(key) or b""]
        case b"list":
            return list(redis.lrange(key, 0, -1))
        case b"set":
            return list(redis.smembers(key))
        case b"zset":
            return list(redis.zrange(key, 0, -1))
        case b"hash":
            return [part for pair in redis.hgetall(key).items() for part in pair]
        case b"stream":
            return [part for _, fields in redis.xrange(key) for pair in fields.items() for part in pair]
        case b"none":
            return []
        case other:
            raise AssertionError(f"a kind of value that this test can't read: {other!r}")


def _opened(value: bytes) -> bytes:
    try:
        return value + b"\n" + zlib.decompress(value)
    except zlib.error:
        return value


def everything(installation: Installation, *words: str) -> dict[str, list[str]]:
    """Where in database, files and Redis one of the words, the canaries if none is named, shows now."""
    places = {"rows": rows_of(installation), "files": files_of(installation), "redis": redis_of(installation)}
    assert all(places.values())
    return {name: found for name, held in places.items() if (found := traces(held, *words))}


WORKER, RECONCILER = ("worker", "--burst"), ("reconcile", "--once")


def work(installation: Installation, port: int, *commands: tuple[str, ...]) -> bytes:
    """Let a worker do all that is queued, then the reconciler queue what follows from it; whatever they print."""
    settings = installation.settings
    environment = child_environment(
        MOBILIZER_HOME=str(settings.home),
        DATABASE_URL=settings.database_url,
        REDIS_URL=settings.redis_url,
        MOBILIZER_BASE_URL=settings.base_url,
        MOBILIZER_SENDER_ADDRESS=settings.sender_address,
        MOBILIZER_POSTAL_ADDRESS=settings.postal_address,
        MOBILIZER_SMTP_PORT=str(port),
        MOBILIZER_SMTP_TLS="none",
        MOBILIZER_LOOPBACK_ONLY="true",
        MOBILIZER_LOG_LEVEL="DEBUG",
        # Neither form of the log names anybody; which database it is told of does not matter to that.
        MOBILIZER_LOG_FORMAT="text" if settings.database_url.startswith("sqlite") else "json",
    )
    said = b""
    for command in commands or (WORKER, RECONCILER):
        done = subprocess.run(
            [sys.executable, "-m", "mobilizer.cli", *command], env=environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        said += done.stdout + done.stderr
    return said
