"""`mobilizer members ...`: figures for all, addresses only for who asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mobilizer.cli import main

Command = Callable[..., Result]

FILE = "Correo;Nombre;Idioma\nana@example.org;José Núñez;Español\nbad@;Bob;en\ncleo@example.org;=cmd();fr\n"


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Command:
    (tmp_path / "m.csv").write_bytes(FILE.encode("cp1252"))

    def run(*words: str) -> Result:
        arguments = ["--home", str(tmp_path), "members", *words]
        return CliRunner().invoke(main, arguments, env={"MOBILIZER_DATABASE_URL": database_url, "COLUMNS": "200"})

    return run


def test_a_file_goes_in_and_the_figures_come_out(run: Command, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    path = str(tmp_path / "m.csv")
    done = run("import", path, "--list", "friends", "--create", "Our friends", "--report", str(report))
    assert done.exit_code == 0, done.output
    assert "2" in done.output
    assert not any(quoted in done.output for quoted in ("ana@", "bad@", "cleo@", "Bob"))
    assert "Line 3: email: " in done.output
    assert "Look for a missing ending." in done.output, "the fix is said, without what was written"
    assert "bad@" in report.read_text(encoding="utf-8-sig")
    counted = json.loads(run("count", "--json").output)
    assert counted == {"members": 2, "lists": {"friends": {"members": 2, "languages": {"es": 1, "fr": 1}}}}
    again = run("import", path, "--list", "friends", "--map", "email=Correo,name=2", "--json")
    assert json.loads(again.output)["counts"] == {"unchanged": 2, "invalid": 1}


def test_addresses_are_shown_only_when_asked_for(run: Command, tmp_path: Path) -> None:
    shown = run("import", str(tmp_path / "m.csv"), "--list", "friends", "--create", "Friends", "--show")
    assert "“bad@”" in shown.output
    assert "example.org" not in run("list").output
    listed = run("list", "--list", "friends", "--language", "es", "--standing", "confirmed", "--show").output
    assert "ana@example.org" in listed
    assert "José Núñez" in listed
    assert "cleo" not in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--list", "nope"], "There is no list “nope”"),
        (["--list", "No Slug", "--create", "x"], "not a slug"),
        (["--list", "f", "--create", "F", "--map", "email=Mail"], "There is no column “Mail”"),
        (["--list", "f", "--create", "F", "--map", "name=Nombre"], "No column holds the e-mail addresses"),
        (["--list", "f", "--create", "F", "--language", "klingon"], "not a language code"),
        (["--list", "f", "--create", "F", "--encoding", "utf-99"], "not an encoding"),
    ],
)
def test_a_command_that_cannot_be_done_says_why_and_does_nothing(
    run: Command, tmp_path: Path, words: list[str], said: str
) -> None:
    refused = run("import", str(tmp_path / "m.csv"), *words)
    assert refused.exit_code == 1
    assert said in refused.output
    assert json.loads(run("count", "--json").output) == {"members": 0, "lists": {}}
