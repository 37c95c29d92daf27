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


def test_a_language_goes_to_a_translator_and_comes_back(run: Command, tmp_path: Path) -> None:
    (tmp_path / "love.yaml").write_text(FILE + "  es: {subject: ''}\n  de: {subject: ''}\n", encoding="utf-8")
    assert run("import", str(tmp_path / "love.yaml")).exit_code == 0
    printed = run("export", "love", "--format", "po", "--language", "es").output
    (tmp_path / "back.po").write_text(printed.replace('msgstr ""\n\n', 'msgstr "Amor"\n\n'), encoding="utf-8")
    assert "say which language" in run("export", "love", "--format", "xliff").output.lower()
    files = run("export", "love", "--format", "xliff", "--to", str(tmp_path / "out")).output
    assert [Path(line).name for line in files.splitlines()] == ["love.de.xlf", "love.es.xlf"]
    assert "Changed: nothing" in run("import", str(tmp_path / "out" / "love.es.xlf")).output
    back = printed.rstrip("\n").removesuffix('msgstr ""') + 'msgstr "Amor"\n'
    (tmp_path / "back.po").write_text(back, encoding="utf-8")
    assert "Changed: subject" in run("import", str(tmp_path / "back.po")).output
    whole = run("export", "love", "--language", "es").output
    assert "subject: Amor" in whole
    assert "  de:" not in whole


def test_a_csv_must_be_told_what_it_is(run: Command, tmp_path: Path) -> None:
    (tmp_path / "love.yaml").write_text(FILE + "  es: {subject: ''}\n", encoding="utf-8")
    run("import", str(tmp_path / "love.yaml"))
    (tmp_path / "words.csv").write_text("field,source,translation\nsubject,Love,Amor\n", encoding="utf-8")
    file = str(tmp_path / "words.csv")
    assert "give --appeal and --language" in run("import", file).output
    assert "is not a language code" in run("import", file, "--appeal", "love", "--language", "??").output
    refused = run("import", file, "--appeal", "love", "--language", "fr")
    assert refused.exit_code == 1
    assert "no translation into “fr” yet" in refused.output
    assert "no translation into “fr”" in run("export", "love", "--language", "fr").output
    assert "Changed: subject" in run("import", file, "--appeal", "love", "--language", "es").output
