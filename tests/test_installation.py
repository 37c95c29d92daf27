"""A database belongs to its keys: with others nothing starts, for nobody could be read and all would be skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from mobilizer.cli import main
from mobilizer.installation import Installation, KeyPrint, WrongKeys, install, wrong_keys
from mobilizer.keys import NoKeys, load_keyring
from mobilizer.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Installation]:
    """An installation that is closed again."""
    here = install(settings)
    try:
        yield here
    finally:
        here.database.close()


def other_home(settings: Settings, home: Path) -> Settings:
    return settings.model_copy(update={"home": home, "database_url": settings.database})


def test_the_first_keys_are_the_databases_own(settings: Settings, tmp_path: Path) -> None:
    with opened(settings) as first, opened(settings) as again, first.database.read() as session:
        assert again.keyring.prints == first.keyring.prints
        assert {row.key_id: row.print for row in session.query(KeyPrint)} == first.keyring.prints
    raw = json.loads((settings.home / "keys.json").read_text())
    secrets = [bytes.fromhex(raw["index"]), *map(bytes.fromhex, raw["keys"].values())]
    assert not set(first.keyring.prints.values()) & set(secrets)


def test_a_home_without_keys_makes_none_for_a_database_that_has_some(settings: Settings, tmp_path: Path) -> None:
    install(settings).database.close()
    fresh = other_home(settings, tmp_path / "other")
    with pytest.raises(NoKeys, match=r"keys\.json is missing"):
        install(fresh)
    assert not (fresh.home / "keys.json").exists()


def test_a_home_with_other_keys_is_refused(settings: Settings, tmp_path: Path) -> None:
    install(settings).database.close()
    other = other_home(settings, tmp_path / "other")
    load_keyring(other.home)
    with pytest.raises(WrongKeys, match="key 0, 1"):
        install(other)


def test_a_further_key_in_the_file_waits_until_somebody_rotates(settings: Settings) -> None:
    install(settings).database.close()
    kept = json.loads((settings.home / "keys.json").read_text())
    kept["keys"]["2"] = "ab" * 32
    (settings.home / "keys.json").write_text(json.dumps(kept))
    with opened(settings) as newer, newer.database.read() as session:
        assert newer.keyring.current == 1
        assert {row.key_id for row in session.query(KeyPrint)} == {0, 1}


def test_a_wrong_ring_with_a_further_key_teaches_the_database_nothing(settings: Settings, tmp_path: Path) -> None:
    install(settings).database.close()
    other = other_home(settings, tmp_path / "other")
    load_keyring(other.home)
    kept = json.loads((other.home / "keys.json").read_text())
    kept["keys"]["2"] = "cd" * 32
    (other.home / "keys.json").write_text(json.dumps(kept))
    with pytest.raises(WrongKeys):
        install(other)
    with opened(settings) as first:
        assert wrong_keys(first.keyring, first.database) == []


def test_a_command_says_so_in_one_line(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(settings).database.close()
    monkeypatch.setenv("MOBILIZER_DATABASE_URL", settings.database)
    monkeypatch.setenv("DATABASE_URL", settings.database)
    load_keyring(tmp_path / "other")
    ended = CliRunner().invoke(main, ["--home", str(tmp_path / "other"), "worker", "--burst"])
    assert ended.exit_code == 1
    assert "does not hold the keys of this database (key 0, 1)" in ended.output
