"""`mobilizer bench`: whatever it says of speed, the books are right and nothing of it stays."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from mobilizer.bench.importer import Brought
from mobilizer.bench.importing import agrees
from mobilizer.bench.plan import Plan
from mobilizer.bench.processes import Taken
from mobilizer.bench.sender import Weighed
from mobilizer.bench.sending import _figures
from mobilizer.settings import child_environment

KEYS = {
    "messages", "seconds", "per_second", "cpu_us_per_message", "cpu_us", "peak_rss_mb", "rsa_per_second",
    "bytes_per_delivery", "ratio_to_rsa", "cpu_in_signatures", "profile_share", "accepted", "declared_sent",
    "sink_messages", "sink_cpu_us", "books",
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> str:
    """What `--database` is told: nothing, or a server."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgresql"))


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """The only folder that a run may write to; empty again at its end."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    yield folder
    assert list(folder.iterdir()) == []


def start(scratch: Path, *options: str, command: str = "send") -> subprocess.Popen[str]:
    """The command as a person gives it, in an environment that names an installation of theirs."""
    theirs = {"DATABASE_URL": f"sqlite:///{scratch / 'theirs.sqlite3'}", "MOBILIZER_SMTP_HOST": "mail.invalid"}
    return subprocess.Popen(
        [sys.executable, "-m", "mobilizer.cli", "bench", command, "--json", *options],
        env=child_environment(TMPDIR=str(scratch), **theirs),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def databases(server: str) -> list[str]:
    """Names of the databases that runs have left on a server."""
    if not server:
        return []
    engine = create_engine(server)
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'mobilizer_bench%'")).all()
    engine.dispose()
    return list(found)


def test_every_message_is_accepted_once_and_weighed(server: str, scratch: Path) -> None:
    run = start(scratch, "--messages", "300", "--sign", "rsa", "--connections", "7", "--database", server)
    said, wrong = run.communicate(timeout=120)
    assert run.returncode == 0, wrong
    figures = json.loads(said)
    assert set(figures) == KEYS
    assert figures["books"] is True
    assert figures["messages"] == figures["accepted"] == figures["sink_messages"] == 300
    assert {"sign", "compose", "claim_and_settle"} <= set(figures["cpu_us"])
    assert sum(figures["cpu_us"].values()) == pytest.approx(figures["cpu_us_per_message"], rel=0.02)
    assert databases(server) == []


def test_a_launch_is_timed_and_leaves_nothing(server: str, scratch: Path) -> None:
    run = start(scratch, "--deliveries", "3000", "--database", server, command="freeze")
    said, wrong = run.communicate(timeout=120)
    assert run.returncode == 0, wrong
    figures = json.loads(said)
    assert 2900 < figures["deliveries"] < 3100
    assert figures["per_second"] > 0
    assert databases(server) == []


def test_a_file_is_imported_three_times_and_weighed(server: str, scratch: Path) -> None:
    run = start(scratch, "--rows", "3000", "--database", server, command="import")
    said, wrong = run.communicate(timeout=120)
    assert run.returncode == 0, wrong
    figures = json.loads(said)
    assert figures["books"] is True
    for one in (figures, figures["again_keep"], figures["again_fill"]):
        assert one["rows_per_second"] > 0
        assert sum(one["cpu_us"].values()) == pytest.approx(one["cpu_us_per_row"], rel=0.02)
    assert databases(server) == []


def test_an_import_counts_only_if_each_person_is_there_once() -> None:
    brought = Brought(9, {"new": 9}, 9, 9, 0.1, 1, 1, 50, {}, 0)
    assert agrees(brought, 9, "new")
    assert not agrees(brought, 9, "unchanged")
    assert not agrees(replace(brought, members=10), 9, "new")
    assert not agrees(replace(brought, on_list=8), 9, "new")
    assert not agrees(replace(brought, rows=8), 9, "new")


def test_a_run_that_is_told_to_stop_clears_away_what_it_made(server: str, scratch: Path) -> None:
    run = start(scratch, "--messages", "200000", "--database", server)
    until = time.monotonic() + 60
    while not (list(scratch.glob("*/keys.json")) and bool(server) == bool(databases(server))):
        assert time.monotonic() < until
        time.sleep(0.05)
    children = [int(number) for number in Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()]
    run.send_signal(signal.SIGTERM)
    _, wrong = run.communicate(timeout=60)
    assert "Aborted!" in wrong
    assert children
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
    assert databases(server) == []


def test_a_file_that_holds_something_is_left_alone(scratch: Path, tmp_path: Path) -> None:
    path = tmp_path / "somebodys.sqlite3"
    path.write_bytes(b"dear data")
    run = start(scratch, "--database", f"sqlite:///{path}")
    _, wrong = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "holds something already" in wrong
    assert path.read_bytes() == b"dear data"


def test_a_server_that_is_not_there_is_said_in_one_line(scratch: Path, free_port: int) -> None:
    run = start(scratch, "--database", f"postgresql://127.0.0.1:{free_port}/postgres")
    _, wrong = run.communicate(timeout=60)
    assert run.returncode == 1
    assert wrong.startswith("Error: No fresh database could be made there")
    assert len(wrong.splitlines()) == 1


@pytest.mark.parametrize(
    ("accepted", "sent", "taken"), [(299, True, 300), (300, False, 300), (300, True, 301), (300, True, 299)]
)
def test_figures_of_books_that_do_not_agree_are_no_figures(accepted: int, sent: bool, taken: int) -> None:
    weighed = [Weighed(0, 1, 1, 50, 4000, {"compose": 1.0}, 0.001)]

    def agrees(*books: Any) -> bool:
        return _figures(Plan(messages=300), weighed, *books, {}).books

    assert agrees(300, True, Taken(300, 1))
    assert agrees(300, True, None)
    assert not agrees(accepted, sent, Taken(taken, 1))
