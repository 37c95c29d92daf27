"""House: of who visits, neither the network address nor the name of their program is kept or said anywhere."""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import pytest
from redis import Redis
from sqlalchemy import select, update

from mobilizer.audience.lists import MemberList
from mobilizer.audience.members import Member
from mobilizer.engagement.events import Event, EventKind
from mobilizer.installation import Installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.recording import drain_hits
from mobilizer.settings import child_environment
from tests.house.canaries import everything, traces
from tests.one_database import database_url as database_url
from tests.stories.processes import until
from tests.worlds import World

HERE, PROXIED, FORGED = "127.88.77.66", "203.0.113.77", "198.51.100.23"  # where the visitor comes from
AGENT = "Mozilla/5.0 (Linux; Canaryphone 99) Zyxwvut/99.125"
ADDRESS = "visitor.qvogel@example.net"
MARKS = (HERE, PROXIED, FORGED, "Canaryphone", "Zyxwvut", ADDRESS, "qvogel")
HEADERS = {"User-Agent": AGENT, "X-Forwarded-For": f"{FORGED}, {PROXIED}", "X-Real-IP": FORGED, "Referer": ADDRESS}


@dataclass
class Visitor:
    """A browser that comes from HERE through a proxy."""

    port: int
    cookie: str = ""

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str]:
        """Status and text of an answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, 20, source_address=(HERE, 0))) as connection:
            typed = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": self.cookie}
            connection.request(method, path, urlencode(fields) or None, HEADERS | typed)
            answer = connection.getresponse()
            self.cookie = answer.headers.get("Set-Cookie", self.cookie).partition(";")[0]
            return answer.status, answer.read().decode(errors="replace")

    def shout(self, words: bytes) -> None:
        """Say what is no request."""
        with socket.create_connection(("127.0.0.1", self.port), 20, source_address=(HERE, 0)) as line:
            line.sendall(words)
            line.settimeout(0.5)
            with suppress(TimeoutError):
                line.recv(1000)


@contextmanager
def served(here: Installation, port: int, log: Path, **more: str) -> Iterator[None]:
    """`mobilizer serve`, telling all it has to tell into a file."""
    settings = here.settings
    environment = child_environment(
        MOBILIZER_HOME=str(settings.home),
        DATABASE_URL=settings.database,
        REDIS_URL=settings.redis_url,
        MOBILIZER_BASE_URL=settings.base_url,
        MOBILIZER_TRUSTED_PROXIES="1",
        MOBILIZER_LOG_LEVEL="DEBUG",
        **more,
    )
    command = [sys.executable, "-m", "mobilizer.cli", "serve", "--port", str(port)]
    with log.open("wb") as told, subprocess.Popen(command, env=environment, stdout=told, stderr=told) as process:
        try:
            until(partial(_listens, port))
            yield
        finally:
            process.terminate()
            process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return not line.connect_ex(("127.0.0.1", port))


@pytest.fixture
def world(here: Installation) -> World:
    """Two members with a mail each."""
    world = World(here)
    world.join(["en", "es"], world.make_list())
    world.write_appeal()
    with here.database.write() as session:
        session.execute(update(MemberList).values(open=True))
        create_user(session, here.keyring, email="a@example.org", name="A", role=Role.ADMIN, password="long enough 71")
    assert world.launch()
    return world


def test_of_visitors_no_address_and_no_program_is_kept_or_logged(world: World, free_port: int, tmp_path: Path) -> None:
    here, log = world.installation, tmp_path / "said.txt"
    visitor, first = Visitor(free_port), world.members[0]
    with served(here, free_port, log):
        _look_round(visitor, world, first)
        _go_wrong(visitor, world, first)
        counted = _names_in_redis(here)
    waiting, said = everything(here, *MARKS), log.read_bytes()
    drain_hits(here)
    with here.database.read() as session:
        kinds = set(session.scalars(select(Event.kind)))
    assert kinds >= {EventKind.CLICK, EventKind.OPEN, EventKind.VISIT, EventKind.UNSUBSCRIBE}
    assert b"request failed" in said, "no page broke"
    assert b'"rule": "/sign-in"' in said
    assert len(counted) >= 3, "no try was counted: what this test looks for in Redis was never there"
    assert waiting == everything(here, *MARKS) == {}
    assert traces(said, *MARKS) == []


def _look_round(visitor: Visitor, world: World, member: int) -> None:
    """What a member and a friend do."""
    keyring, blast = world.installation.keyring, world.blast_id
    at = {purpose: keyring.token(purpose, Ticket(member, blast)) for purpose in Purpose}
    with world.installation.database.read() as session:
        code = session.get_one(Member, member).share_code
    for path in (f"/c/{at[Purpose.CLICK]}/1", f"/o/{at[Purpose.OPEN]}.gif", f"/s/{code}/love-always-wins"):
        assert visitor.ask("GET", path)[0] in (200, 302), path
    for path in (f"/p/{at[Purpose.PREFERENCES]}", f"/v/{at[Purpose.VIEW]}", "/w/love-always-wins/en", "/j/everyone"):
        assert visitor.ask("GET", path)[0] == 200, path
    form = visitor.ask("GET", "/j/everyone")[1]
    stamp = re.search(r'name="stamp" value="([^"]+)"', form)
    assert stamp
    time.sleep(2.5)  # a person reads before they write
    assert visitor.ask("POST", "/j/everyone", email=ADDRESS, name="qvogel", stamp=stamp[1])[0] == 303
    assert visitor.ask("POST", f"/u/{at[Purpose.UNSUBSCRIBE]}")[0] == 200
    assert visitor.ask("POST", f"/u/{at[Purpose.UNSUBSCRIBE]}/why", why="other", words=ADDRESS)[0] == 303


def _go_wrong(visitor: Visitor, world: World, member: int) -> None:
    """What is refused, what breaks, and what is no request at all."""
    _status, form = visitor.ask("GET", "/sign-in")
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', form)
    assert csrf
    assert visitor.ask("POST", "/sign-in", csrf_token=csrf[1], email=ADDRESS, password=ADDRESS)[0] == 422
    for path in (f"/nowhere?{ADDRESS}", f"/u/%00{ADDRESS}", f"/c/{ADDRESS}/1", f"/w/%ff/{ADDRESS}", f"/{'x' * 9000}"):
        assert visitor.ask("GET", path)[0] in (400, 404, 414, 431), path
    assert visitor.ask("DELETE", "/" + ADDRESS)[0] in (404, 405)
    with world.installation.database.write() as session:
        session.execute(update(Member).where(Member.id == member).values(sealed=b"broken"))
    hour = int(time.time() // 3600)
    record = world.installation.keyring.token(Purpose.RECORD, Ticket(member, hour))
    assert visitor.ask("GET", f"/r/{record}?{ADDRESS}")[0] == 500
    for words in (f"GET {ADDRESS}\r\n\r\n", f"{AGENT}\r\n", f"GET / HTTP/1.1\r\nHost: {ADDRESS}\r\nX: \0\r\n\r\n"):
        visitor.shout(words.encode())


def _names_in_redis(here: Installation) -> list[bytes]:
    """By what the tries of visitors are counted; each name is forgotten with its day."""
    with Redis.from_url(here.settings.redis_url) as redis:
        names = list(redis.scan_iter(match="LIMITS*"))
        assert all(0 < redis.ttl(name) <= 24 * 3600 for name in names)
        return names
