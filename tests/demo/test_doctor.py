"""The doctor: names what is missing and how to mend it, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mobilizer.cli import main
from mobilizer.cli.findings import Finding, findings
from mobilizer.db import Database
from mobilizer.delivery import heartbeats
from mobilizer.installation import install
from mobilizer.settings import Settings
from mobilizer.transport.inbox import serve


def by_subject(settings: Settings) -> dict[str, Finding]:
    return {finding.about: finding for finding in findings(settings)}


def unreachable(settings: Settings, port: int, **more: object) -> Settings:
    return settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{port}/0", "smtp_port": port, **more})


def test_in_an_empty_folder_everything_has_a_fix_and_nothing_is_made(tmp_path: Path, free_port: int) -> None:
    settings = Settings(home=tmp_path / "none", smtp_port=free_port, smtp_tls="none")
    found = by_subject(settings)
    for subject in ("Keys", "Media", "Database", "Relay", "Sender", "Postal address"):
        assert found[subject].level == "missing", subject
        assert found[subject].fix, subject
    assert not (tmp_path / "none").exists()


def test_the_database_is_durable_and_migrated(settings: Settings, database: Database, free_port: int) -> None:
    install(settings).database.close()
    found = by_subject(unreachable(settings, free_port))
    assert found["Database"].level == found["Schema"].level == found["Keys"].level == found["Media"].level == "ok"
    assert found["Workers"].level == found["Reconciler"].level == found["Queue"].level == "missing"


def test_processes_that_beat_are_alive(settings: Settings, database: Database, free_port: int) -> None:
    with database.write() as session:
        heartbeats.beat(session, "one", "worker")
        heartbeats.beat(session, "two", "reconciler")
    install(settings).database.close()
    found = by_subject(unreachable(settings, free_port))
    assert found["Workers"].says == "1 alive"
    assert found["Reconciler"].level == "ok"


def test_keys_that_others_may_read_are_not_accepted(tmp_path: Path, free_port: int) -> None:
    settings = Settings(home=tmp_path, smtp_port=free_port, smtp_tls="none")
    install(settings).database.close()
    (tmp_path / "keys.json").chmod(0o644)
    found = by_subject(settings)
    assert found["Keys"].level == "missing"
    assert "chmod 600" in found["Keys"].fix


def test_an_old_schema_is_named(tmp_path: Path, free_port: int) -> None:
    settings = Settings(home=tmp_path, smtp_port=free_port, smtp_tls="none")
    install(settings).database.close()
    assert by_subject(settings)["Schema"] == Finding("missing", "Schema", "not up to date", "mobilizer db upgrade")


def test_a_relay_that_answers_is_good(tmp_path: Path) -> None:
    with serve(tmp_path) as sink:
        settings = Settings(home=tmp_path, smtp_port=sink.port, smtp_tls="none")
        assert by_subject(settings)["Relay"].level == "ok"


def test_a_sender_without_https_or_signature_is_warned_of(tmp_path: Path, free_port: int) -> None:
    settings = Settings(
        home=tmp_path, smtp_port=free_port, smtp_tls="none", base_url="http://appeals.example.org",
        sender_address="appeals@example.org", postal_address="12 Hope Street",
    )  # fmt: skip
    found = by_subject(settings)
    assert (found["Address"].level, found["DKIM"].level, found["Sender"].level) == ("warn", "warn", "ok")


def test_the_command_fails_while_something_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    upgraded = CliRunner().invoke(main, ["--home", str(tmp_path), "db", "upgrade"])
    assert (upgraded.exit_code, upgraded.output) == (0, "The schema is up to date now.\n")
    again = CliRunner().invoke(main, ["--home", str(tmp_path), "db", "upgrade"])
    assert again.output == "The schema is up to date already.\n"
    looked = CliRunner().invoke(main, ["--home", str(tmp_path), "doctor"])
    assert looked.exit_code == 1
    assert "to mend." in looked.output
    assert "MOBILIZER_POSTAL_ADDRESS" in looked.output
