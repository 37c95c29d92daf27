"""`mobilizer segments ...`: which there are, and how many people fit one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from mobilizer.cli import main
from mobilizer.segments import keeping
from mobilizer.segments.tree import read_rules
from tests.worlds import World

Command = Callable[..., Result]
RULES = [{"any": [{"rule": "language", "language": "es"}, {"not": {"rule": "did_ever", "act": "click"}}]}]


@pytest.fixture
def run(world: World, database_url: str) -> Command:
    with world.installation.database.write() as session:
        keeping.create(session, "Quiet", read_rules(RULES))
        keeping.create(session, "Spanish", read_rules([{"rule": "language", "language": "es"}]))
        keeping.create(session, "Old", read_rules([{"rule": "on_list", "list": 99, "standing": "confirmed"}]))

    def run(*words: str) -> Result:
        arguments = ["--home", str(world.installation.settings.home), "segments", *words]
        return CliRunner().invoke(main, arguments, env={"MOBILIZER_DATABASE_URL": database_url, "COLUMNS": "200"})

    return run


def test_segments_are_listed_in_sentences_and_as_json(run: Command) -> None:
    listed = run("list").output
    assert "At least one of these:" in listed
    assert "  Has never clicked" in listed
    found = json.loads(run("list", "--json").output)
    assert [one["slug"] for one in found] == ["old", "quiet", "spanish"]
    assert found[1] == {"slug": "quiet", "name": "Quiet", "rules": RULES}


def test_who_fits_is_counted_by_language(run: Command) -> None:
    assert json.loads(run("count", "quiet", "--json").output) == {
        "slug": "quiet",
        "people": 5,
        "languages": {"en": 3, "es": 2},
    }
    shown = run("count", "spanish").output
    assert "es" in shown
    assert "Together" in shown


def test_what_can_not_be_counted_says_why(run: Command) -> None:
    gone = run("count", "old")
    assert gone.exit_code == 1
    assert "rules.0.list: A rule names a list that is gone." in gone.output
    nobody = run("count", "nobody")
    assert nobody.exit_code == 2
    assert "there is no segment “nobody”" in nobody.output


def test_rules_that_can_not_be_used_are_said_in_the_list_and_end_a_count(run: Command, world: World) -> None:
    deep: object = {"rule": "language", "language": "en"}
    for _ in range(50):
        deep = {"not": deep}
    with world.installation.database.write() as session:
        found = keeping.by_slug(session, "quiet")
        assert found is not None
        found.rules = [deep]
    listed = run("list").output
    assert "A rule names a list that is gone." in listed
    assert "nested too deep" in listed
    for slug, said in (("old", "names a list that is gone"), ("quiet", "nested too deep: at most 5 groups")):
        answer = run("count", slug)
        assert (answer.exit_code, said in answer.output) == (1, True)
