"""A small organisation whose one blast went out, and a browser without cookies in front of its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.media import keep
from mobilizer.audience.lists import MemberList, Standing, Subscription
from mobilizer.audience.members import Identity, Member, seal_identity
from mobilizer.blasts.blasts import Blast, BlastList, Link, Rendition
from mobilizer.blasts.renditions import freeze
from mobilizer.db import Base, Database
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.engagement.events import Event
from mobilizer.installation import Installation
from mobilizer.keys import Keyring, Purpose, Ticket
from mobilizer.recording import buffer_of
from mobilizer.settings import Settings
from tests.one_app import app_of

CAPTIONS = b"WEBVTT\n\n00:00.000 --> 00:02.000\nLove always wins.\n"
CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 40
BODY = 'Dear {{ first_name | "friend" }}, two skaters meet.\n\nRead [the law](https://law.example.org/x?a=1&b=2).'

WORDS = {
    "en": ("Love Always Wins", "A two-minute film", "Watch this with me"),
    "es": ("El amor siempre gana", "Una película de dos minutos", "Mírala conmigo"),
    "ar": ("الحب ينتصر دائمًا", "فيلم من دقيقتين", "شاهدوه معي"),
    "hi": ("प्रेम की हमेशा जीत होती है", "दो मिनट की फ़िल्म", "मेरे साथ देखें"),
}


# Forms that lead on to a page; who leaves in one click (RFC 8058) is led nowhere.
LEADS_ON = re.compile(r"/(?:p|k|r)/|/u/\w+/")


class Reader(FlaskClient):
    """A client that reads each answer to its end, and goes on to where a form of a token leads, as a browser does."""

    def open(self, *args: Any, **values: Any) -> TestResponse:
        answer = super().open(*args, **{"buffered": True, **values})
        if answer.status_code == 303 and LEADS_ON.match(answer.request.path):
            return super().open(answer.location, base_url=answer.request.host_url, buffered=True)
        return answer


@dataclass
class World:
    """The installation, its application, and the ids of what is in it."""

    installation: Installation
    app: Flask
    blast: int
    ana: int
    amal: int
    lists: tuple[int, int, int]

    def browser(self, **headers: str) -> FlaskClient:
        """A client that keeps no cookies; `accept_language="fr"` is what it speaks."""
        client = Reader(self.app, use_cookies=False)
        for name, value in headers.items():
            client.environ_base[f"HTTP_{name.upper()}"] = value
        return client

    def did(self, did: str, path: str = "/w/love-always-wins/es/anascode22", **said: str) -> TestResponse:
        """Let a page of its own showing say what was done on it, as its script does."""
        page = self.browser().get(path).text
        found = re.search(r'data-stamp="([^"]+)"', page)
        data = {"did": did, "stamp": found[1] if found else "", "beacon": "1", **said}
        return self.browser(sec_fetch_site="same-origin").post(path, data=data)

    def token(self, purpose: Purpose, member: int | None = None, blast: int | None = None) -> str:
        """A token for Ana and the blast, unless said otherwise."""
        who = self.ana if member is None else member
        return self.installation.keyring.token(purpose, Ticket(who, self.blast if blast is None else blast))

    def code(self, member: int) -> str:
        """A member's share code."""
        with self.installation.database.read() as session:
            return session.get_one(Member, member).share_code

    def link(self, kind: str) -> int:
        """The number of the blast's link of a kind."""
        with self.installation.database.read() as session:
            return session.scalars(select(Link.n).where(Link.blast_id == self.blast, Link.kind == kind)).first() or 0

    def standing(self, member: int) -> dict[int, str]:
        """A member's standing, list by list."""
        with self.installation.database.read() as session:
            rows = session.execute(
                select(Subscription.list_id, Subscription.standing).where(Subscription.member_id == member)
            )
            return dict(rows.all())

    def events(self) -> list[Event]:
        """All events, oldest first."""
        buffer_of(self.installation).settle()
        with self.installation.database.read() as session:
            found = list(session.scalars(select(Event).order_by(Event.id)))
            session.expunge_all()
            return found

    def snapshot(self) -> dict[str, list[tuple[object, ...]]]:
        """Every row of every table."""
        buffer_of(self.installation).settle()
        with self.installation.database.read() as session:
            return {
                table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
                for table in Base.metadata.sorted_tables
            }


