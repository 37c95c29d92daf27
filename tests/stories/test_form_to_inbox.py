"""From a form to an inbox and back: what an organizer launches arrives, and what members do with it is counted.

No browser, but nothing is pretended: forms over HTTP, the queue, a worker process, SMTP into the built-in inbox.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from mobilizer import jobs, recording
from mobilizer.audience.lists import Standing
from mobilizer.audience.standing import lists_of
from mobilizer.blasts.lifecycle import by_slug
from mobilizer.db import clock
from mobilizer.delivery.ledger import Delivery
from mobilizer.demo.visitor import Page, Visitor
from mobilizer.engagement import damaged
from mobilizer.engagement.hits import Parcel, record_parcels
from mobilizer.engagement.results import LanguageResults, results
from mobilizer.installation import Installation
from mobilizer.jobs import Work
from mobilizer.keys import Purpose, Ticket
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.reconciler import Reconciler
from mobilizer.settings import Settings
from mobilizer.transport.inbox import Inbox
from mobilizer.transport.reading import Reading, read
from tests.browser import PASSWORD, Served
from tests.stories.processes import house, until, worker
from tests.web.appeal_stage import make_ready
from tests.worlds import WORDS, World

BLAST = "love-always-wins"
EMAIL = "ada@example.org"
PEOPLE = {f"member{n}@example.org": tag for n, tag in enumerate(["en", "es", "en", "es", "en"])}


@pytest.fixture
def installation(settings: Settings, redis_url: str, free_port: int) -> Iterator[Installation]:
    """An installation as the demo has it; each story starts the worker when it wants one."""
    with house(settings, redis_url, free_port) as here:
        yield here


@pytest.fixture
def world(world: World) -> World:
    """The world of all tests, with nothing left that forbids launch."""
    make_ready(world)
    return world


@pytest.fixture
def site(served: Served, world: World) -> str:
    """Where the pages are; the links of the mails lead there too."""
    assert served.url == world.installation.settings.base_url
    return served.url


def sign_in(site: str, world: World) -> Visitor:
    """An organizer who came in through the form."""
    here = world.installation
    with here.database.write() as session:
        create_user(session, here.keyring, email=EMAIL, name="Ada", role=Role.ORGANIZER, password=PASSWORD)
    organizer = Visitor()
    inside = organizer.submit(organizer.get(f"{site}/sign-in"), "/sign-in", email=EMAIL, password=PASSWORD)
    assert (inside.status, urlsplit(inside.address).path) == (200, "/")
    return organizer


def type_number(organizer: Visitor, checked: Page, people: int) -> Page:
    """Launch from a check page, as the number of people typed allows."""
    path = urlsplit(checked.address).path.replace("/check", "/launch")
    return organizer.submit(checked, path, people=str(people))


def sent(world: World, slug: str = BLAST) -> None:
    """Let the reconciler tick until it has declared a blast sent."""

    def is_sent() -> bool:
        with world.installation.database.read() as session:
            blast = by_slug(session, slug)
            return blast is not None and blast.state == "sent"

    until(is_sent, Reconciler(world.installation).tick)


def mail_of(world: World, recipient: str) -> Reading:
    """The one mail of a person, as they read it."""
    inbox = Inbox(world.installation.settings.home)
    [arrived] = inbox.messages(recipient=recipient)
    whole = inbox.get(arrived.id)
    assert whole is not None
    return read(whole.raw)


def came_to_members(world: World) -> dict[str, list[tuple[int, str]]]:
    """The mails of the blasts, by recipient: who launched them is told by mail too, and is no member."""
    arrived = Inbox(world.installation.settings.home).by_recipient()
    return {who: mails for who, mails in arrived.items() if who != EMAIL}


def came_of_it(world: World) -> LanguageResults:
    """The results of the world's blast, all languages together."""
    with world.installation.database.read() as session:
        return results(session, world.blast_id).total


def follow(site: str, world: World, member: int) -> None:
    """A member follows the first link of their mail."""
    token = world.installation.keyring.token(Purpose.CLICK, Ticket(member=member, blast=world.blast_id))
    assert Visitor().get(f"{site}/c/{token}/1", follow=False).status == 302
    recording.settle(world.installation.database)


def test_what_is_launched_in_a_form_arrives_in_every_inbox_once_and_in_the_right_language(
    site: str, world: World
) -> None:
    here = world.installation
    check = f"{site}/blasts/{BLAST}/check"
    organizer = sign_in(site, world)
    assert urlsplit(Visitor().get(check).address).path == "/sign-in", "nobody launches who is not signed in"
    looked_at = organizer.get(check)

    assert organizer.post(f"{site}/blasts/{BLAST}/launch", {"people": str(len(PEOPLE))}).status == 400, "no form token"
    assert type_number(organizer, looked_at, len(PEOPLE) + 1).status == 422
    assert (world.blast().state, jobs.queued(here.settings)) == ("draft", set())

    launched = type_number(organizer, looked_at, len(PEOPLE))
    assert (launched.status, urlsplit(launched.address).path) == (200, f"/blasts/{BLAST}/progress")
    assert (world.blast().state, world.states()) == ("launching", {}), "a page freezes no audience"
    assert jobs.queued(here.settings) == {f"launch-{world.blast_id}"}

    with worker(here, here.settings.smtp_port):
        sent(world)
    assert world.states() == {"accepted": len(PEOPLE)}
    arrived = came_to_members(world)
    assert {who: [tag for _, tag in mails] for who, mails in arrived.items()} == {w: [t] for w, t in PEOPLE.items()}
    for who, tag in PEOPLE.items():
        assert mail_of(world, who).subject == WORDS[tag][0]


