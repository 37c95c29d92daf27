"""What people see while the disk of the database is full: what happened, that nothing was changed, what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pytest
from redis import Redis
from sqlalchemy import func, select

from mobilizer import jobs
from mobilizer.blasts.blasts import Rendition
from mobilizer.delivery import holds
from mobilizer.installation import Installation
from mobilizer.organizers.audit import AuditEntry
from mobilizer.organizers.policy import Role
from tests.full_disk import EVERYTHING, Disk
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

BLAST = "/blasts/love-always-wins"
LAUNCH, PROGRESS = f"{BLAST}/launch", f"{BLAST}/progress"
WAY_OUT = "Let the operator make room on that disk"


@pytest.fixture
def installation(installation: Installation, redis_url: str) -> Installation:
    """An installation with a queue."""
    settings = installation.settings.model_copy(update={"redis_url": redis_url})
    return dataclasses.replace(installation, settings=settings)


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    return signed_in(Role.ORGANIZER)


@pytest.fixture
def known(redis_url: str, installation: Installation) -> Iterator[None]:
    """A worker has found the disk full."""
    jobs.note_full_disk(installation.settings)
    yield
    with Redis.from_url(redis_url) as redis:
        redis.delete(jobs.NO_ROOM)


def written(world: World) -> tuple[object, ...]:
    """What a launch writes."""
    with world.installation.database.read() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Rendition, AuditEntry)]
        return world.blast().state, world.blast().revision, *counts


def test_a_launch_that_finds_no_room_says_so_and_changes_nothing(organizer: Browser, world: World) -> None:
    disk, fields, before = Disk(world.installation.database), seen(organizer, LAUNCH), written(world)
    with disk.full(*EVERYTHING):
        answer = organizer.post(LAUNCH, people="5", **fields)
        assert answer.status_code == 503
        assert "The disk is full" in answer.text
        assert "Nothing was changed" in answer.text
        assert organizer.get(LAUNCH).status_code == 200, "whoever only looks still can"
    assert written(world) == before
    assert organizer.post(LAUNCH, people="5", **fields).location == PROGRESS
    assert world.blast().state == "launching"


@pytest.mark.parametrize("language", ["es", "ar"])
def test_it_is_said_in_the_readers_language(signed_in: Callable[..., Browser], world: World, language: str) -> None:
    make_ready(world)
    browser = signed_in(Role.ORGANIZER, interface_language=language)
    fields = seen(browser, LAUNCH)
    with Disk(world.installation.database).full(*EVERYTHING):
        page = browser.post(LAUNCH, people="5", **fields).text
    assert f'lang="{language}"' in page
    assert "The disk is full" not in page


def test_a_blast_that_holds_itself_for_want_of_room_says_what_happened(organizer: Browser, world: World) -> None:
    world.launch()
    with world.installation.database.write() as session:
        holds.note_full_disk(session, world.blast_id)
    page = organizer.get(PROGRESS).text
    assert "The disk of the database is full." in page
    assert WAY_OUT in page
    assert "by itself:" in page
    assert "The disk of the database is full." in organizer.get("/").text


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("path", [PROGRESS, "/"])
def test_a_blast_that_can_not_even_hold_itself_is_explained_all_the_same(
    organizer: Browser, world: World, path: str
) -> None:
    world.launch()
    page = organizer.get(path).text
    assert "The disk is full" in page
    assert WAY_OUT in page
    assert "No worker is" not in page.split("foot row")[0], "workers can't write that they are alive"


@pytest.mark.parametrize("path", [PROGRESS, "/"])
def test_where_no_disk_is_known_to_be_full_none_is_spoken_of(organizer: Browser, world: World, path: str) -> None:
    world.launch()
    assert "The disk is full" not in organizer.get(path).text