@pytest.fixture
def world(database: Database, settings: Settings, keyring: Keyring) -> World:
    """Ana speaks Spanish, Amal Arabic; both are on two lists and had the mail."""
    # Nobody listens there: what is noted goes straight into the database.
    settings = settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    installation = Installation(settings, database, keyring)
    with database.write() as session:
        lists = _lists(session)
        ana = _member(session, keyring, "ana@example.org", "Ana Díaz", "es", "anascode22")
        amal = _member(session, keyring, "amal@example.org", "", "ar", "amalcode33")
        for member in (ana, amal):
            for number in lists[:2]:
                session.add(Subscription(list_id=number, member_id=member, standing=Standing.CONFIRMED))
        blast = _blast(session, settings, lists[0])
        for member, tag in ((ana, "es"), (amal, "ar")):
            _delivery(session, blast, member, tag, lists[0])
        number = blast.id
    return World(installation, app_of(installation), number, ana, amal, lists)


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the pages are served to a real browser: where the settings say, if that is here, else on a free port."""
    base = urlsplit(world.installation.settings.base_url)
    port = base.port if base.hostname == "127.0.0.1" else None
    server = make_server("127.0.0.1", port or 0, world.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def count(session: Session, entity: type[Base]) -> int:
    """How many rows there are."""
    return session.scalars(select(func.count()).select_from(entity)).one()


def _lists(session: Session) -> tuple[int, int, int]:
    lists = [MemberList(slug=f"list-{n}", name=name) for n, name in enumerate(("News", "Family & friends", "Other"))]
    session.add_all(lists)
    session.flush()
    first, second, third = (at.id for at in lists)
    return first, second, third


def _member(session: Session, keyring: Keyring, email: str, name: str, tag: str, code: str) -> int:
    address_key, domain_key, sealed = seal_identity(keyring, Identity(email, name))
    member = Member(
        address_key=address_key, domain_key=domain_key, sealed=sealed, language=tag, share_code=code, attributes={}
    )
    session.add(member)
    session.flush()
    return member.id


def _blast(session: Session, settings: Settings, list_id: int) -> Blast:
    appeal = _appeal(settings.media)
    session.add(appeal)
    session.flush()
    blast = Blast(
        slug="love-always-wins",
        appeal_id=appeal.id,
        state="sending",
        default_language="en",
        chain=["en"],
        hold_reason="",
    )
    blast.targets.append(BlastList(list_id=list_id, included=True))
    session.add(blast)
    session.flush()
    _freeze(session, settings, blast)
    return blast


FROZEN: dict[str, list[Any]] = {}


def _freeze(session: Session, settings: Settings, blast: Blast) -> None:
    """Compile once for all tests of a site: the words are always the same."""
    if settings.base_url not in FROZEN:
        freeze(session, settings, blast)
        rows = (*session.scalars(select(Link)), *session.scalars(select(Rendition)))
        FROZEN[settings.base_url] = [_fields(row) for row in rows]
        return
    for entity, fields in FROZEN[settings.base_url]:
        session.add(entity(**{**fields, "blast_id": blast.id}))
    session.flush()


def _fields(row: Any) -> tuple[type[Base], dict[str, Any]]:
    names = [column.key for column in type(row).__table__.columns if column.key != "created_at"]
    return type(row), {name: getattr(row, name) for name in names}


def _appeal(media: Path) -> Appeal:
    picture = BytesIO()
    Image.new("RGB", (1200, 675), (165, 18, 61)).save(picture, "JPEG")
    appeal = Appeal(
        slug="love-always-wins",
        source_language="en",
        video=keep(media, CLIP, ".mp4"),
        poster=keep(media, picture.getvalue(), ".jpg"),
        video_seconds=120,
    )
    for tag, (title, preheader, share) in WORDS.items():
        appeal.translations.append(
            Translation(
                language=tag,
                title=title,
                subject=title,
                preheader=preheader,
                greeting="{{ first_name }},",
                greeting_nameless="!",
                body=BODY,
                button=title,
                poster_alt=title,
                share_text=share,
                captions=keep(media, CAPTIONS, ".vtt"),
            )
        )
    return appeal


def _delivery(session: Session, blast: Blast, member: int, tag: str, list_id: int) -> None:
    batch = Batch(blast_id=blast.id, language=tag, state="done")
    session.add(batch)
    session.flush()
    session.add(
        Delivery(
            blast_id=blast.id,
            member_id=member,
            batch_id=batch.id,
            list_id=list_id,
            language=tag,
            caught_by="exact",
            state="accepted",
        )
    )
