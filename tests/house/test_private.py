"""House: nobody is named where nobody should be. A canary in every name and address leaves no trace in the clear."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer import jobs
from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.lists import MemberList
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit
from mobilizer.installation import Installation, install
from mobilizer.jobs import Work
from mobilizer.notices import noting
from mobilizer.notices.notices import NoticeMail
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.problems import Problem
from mobilizer.settings import Settings, child_environment
from mobilizer.tables import metadata
from tests.transport.scripted_relay import ScriptedRelay
from tests.worlds import World

CANARY = "zq7xvogel"
ROWS = f"""\
Email,Name,Language
plain.{CANARY}@example.org,Ana {CANARY},en
refused.{CANARY}@example.org,Bo {CANARY},es
later.{CANARY}@example.org,Cy {CANARY},en
dropped.{CANARY}@example.org,Di {CANARY},es
closing.{CANARY}@example.org,Ed {CANARY},en
closing.b.{CANARY}@example.org,Eda {CANARY},en
closing.c.{CANARY}@example.org,Edo {CANARY},en
plain.{CANARY}@{CANARY}.example.org,,es
PLAIN.{CANARY}@example.org,twice {CANARY},en
{CANARY} has no at sign,Flo {CANARY},en
odd.{CANARY}@example.org,=cmd {CANARY},en
"""
WITHOUT_HEADER = f"headless.{CANARY}@example.org,Gil {CANARY},en\n"


@pytest.fixture
def here(settings: Settings, redis_url: str) -> Iterator[Installation]:
    """An installation whose work is done by processes of its own, as verbose as they can be."""
    installation = install(settings.model_copy(update={"redis_url": redis_url, "loopback_only": True}))
    yield installation
    installation.database.close()


def traces(where: bytes) -> list[str]:
    """How a canary shows in bytes: as it is, or in base64 at any of its three alignments."""
    forms = {"clear": CANARY.encode()}
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + CANARY.encode())
        forms[f"base64+{shift}"] = coded[4 if shift else 0 : -4]
    return [name for name, form in forms.items() if form in (where.lower() if name == "clear" else where)]


def rows_of(installation: Installation) -> bytes:
    """Every value of every table, as the database gives it back."""
    seen: list[bytes] = []
    with installation.database.engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                seen += [value if isinstance(value, bytes) else repr(value).encode() for value in row]
    return b"\n".join(seen)


def files_of(installation: Installation) -> bytes:
    """Every file of the home folder: with SQLite that is the database too, its write-ahead log and all.

    Read by another process: a process that closes a SQLite file it has open elsewhere loses its locks on it.
    """
    paths = sorted(str(path) for path in installation.settings.home.rglob("*") if path.is_file())
    return subprocess.run(["cat", *paths], capture_output=True, check=True).stdout


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


def everything(installation: Installation) -> dict[str, list[str]]:
    """Where in database, files and Redis the canary shows now."""
    places = {"rows": rows_of(installation), "files": files_of(installation), "redis": redis_of(installation)}
    assert all(places.values())
    return {name: found for name, held in places.items() if (found := traces(held))}


def bring_in(installation: Installation, list_id: int, name: str, data: str) -> None:
    """Upload a file and let its import run as a job."""
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=list_id, filename=name, data=data.encode())
        row.options = {**row.options, "consent_source": "Petition", "consent_date": "2026-03-08"}
        assert importing.start(session, row) == []
        number = row.id
    assert jobs.enqueue(installation, Work.IMPORT, number)


def work(installation: Installation, port: int) -> bytes:
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
    for command in (["worker", "--burst"], ["reconcile", "--once"]):
        done = subprocess.run(
            [sys.executable, "-m", "mobilizer.cli", *command], env=environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stderr.decode()
        said += done.stdout + done.stderr
    return said


def echo(line: str) -> bytes:
    """What relays do: say the address back."""
    address = line.partition("<")[2].partition(">")[0]
    answers = {
        "refused": f"550 5.1.1 <{address}>: no such user here",
        "later": f"450 4.2.0 <{address}>: greylisted",
        "closing": f"421 4.3.2 no more for {address} today",
    }
    kind = address.partition(".")[0]
    return (answers.get(kind) or f"250 2.1.5 <{address}> recipient ok").encode() + b"\r\n"


def test_no_name_and_no_address_is_in_the_clear_anywhere_but_in_the_mail(here: Installation) -> None:
    world = World(here)
    list_id = world.make_list()
    world.write_appeal()
    found: list[dict[str, list[str]]] = []
    bring_in(here, list_id, "members.csv", ROWS)
    bring_in(here, list_id, "more.csv", WITHOUT_HEADER)
    found.append(everything(here))  # uploaded, not yet read

    def taken(_line: str) -> bytes:
        found.append({"redis": traces(redis_of(here))} if traces(redis_of(here)) else {})
        return f"250 2.0.0 queued for plain.{CANARY}@example.org\r\n".encode()

    with ScriptedRelay({"RCPT": echo, "DOT": taken}) as relay:
        said = work(here, relay.port)
        _launch(world)
        said += work(here, relay.port)
        jobs.note_hit(here, Hit(kind=EventKind.CLICK, at=time.time(), blast=world.blast_id, member=1, link_n=1))
        found.append(everything(here))  # a click waits
        said += work(here, relay.port)
        _hold(world, "plain", "closing")
        found.append(everything(here))  # notices wait for two organizers
        said += work(here, relay.port)
    found.append(everything(here))

    with here.database.read() as session:
        counts = [row.counts for row in session.scalars(select(Import).order_by(Import.id))]
    assert counts[0]["new"] == 9
    assert counts[0]["invalid"] >= 1
    assert set(world.states()) >= {"accepted", "rejected", "pending"}, said.decode()
    assert any(CANARY in line for line in relay.heard), "the relay alone is told whom a mail is for"
    for event in (b"relay_trouble", b"leased", b"slice"):
        assert event in said, "the processes logged nothing of note: this test has seen nothing"
    with here.database.read() as session:
        mails = {mail.state for mail in session.scalars(select(NoticeMail))}
    assert mails == {"sent", "waiting"}, said.decode()
    assert [places for places in found if places] == []
    assert traces(said) == []


def _launch(world: World) -> None:
    with world.installation.database.write() as session:
        blast = session.get_one(Blast, world.blast_id)
        assert launching.launch(session, world.installation.settings, blast, launching.seen(blast))
    assert jobs.enqueue(world.installation, Work.LAUNCH, world.blast_id)


def _hold(world: World, *kinds: str) -> None:
    """Let the blast stop itself, and tell organizers of some kinds of address."""
    here = world.installation
    with here.database.write() as session:
        for kind in kinds:
            _organizer(session, here, f"{kind}.org.{CANARY}@example.org")
        lifecycle.hold(session, world.blast_id, Problem("relay", "The relay is out."), None)
        noting.note(session)
        for mail in session.scalars(select(NoticeMail.id)):
            jobs.enqueue(here, Work.NOTICE, mail)


def _organizer(session: Session, here: Installation, email: str) -> None:
    made = create_user(
        session, here.keyring, email=email, name=CANARY, role=Role.ADMIN, password="a long enough password 71"
    )
    assert not isinstance(made, list)


def test_an_organizers_address_is_sealed_too(here: Installation) -> None:
    with here.database.write() as session:
        _organizer(session, here, f"{CANARY}@example.org")
    assert traces(rows_of(here) + files_of(here)) == []


def test_a_canary_that_is_out_is_seen(here: Installation, tmp_path: Path) -> None:
    """The eyes of this file see: in a row, a file, a value of Redis, a compressed one, and in base64."""
    with here.database.write() as session:
        session.add(MemberList(slug="out", name=f"out {CANARY}"))
    (here.settings.home / "out.txt").write_text(f"{CANARY}@example.org")
    with Redis.from_url(here.settings.redis_url) as redis:
        redis.hset("out", "data", zlib.compress(CANARY.encode()))
    assert everything(here) == {"rows": ["clear"], "files": ["clear"], "redis": ["clear"]}
    for before in (b"", b"a", b"ab"):
        assert traces(base64.b64encode(before + f"{CANARY}@example.org".encode()))
