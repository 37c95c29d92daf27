"""The box: a demo keeps to its own folder, its own ports and this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from mobilizer.demo.box import Box, open_box
from mobilizer.demo.running import AlreadyRunning, announce, occupy
from mobilizer.settings import load_settings


def test_nothing_of_the_caller_s_mail_settings_reaches_the_demo(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBILIZER_SMTP_HOST", "relay.example.org")
    monkeypatch.setenv("MOBILIZER_SMTP_USER", "someone")
    monkeypatch.setenv("MOBILIZER_LOOPBACK_ONLY", "false")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example.org/real")
    monkeypatch.setenv("MOBILIZER_DATABASE_URL", "postgresql://db.example.org/real")
    settings = box.settings()
    assert (settings.smtp_host, settings.smtp_user, settings.loopback_only) == ("127.0.0.1", "", True)
    assert settings.database == f"sqlite:///{box.home / 'mobilizer.sqlite3'}"
    for name, value in box.environment().items():
        assert "example.org/real" not in value, name


def test_another_command_finds_the_demo_s_settings_by_its_home_alone(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "DATABASE_URL", "MOBILIZER_HOME"):
        monkeypatch.delenv(name, raising=False)
    box.write_settings()
    assert load_settings(box.home) == box.settings()


def test_a_port_that_is_taken_is_left_to_whoever_has_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        first = open_box(tmp_path, usual_ports=False)
        ports = [first.web_port, first.smtp_port, first.queue_port, other.getsockname()[1]]
    assert len(set(ports)) == 4
    assert first.own_queue


def test_a_queue_of_the_caller_s_is_used_and_none_started(tmp_path: Path) -> None:
    given = open_box(tmp_path, "redis://127.0.0.1:7000/3", usual_ports=False)
    assert not given.own_queue
    assert given.settings().redis_url == "redis://127.0.0.1:7000/3"


def test_a_second_demo_in_the_same_folder_is_told_where_the_first_is(tmp_path: Path) -> None:
    with occupy(tmp_path) as lock:
        announce(lock, "http://127.0.0.1:8001")
        with pytest.raises(AlreadyRunning) as other:
            occupy(tmp_path)
        assert other.value.address == "http://127.0.0.1:8001"
    with occupy(tmp_path):
        pass
