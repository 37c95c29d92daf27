"""`mobilizer appeals ...`: in from a file and out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mobilizer.cli import main
from tests.appeals.conftest import Picture

FILE = "slug: love\nsource_language: en\nposter: still.jpg\ntranslations:\n  en:\n    subject: Love\n"

Command = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, database_url: str, picture: Picture) -> Command:
    (tmp_path / "love.yaml").write_text(FILE, encoding="utf-8")
    (tmp_path / "still.jpg").write_bytes(picture(form="JPEG"))

    def run(*words: str) -> Result:
        arguments = ["--home", str(tmp_path), "appeals", *words]
        return CliRunner().invoke(main, arguments, env={"MOBILIZER_DATABASE_URL": database_url, "COLUMNS": "200"})

    return run


def test_an_appeal_goes_in_out_and_in_again(run: Command, tmp_path: Path) -> None:
    done = run("import", str(tmp_path / "love.yaml"))
    assert done.exit_code == 0, done.output
    assert "1 of 9" in done.output
    assert "There is no video" in done.output
    printed = run("export", "love").output
    assert printed.startswith("slug: love\n")
    out = run("export", "love", "--to", str(tmp_path / "out"))
    again = run("import", "--replace", out.output.strip())
    assert again.exit_code == 0, again.output
    assert run("export", "love").output == printed
    assert "love" in run("list").output


def test_a_bad_file_saves_nothing_and_says_where(run: Command, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(FILE + "    body: 'Dear {{ shoe }}'\n", encoding="utf-8")
    refused = run("import", str(tmp_path / "bad.yaml"))
    assert refused.exit_code == 1
    assert "translations.en.body: There is no merge tag “shoe”" in refused.output
    assert "There is no appeal “love”" in run("export", "love").output


def test_a_file_that_is_not_utf8_is_refused(run: Command, tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(FILE.replace("Love", "Niño").encode("cp1252"))
    refused = run("import", str(tmp_path / "latin.yaml"))
    assert refused.exit_code == 1
    assert "not UTF-8" in refused.output


def test_an_appeal_is_not_replaced_by_accident(run: Command, tmp_path: Path) -> None:
    assert run("import", str(tmp_path / "love.yaml")).exit_code == 0
    assert "already" in run("import", str(tmp_path / "love.yaml")).output
