"""`mobilizer selftest send`, as an operator runs it: small, whole, and gone without a trace when it is stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from mobilizer.failpoints import Point
from mobilizer.settings import child_environment
from tests.stories.processes import until


def start(scratch: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, with a folder of its own for all that is temporary, and an address of a queue that isn't there."""
    return subprocess.Popen(
        [sys.executable, "-m", "mobilizer.cli", "selftest", "send", "--messages", "60", *arguments],
        env=child_environment(
            TMPDIR=str(scratch), MOBILIZER_HOME=str(scratch / "theirs"), REDIS_URL="redis://127.0.0.1:1/0"
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_small_selftest_kills_everywhere_and_finds_the_books_in_order(tmp_path: Path) -> None:
    told, _ = start(tmp_path, "--seed", "1", "--json").communicate(timeout=250)
    figures: dict[str, Any] = json.loads(told)
    assert figures["wrong"] == []
    assert figures["ok"]
    assert figures["messages"] == 60
    assert figures["seed"] == 1
    assert figures["held"] >= 40, "behind the first few"
    assert figures["duplicates"] == figures["lost"] == 0
    assert figures["uncertain"] <= figures["bound"]
    assert sum(figures[state] for state in ("accepted", "rejected", "skipped", "uncertain")) == 60
    assert set(figures["kills_by_point"]) == {str(point) for point in Point}
    assert all(figures["kills_by_point"].values())
    assert figures["kills"] == sum((*figures["kills_by_point"].values(), *figures["other_kills"].values()))
    assert figures["faults"] == sum(figures["faults_by_kind"].values()) > 0
    assert any(name.startswith("starttls") for name in figures["faults_by_kind"])
    assert any(name.startswith("auth") for name in figures["faults_by_kind"])
    assert all(figures["hurts"].values())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for who is left")
def test_who_is_stopped_leaves_no_process_no_folder_and_no_database(tmp_path: Path, postgresql: str) -> None:
    command = start(tmp_path, "--database", postgresql)
    until(lambda: any(tmp_path.glob("*/log/worker-1.log")))
    assert len(left_by(tmp_path)) > 3
    assert len(databases(postgresql)) == 1
    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)
    assert command.returncode == 130, said
    until(lambda: left_by(tmp_path) == [])
    assert list(tmp_path.iterdir()) == []
    assert databases(postgresql) == []


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path, free_port: int) -> None:
    command = start(tmp_path, "--database", f"postgresql://nobody@127.0.0.1:{free_port}/postgres")
    _, said = command.communicate(timeout=60)
    assert command.returncode == 1
    assert said.strip().splitlines()[-1].startswith("Error: No fresh database could be made there")
    assert "Traceback" not in said


def left_by(scratch: Path) -> list[int]:
    """The processes that were started with a folder for what is temporary."""
    mark = f"TMPDIR={scratch}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def databases(server: str) -> list[str]:
    """The databases that a selftest has made on a server."""
    engine = create_engine(server)
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'mobilizer_%'")).all()
    engine.dispose()
    return list(names)
