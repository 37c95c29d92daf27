"""The comparisons of bench/: they run, and say what they lack."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mobilizer.settings import child_environment

BENCH = Path(__file__).parents[2] / "bench"


def run(script: str, *options: str, scratch: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(BENCH / script), *options],
        env=child_environment(TMPDIR=str(scratch), PYTHONPATH=str(BENCH.parent)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_naive_sender_sends_every_message_signed(tmp_path: Path) -> None:
    done = run("naive.py", "--messages", "12", "--sign", "rsa", scratch=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["messages"] == 12


def test_without_smtp_source_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    done = run("smtp_source.py", "--unpacked", str(tmp_path), scratch=tmp_path)
    assert done.returncode == 1
    assert "apt-get download postfix" in done.stderr


@pytest.fixture(scope="module")
def table() -> dict[str, Any]:
    """The names of table.py."""
    return runpy.run_path(str(BENCH / "table.py"))


def test_a_line_is_kept_or_missed_on_its_own_side(table: dict[str, Any]) -> None:
    verdicts = {line.name: line.verdict for line in table["LINES"]}
    assert [verdicts["sqlite-cpu"](value) for value in (0.18, 0.25, 0.26)] == ["aim", "reach", "missed"]
    assert [verdicts["far"](value) for value in (48, 45, 44.9)] == ["aim", "reach", "missed"]
    assert verdicts["naive"](100) == "reach"


def test_the_tables_go_between_the_marks_of_the_document(table: dict[str, Any], tmp_path: Path) -> None:
    page = BENCH.parent / "docs" / "performance.md"
    copy = tmp_path / "performance.md"
    copy.write_text(page.read_text("utf-8"), "utf-8")
    table["write"](copy, "| new |")
    head, _, rest = page.read_text("utf-8").partition(table["BEGIN"])
    tail = rest.partition(table["END"])[2]
    assert tail
    assert copy.read_text("utf-8") == f"{head}{table['BEGIN']}\n| new |\n{table['END']}{tail}"