def test_a_click_leads_to_the_film_at_once_and_is_counted_once_though_the_database_fails_meanwhile(
    site: str, world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    here, reconciler = world.installation, Reconciler(world.installation)
    world.launch()
    with worker(here, here.settings.smtp_port):
        sent(world)
        link = re.search(r'href="(http[^"]+/c/([^"/]+)/1)"', mail_of(world, "member1@example.org").html)
        assert link
        with here.database.write() as session:  # who follows a link as soon as its mail is out is a machine
            session.execute(update(Delivery).values(settled_at=clock(-60)))
        rename(here, "events", "events_away")
        answer = Visitor().get(link[1], follow=False)
        assert answer.status == 302
        assert answer.location.startswith(f"/w/{BLAST}/es/")
        assert link[2] not in answer.location, "an address that is passed on must not act for its member"
        film = Visitor().get(site + answer.location)
        assert film.status == 200
        assert link[2] not in film.text

        until(lambda: counting_failed(here), reconciler.tick)
        assert recording.hits_waiting(here)
        rename(here, "events_away", "events")
        assert came_of_it(world).clicks == 0
        until(lambda: not recording.hits_waiting(here), reconciler.tick)
    assert '"event": "work_failed"' in capfd.readouterr().err, "a worker logs in JSON, never the values in its hand"
    recording.drain_hits(here)
    with here.database.read() as session:
        languages = results(session, world.blast_id).languages
    assert {each.language: (each.clickers, each.clicks) for each in languages} == {"en": (0, 0), "es": (1, 1)}


def rename(here: Installation, table: str, to: str) -> None:
    """What makes every statement on a table fail, for this process and for all others."""
    with here.database.write() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {to}"))


def counting_failed(here: Installation) -> bool:
    """Whether a worker has tried to count the hits, and failed."""
    with Redis.from_url(here.settings.redis_url) as redis:
        try:
            job = Job.fetch(jobs.job_id(Work.HITS, 0), connection=redis, serializer=JSONSerializer)
        except NoSuchJobError:
            return False
        return job.get_status() == JobStatus.FAILED


def test_a_count_that_is_broken_off_is_taken_back_whole_and_done_again(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world.installation
    world.launch()
    follow(site, world, world.members[0])

    def write_then_fail(session: Session, parcels: Sequence[Parcel]) -> int:
        assert record_parcels(session, parcels) == 1
        raise OperationalError("COMMIT", {}, Exception("the connection is lost"))

    monkeypatch.setattr(damaged, "record_parcels", write_then_fail)
    with pytest.raises(OperationalError):
        recording.drain_hits(here)
    assert recording.hits_waiting(here)
    assert came_of_it(world).clicks == 0

    monkeypatch.setattr(damaged, "record_parcels", record_parcels)
    recording.drain_hits(here)
    assert not recording.hits_waiting(here)
    assert came_of_it(world).clicks == 1


def test_two_workers_who_count_at_once_count_nothing_twice(
    site: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = world.installation
    world.launch()
    follow(site, world, world.members[0])
    counted: list[int] = []

    def meanwhile_another_comes(session: Session, parcels: Sequence[Parcel]) -> int:
        counted.append(sum(len(parcel.hits) for parcel in parcels))
        if len(counted) == 1:
            follow(site, world, world.members[1])
            recording.drain_hits(here)
        return record_parcels(session, parcels)

    monkeypatch.setattr(damaged, "record_parcels", meanwhile_another_comes)
    recording.drain_hits(here)
    assert counted == [1, 1], "the second found it busy; what came meanwhile was counted after"
    assert not recording.hits_waiting(here)
    assert (came_of_it(world).clickers, came_of_it(world).clicks) == (2, 2)


def test_one_click_in_the_mail_program_unsubscribes_and_the_next_blast_leaves_them_out(site: str, world: World) -> None:
    here = world.installation
    leaver, member = "member1@example.org", world.members[1]
    world.launch()
    with worker(here, here.settings.smtp_port):
        sent(world)
        headers = dict(mail_of(world, leaver).headers)
        offered = re.search(r"<(https?://[^>]+)>", headers["List-Unsubscribe"])
        assert offered
        assert one_click(offered[1], headers["List-Unsubscribe-Post"]) == (200, None, None)
        with here.database.read() as session:
            assert [at.standing for at in lists_of(session, member)] == [Standing.UNSUBSCRIBED]
        assert came_of_it(world).unsubscribes == 1

        organizer = sign_in(site, world)
        fields = {"appeal": BLAST, "slug": "once-more", "default_language": "en", f"list-{world.list_id}": "in"}
        checked = organizer.submit(organizer.get(f"{site}/blasts/new"), "/blasts/new", **fields)
        assert type_number(organizer, checked, len(PEOPLE)).status == 422, "one is gone"
        assert type_number(organizer, checked, len(PEOPLE) - 1).status == 200
        sent(world, "once-more")
    arrived = came_to_members(world)
    assert {who: len(mails) for who, mails in arrived.items()} == {who: 1 if who == leaver else 2 for who in PEOPLE}


def one_click(address: str, body: str) -> tuple[int, str | None, str | None]:
    """What a mail program does (RFC 8058): no cookie sent; the status, where it would lead on, a cookie to keep."""
    where = urlsplit(address)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=30)
    try:
        connection.request("POST", where.path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Location"), answer.getheader("Set-Cookie")
    finally:
        connection.close()
