"""House: nobody is named where nobody should be. A canary in every name and address leaves no trace in the clear."""

from __future__ import annotations

import base64
import json
import quopri
import time
import zlib
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import Redis
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer import jobs, recording
from mobilizer.audience import importing
from mobilizer.audience.imports import Import
from mobilizer.audience.lists import MemberList
from mobilizer.blasts import launching, lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.notices import noting
from mobilizer.notices.notices import NoticeMail
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.problems import Problem
from tests.house.canaries import CANARY, NAMED, everything, files_of, redis_of, rows_of, traces, work
from tests.transport.scripted_relay import ScriptedRelay
from tests.worlds import World

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
OUT = "yq3outling"  # not a canary: the write-ahead log of PostgreSQL is all tests' own
WITHOUT_HEADER = f"headless.{CANARY}@example.org,Gil {CANARY},en\n"


def bring_in(installation: Installation, list_id: int, name: str, data: str) -> None:
    """Upload a file and let its import run as a job."""
    with installation.database.write() as session:
        row = importing.store(session, installation, list_id=list_id, filename=name, data=data.encode())
        row.options = {**row.options, "consent_source": "Petition", "consent_date": "2026-03-08"}
        assert importing.start(session, row) == []
        number = row.id
    assert jobs.enqueue(installation, Work.IMPORT, number)


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
        recording.buffer_of(here).note(Hit(EventKind.CLICK, at=time.time(), blast=world.blast_id, member=1, link_n=1))
        recording.settle(here.database)
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
        session.add(MemberList(slug="out", name=f"out {OUT}"))
    (here.settings.home / "out.txt").write_text(f"{OUT}@example.org")
    with Redis.from_url(here.settings.redis_url) as redis:
        redis.hset("out", "data", zlib.compress(OUT.encode()))
    found = everything(here, OUT)
    assert set(found) == {"rows", "files", "redis"}
    assert all("clear" in ways for ways in found.values())


@pytest.mark.parametrize("said", [NAMED, NAMED.upper(), f"Ana {NAMED.lower()}"])
def test_a_canary_is_seen_in_whatever_form(said: str) -> None:
    written = [said.encode(code) for code in ("utf-8", "cp1252", "utf-16-le", "utf-16-be")]
    written += [quopri.encodestring(said.encode()), quote(said).encode(), json.dumps(said).encode()]
    written += [base64.b64encode(before + f"{said} and others".encode()) for before in (b"", b"a", b"ab")]
    written += [said.encode().hex().encode(), said.encode().hex().upper().encode()]
    for form in written:
        assert traces(b"before " + form + b" after"), form
    assert traces(b"Nobody is here") == []
