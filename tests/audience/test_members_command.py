"""`mobilizer members ...`: figures for all, addresses only for who asks."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mobilizer.audience import joining, running
from mobilizer.cli import main
from tests.audience.books import xlsx

Command = Callable[..., Result]

FILE = "Correo;Nombre;Idioma\nana@example.org;José Núñez;Español\nbad@;Bob;en\ncleo@example.org;=cmd();fr\n"


@pytest.fixture
def run(tmp_path: Path, database_url: str) -> Command:
    (tmp_path / "m.csv").write_bytes(FILE.encode("cp1252"))

    def run(*words: str, consent: bool = True) -> Result:
        told = ["--consent-source", "March", "--consent-date", "2026-03-08"] if consent and words[0] == "import" else []
        arguments = ["--home", str(tmp_path), "members", *words, *told]
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
    assert report.stat().st_mode & 0o777 == 0o600
    counted = json.loads(run("count", "--json").output)
    assert counted == {"members": 2, "lists": {"friends": {"members": 2, "languages": {"es": 1, "fr": 1}}}}
    again = run("import", path, "--list", "friends", "--map", "email=Correo,name=2", "--json")
    assert json.loads(again.output)["counts"] == {"unchanged": 2, "invalid": 1}


def test_a_number_that_nobody_has_is_refused(run: Command) -> None:
    assert run("list", "--before", "9" * 25).exit_code == 2


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


def test_a_dry_run_says_what_would_be_and_writes_nothing(run: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "m.csv")
    told = run("import", path, "--list", "friends", "--create", "Our friends", "--dry-run", "--json")
    assert json.loads(told.output) == {
        "counts": {"new": 2, "invalid": 1},
        "typos": 0,
        "blanked": 0,
        "languages": {"es": 1, "fr": 1},
        "unknown_languages": {},
    }
    assert json.loads(run("count", "--json").output) == {"members": 0, "lists": {}}
    assert not list(tmp_path.glob("imports/*"))
    run("import", path, "--list", "friends", "--create", "Our friends")
    again = run("import", path, "--list", "friends", "--dry-run")
    assert "unchanged" in again.output
    assert "Nothing was written" in again.output
    assert "ana@" not in again.output


def test_a_dry_run_says_how_the_file_is_read_and_that_can_be_changed(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes("email;nombre\nana@example.org;José\n".encode("cp1252"))
    words = ["import", str(path), "--list", "f", "--create", "F", "--dry-run"]
    told = run(*words).output
    assert "Read as Western (Windows-1252), semicolon between cells." in told
    assert "José" not in told
    assert "Do these words look right? José" in run(*words, "--show").output
    assert "Letters that cannot be read: 1" in run(*words, "--encoding", "utf-8").output
    assert "No column holds" in run(*words, "--delimiter", "bar", "--map", "name=1").output
    assert '"invalid": 1, "new": 1' in run(*words, "--no-header", "--map", "email=1", "--json").output


def test_who_agreed_where_and_when_must_be_said(run: Command, tmp_path: Path) -> None:
    path = str(tmp_path / "m.csv")
    refused = run("import", path, "--list", "f", "--create", "F", consent=False)
    assert refused.exit_code == 1
    assert "Say where these people agreed" in refused.output
    assert "Say when these people agreed" in refused.output
    assert json.loads(run("count", "--json").output)["members"] == 0


def test_ctrl_c_lets_a_chunk_be_written_and_says_how_to_go_on(
    run: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.csv"
    path.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(35)))
    monkeypatch.setattr(running, "CHUNK", 10)
    pressed = iter([False, True])

    def join(*args: Any) -> Any:
        if next(pressed, False):
            signal.raise_signal(signal.SIGINT)
        return joining.join(*args)

    monkeypatch.setattr(running, "join", join)
    stopped = run("import", str(path), "--list", "friends", "--create", "Friends")
    assert stopped.exit_code == 1
    assert "20 of 35 rows are in" in stopped.output
    assert "mobilizer members resume 1" in stopped.output
    gone_on = run("resume", "1", "--json")
    assert json.loads(gone_on.output) == {"state": "done", "rows": 35, "counts": {"new": 35}}
    assert "No import 1 is under way" in run("resume", "1").output


def test_a_sheet_of_a_workbook_is_named_by_its_number(run: Command, tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_bytes(xlsx({"Notes": [["x"]], "People": [["Correo", "Nombre"], ["ana@example.org", "Ana"]]}))
    words = ["import", str(path), "--list", "friends", "--create", "Friends", "--map", "email=Correo,name=Nombre"]
    assert "There is no column" in run(*words).output
    assert json.loads(run(*words, "--sheet", "2", "--json").output)["counts"] == {"new": 1}


@pytest.mark.parametrize("wrong", [("--map", "email=\u00b2"), ("--map", "email=Nope"), ("--encoding", "idna")])
def test_what_is_asked_wrongly_leaves_no_file_behind(run: Command, tmp_path: Path, wrong: tuple[str, str]) -> None:
    refused = run("import", str(tmp_path / "m.csv"), "--list", "friends", "--create", "Friends", *wrong)
    assert refused.exit_code == 1, refused.output
    assert refused.output.startswith("Error: ")
    assert list((tmp_path / "imports").glob("*")) == []
