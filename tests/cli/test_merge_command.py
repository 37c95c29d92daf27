"""`mobilizer members merge`: by numbers, foretold on request, refused in words, and written down."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from mobilizer.audience.members import Member
from mobilizer.audience.merged import who_stays
from mobilizer.cli import main
from mobilizer.installation import install
from mobilizer.organizers.audit import AuditEntry
from mobilizer.settings import Settings
from tests.one_database import database_url as database_url
from tests.worlds import World


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """A small organisation whose keys lie in its home folder, where commands find them."""
    here = install(settings)
    world = World(here)
    world.make_list()
    world.join(["en", "es", "en"])
    world.write_appeal()
    yield world
    here.database.close()


def merge(world: World, *words: object) -> Result:
    settings = world.installation.settings
    arguments = ["--home", str(settings.home), "members", "merge", *map(str, words)]
    return CliRunner().invoke(main, arguments, env={"MOBILIZER_DATABASE_URL": settings.database, "COLUMNS": "200"})


def test_two_records_are_merged_by_number_after_a_look(world: World) -> None:
    gone, stays, *_ = world.members
    looked = merge(world, gone, stays, "--dry-run")
    assert (looked.exit_code, "this was a dry run" in looked.output) == (0, True)
    with world.installation.database.read() as session:
        assert session.get(Member, gone)
        assert not session.scalars(select(AuditEntry)).all()
    done = merge(world, gone, stays)
    assert (done.exit_code, done.output) == (0, f"Member {gone} is merged into member {stays}.\n")
    assert "@" not in looked.output + done.output
    with world.installation.database.read() as session:
        assert who_stays(session, gone) == stays
        [entry] = session.scalars(select(AuditEntry))
    told = {"merged": gone, "by": "command line"}
    assert (entry.action, entry.subject, entry.detail) == ("member.merge", f"member:{stays}", told)


def test_what_is_not_merged_is_said(world: World) -> None:
    one, other, *_ = world.members
    world.launch()
    for words, code, said in (
        ((one, one), 1, "Choose another one."),
        ((one, 99999), 1, "Nobody has one of these numbers"),
        ((one, other), 1, "still under way"),
        ((one, other, "--dry-run"), 1, "still under way"),
        ((one, "ana@example.org"), 2, "not a valid integer"),
    ):
        answer = merge(world, *words)
        assert (answer.exit_code, said in answer.output) == (code, True), answer.output
