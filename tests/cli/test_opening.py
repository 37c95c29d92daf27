"""Commands in the wrong folder: one line that says what is missing, and nothing made."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mobilizer.cli import main


@pytest.mark.parametrize(
    "command",
    [
        ["members", "count"],
        ["appeals", "list"],
        ["blasts", "status", "love-always-wins"],
        ["blasts", "proof", "love-always-wins", "--language", "en"],
        ["serve"],
        ["worker"],
        ["reconcile", "--once"],
    ],
)
def test_a_command_in_an_empty_home_says_so_and_makes_nothing(tmp_path: Path, command: list[str]) -> None:
    home = tmp_path / "elsewhere"
    answer = CliRunner().invoke(main, ["--home", str(home), *command])
    assert answer.exit_code == 1
    assert "there is none yet" in answer.output
    assert "mobilizer db upgrade" in answer.output
    assert not home.exists()
