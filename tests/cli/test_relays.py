"""`mobilizer relays` and the doctor: what is configured, how fast it goes, and what is wrong before a blast is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mobilizer.cli import main
from mobilizer.cli.findings import relays as findings
from mobilizer.delivery.limits import pace_of
from mobilizer.settings import Settings
from mobilizer.transport.inbox import serve
from mobilizer.transport.relays import load_relays

TWO = """
[[relay]]
name = "one"
host = "127.0.0.1"
port = {port}
tls = "none"
rate = "100/s"
[[relay]]
name = "two"
host = "127.0.0.1"
port = 1
user = "us"
password = "s3cret"
"""


def run(home: Path, redis_url: str, *words: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), *words], env={"REDIS_URL": redis_url})


def written(home: Path, port: int = 25) -> None:
    (home / "relays.toml").write_text(TWO.format(port=port))


def test_relays_are_listed_with_their_limits_and_their_pace(tmp_path: Path, redis_url: str) -> None:
    written(tmp_path)
    settings = Settings(home=tmp_path, redis_url=redis_url)
    pace = pace_of(settings, load_relays(settings))
    pace.slower("relay:one", "421 4.7.0 too many from ada@example.org")
    told = run(tmp_path, redis_url, "relays")
    assert told.exit_code == 0, told.output
    assert "4.7.0" in told.output
    for_programs = run(tmp_path, redis_url, "relays", "--json").output
    for secret in ("s3cret", "ada@example.org"):
        assert secret not in told.output + for_programs
    document = json.loads(for_programs)
    assert [relay["name"] for relay in document["relays"]] == ["one", "two"]
    [one] = document["pace"]
    assert (one["name"], one["limit_per_second"], one["now_per_second"]) == ("relay:one", 100.0, 0.5)
    assert (one["why"], one["times"]) == ("421 4.7.0", 1)
    assert one["slowed_since"]


def test_without_redis_the_relays_are_told_all_the_same(tmp_path: Path) -> None:
    told = run(tmp_path, "redis://127.0.0.1:1/0", "relays")
    assert told.exit_code == 0
    assert "Redis does not answer" in told.output
    assert json.loads(run(tmp_path, "redis://127.0.0.1:1/0", "relays", "--json").output)["redis"] is False


@pytest.mark.parametrize("command", ["relays", "worker"])
def test_what_is_wrong_with_the_file_ends_a_command_in_one_line(tmp_path: Path, redis_url: str, command: str) -> None:
    (tmp_path / "relays.toml").write_text("[[relay]]\nname = 'one'\nspeed = 5\n")
    told = run(tmp_path, redis_url, command)
    assert told.exit_code == 1
    assert "relays.toml: line 1, relay “one”, host: is missing\nline 3, relay “one”, speed: there is no" in told.output
    assert "Traceback" not in told.output


def test_what_is_wrong_with_a_setting_ends_a_command_in_one_line(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["--home", str(tmp_path), "doctor"], env={"MOBILIZER_HELO_NAME": "two words"})
    assert (told.exit_code, told.output) == (1, "Error: MOBILIZER_HELO_NAME: can't be written like this\n")


def test_the_doctor_calls_each_relay_and_looks_who_may_read_passwords(tmp_path: Path) -> None:
    with serve(tmp_path) as sink:
        written(tmp_path, sink.port)
        (tmp_path / "relays.toml").chmod(0o644)
        found = list(findings(Settings(home=tmp_path)))
    assert [(finding.about, finding.level) for finding in found] == [
        ("Relays", "warn"),
        ("Relay one", "ok"),
        ("Relay two", "missing"),
    ]
    assert found[0].fix == f"chmod 600 {tmp_path / 'relays.toml'}"


def test_the_doctor_tells_what_is_slowed(tmp_path: Path, redis_url: str) -> None:
    settings = Settings(home=tmp_path, redis_url=redis_url, smtp_port=1)
    pace_of(settings, load_relays(settings)).slower("provider:gmail", "421 4.7.28")
    slowed = [finding for finding in findings(settings) if finding.about == "Pace"]
    assert [(one.level, one.says) for one in slowed] == [
        ("warn", "provider:gmail was slowed to 30 a minute (421 4.7.28)")
    ]


def test_the_doctor_names_what_is_wrong_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "relays.toml").write_text("[[relay]\n")
    [finding] = findings(Settings(home=tmp_path))
    assert (finding.level, "line 1" in finding.says) == ("missing", True)
