"""What languages fall back to: said by the organisation, free of circles, and frozen with each blast."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import check
from mobilizer.blasts.fallbacks import Working, fallbacks_of, keep_working, working
from mobilizer.cli import main
from mobilizer.db import Database
from mobilizer.installation import Installation
from mobilizer.keys import Keyring
from mobilizer.languages import CaughtBy, Choice, choose, fallback_chain, parents
from mobilizer.settings import Settings
from tests.worlds import WORDS, World

TAGS = ("es", "pt", "pt-PT", "pt-AO", "pt-BR", "fr", "en", "ar")
LUSOPHONE = {"pt-AO": "pt-PT", "pt-PT": "pt", "pt": "es"}


@pytest.fixture
def installation(settings: Settings, database: Database, keyring: Keyring) -> Iterator[Installation]:
    return Installation(settings, database, keyring)


@pytest.fixture
def world(installation: Installation) -> World:
    """Someone from Angola, someone from France, and an appeal in English and Spanish."""
    world = World(installation)
    world.make_list()
    world.join(["pt-AO", "fr"])
    world.write_appeal(words=WORDS)
    return world


def keep(installation: Installation, languages: dict[str, str], default: str = "") -> list[str]:
    with installation.database.write() as session:
        return [one.code for one in keep_working(session, Working(languages, default))]


def test_a_chain_goes_as_is_said_and_else_as_cldr_says() -> None:
    assert fallback_chain("pt-AO", LUSOPHONE) == ("pt-AO", "pt-PT", "pt", "es")
    assert fallback_chain("pt-BR", LUSOPHONE) == ("pt-BR", "pt", "es")
    assert fallback_chain("es-MX", {}) == parents("es-MX")
    assert fallback_chain("pt", {"pt": "pt-PT"}) == ("pt", "pt-PT")


@given(st.dictionaries(st.sampled_from(TAGS), st.sampled_from(TAGS)), st.sampled_from(TAGS))
def test_every_chain_ends_and_has_no_language_twice(fallbacks: dict[str, str], tag: str) -> None:
    chain = fallback_chain(tag, fallbacks)
    assert chain[0] == tag
    assert len(set(chain)) == len(chain)


@given(st.sampled_from(TAGS), st.none() | st.sampled_from(TAGS), st.sets(st.sampled_from(TAGS), min_size=1))
def test_where_nothing_is_said_people_get_what_they_ever_got(first: str, second: str | None, offered: set[str]) -> None:
    tags = [*parents(first), *(parents(second) if second else ()), "fr"]
    expected = next((tag for tag in tags if tag in offered), "en")
    assert choose(first, second, offered, ["fr"], "en").language == expected


def test_a_second_language_comes_behind_the_forms_of_ones_own_and_ahead_of_others() -> None:
    def given(offered: list[str], second: str | None = None) -> Choice:
        return choose("pt-AO", second, offered, ["en"], "en", LUSOPHONE)

    assert given(["pt", "fr", "es"], "fr") == Choice("pt", CaughtBy.PARENT)
    assert given(["fr", "es", "en"], "fr") == Choice("fr", CaughtBy.SECOND)
    assert given(["es", "en"], "fr") == Choice("es", CaughtBy.CHAIN)
    assert given(["en"]) == Choice("en", CaughtBy.CHAIN)


def test_a_circle_is_refused_with_the_way_round_and_nothing_is_changed(installation: Installation) -> None:
    assert keep(installation, LUSOPHONE) == []
    with installation.database.write() as session:
        circle = {**LUSOPHONE, "es": "pt-AO"}
        [problem] = keep_working(session, Working(circle))
        assert problem.text().count("→") == 4
        assert working(session).languages == LUSOPHONE
    assert keep(installation, {"es": "es"}) == ["languages.loop"]
    assert keep(installation, {"klingon!": ""}) == ["languages.unknown"]


def test_tags_are_kept_in_their_usual_spelling_and_the_default_is_worked_in(installation: Installation) -> None:
    assert keep(installation, {"PT_ao": "pt"}, "FR") == []
    with installation.database.read() as session:
        assert working(session) == Working({"fr": "", "pt-AO": "pt"}, "fr")


def test_the_check_says_and_the_ledger_keeps_what_held_at_launch(world: World, installation: Installation) -> None:
    before = world.blast().revision
    keep(installation, LUSOPHONE)
    assert world.blast().revision == before + 1, "who saw the old languages can't launch"
    with installation.database.read() as session:
        blast = session.get_one(Blast, world.blast_id)
        found = {one.language: dict(one.gets) for one in check(session, installation, blast, blast.created_at).audience}
    assert found == {"pt-AO": {("es", "chain"): 1}, "fr": {("en", "default"): 1}}
    assert world.launch()
    keep(installation, {})
    with installation.database.read() as session:
        assert fallbacks_of(session, session.get_one(Blast, world.blast_id)) == LUSOPHONE
    given = world.delivery(world.members[0])
    assert (given.language, given.caught_by) == ("es", "chain")


def test_languages_are_said_from_the_command_line(tmp_path: Path, database_url: str) -> None:
    def run(*words: str) -> Result:
        arguments = ["--home", str(tmp_path), "languages", *words]
        return CliRunner().invoke(main, arguments, env={"MOBILIZER_DATABASE_URL": database_url, "COLUMNS": "200"})

    assert run("set", "pt-AO", "pt").exit_code == 0
    assert run("set", "pt", "es").exit_code == 0
    assert run("default", "fr").exit_code == 0
    assert "pt → es" in run("list").output
    refused = run("set", "es", "pt-AO")
    assert (refused.exit_code, "in a circle" in refused.output) == (1, True)
    assert run("unset", "pt").exit_code == 0
    assert json.loads(run("list", "--json").output) == {
        "default": "fr",
        "languages": {"fr": ["fr"], "pt-AO": ["pt-AO", "pt"]},
    }
