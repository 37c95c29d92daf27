"""House: what is in deploy/ fits the product: its commands, settings, figures and waits; and it holds no secret."""

from __future__ import annotations

import re
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from mobilizer.app import create_app
from mobilizer.installation import Installation
from mobilizer.settings import Settings
from tests.house.reading import ROOT, kept_files, where
from tests.house.test_docs import problem_of
from tests.one_database import database_url  # noqa: F401
from tests.worlds import World

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROGRAM = "/opt/mobilizer/.venv/bin/mobilizer"
KINDS = {
    "mobilizer-web.service": "serve",
    "mobilizer-worker@.service": "worker",
    "mobilizer-reconciler.service": "reconcile",
}
OURS = ("migrate", "web", "worker", "reconciler")
# The longest that a worker told to stop may take: the answer to the last message that it handed over.
DRAIN_SECONDS = Settings().smtp_reply_seconds


def unit(path: Path) -> ConfigParser:
    """A unit, its names as they are written."""
    found = ConfigParser(interpolation=None, strict=False)
    found.optionxform = str  # type: ignore[assignment, method-assign]
    found.read(path, encoding="utf-8")
    return found


def compose() -> dict[str, Any]:
    """The compose file, its anchors followed."""
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8")))


def seconds(said: str) -> int:
    """ "11m" in seconds."""
    return int(said[:-1]) * {"s": 1, "m": 60}[said[-1]]


def test_there_is_a_unit_for_each_kind_of_process() -> None:
    assert {path.name for path in UNITS} == set(KINDS)


@pytest.mark.parametrize("path", UNITS, ids=where)
def test_a_unit_runs_a_command_that_there_is_and_gives_it_the_time_it_needs(path: Path) -> None:
    service = unit(path)["Service"]
    program, _, words = service["ExecStart"].partition(" ")
    assert program == PROGRAM
    assert problem_of(f"mobilizer {words}") == ""
    assert KINDS[path.name] in words.split()
    assert service["KillMode"] == "mixed", "told itself, a work horse would die in a message"
    assert int(service["TimeoutStopSec"]) >= (DRAIN_SECONDS if "worker" in path.name else 10)
    assert service["User"] != "root"
    assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
    assert unit(path)["Unit"]["StartLimitIntervalSec"] == "0", "it would give up while the database is away"


def test_systemd_itself_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("There is no systemd-analyze here.")
    for path in (DEPLOY / "systemd").iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8").replace(PROGRAM, "/bin/true"), encoding="utf-8")
    names = ["mobilizer-worker@1.service" if "@" in path.name else path.name for path in UNITS]
    done = subprocess.run(
        [program, "verify", "--man=no", *(f"./{name}" for name in [*names, "mobilizer.target"])],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_containers_run_commands_that_there_are_as_nobody_in_particular() -> None:
    services = compose()["services"]
    for name in OURS:
        words = [str(word) for word in services[name]["command"]]
        assert problem_of(" ".join(["mobilizer", *words])) == "", name
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]
    assert seconds(services["worker"]["stop_grace_period"]) >= DRAIN_SECONDS
    assert not {"ports", "expose"} & (services["postgres"].keys() | services["valkey"].keys())
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"], "only the HTTPS server in front may reach it"
    for name in ("web", "postgres", "valkey"):
        assert services[name]["healthcheck"]["test"], name
    last = (DEPLOY / "Dockerfile").read_text("utf-8").rpartition("FROM ")[2]
    assert re.search(r"^USER [1-9]\d*$", last, re.MULTILINE)


def test_every_image_is_pinned_by_its_tag() -> None:
    images = [service["image"] for service in compose()["services"].values()]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert len(images) == 8
    theirs = [image for image in images if image != "mobilizer:${MOBILIZER_VERSION:-local}"]
    assert len(theirs) == 4
    assert [image for image in theirs if not re.fullmatch(r"[a-z/]+:\d+(\.\d+)*(-[a-z]+)*", image)] == []


def test_settings_that_deploy_names_exist() -> None:
    known = {f"MOBILIZER_{name.upper()}" for name in Settings.model_fields} | {"MOBILIZER_VERSION"}
    text = "".join(path.read_text("utf-8") for path in kept_files() if DEPLOY in path.parents)
    named = set(re.findall(r"MOBILIZER_[A-Z_]*[A-Z]", text))
    assert len(named) > 8
    assert named - known == set()
    secrets = {name.upper() for name in compose()["secrets"]}
    assert secrets - known == {"DATABASE_URL", "POSTGRES_PASSWORD"}


def test_no_secret_and_no_address_of_an_index_is_in_it() -> None:
    for path in (path for path in kept_files() if DEPLOY in path.parents):
        text = path.read_text("utf-8")
        assert not re.search(r"(PASSWORD|TOKEN|SECRET)\w*\s*[=:]\s*['\"]?(?!/run/secrets|\.\.\.|PASSWORD)\w", text), (
            where(path)
        )
        assert not re.search(r"index-url|pypi|://[^/\s]+:(?!PASSWORD)[^@/\s]+@", text), where(path)


def test_every_alarm_looks_at_figures_that_there_are(installation: Installation, world: World, redis_url: str) -> None:
    changed = {"metrics_token": "t" * 16, "redis_url": redis_url}
    here = Installation(installation.settings.model_copy(update=changed), installation.database, installation.keyring)
    world.launch()
    client = create_app(here.settings, here, counter="memory://").test_client()
    text = client.get("/metrics", headers={"Authorization": "Bearer " + "t" * 16}).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    known = {sample.name: set() for sample in samples}
    for sample in samples:
        known[sample.name] |= set(sample.labels.items())
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    assert len(rules) >= 10
    for rule in rules:
        for name, labels in re.findall(r"(mobilizer_\w+)(?:\{([^}]*)\})?", rule["expr"]):
            assert name in known, rule["alert"]
            for label, values in re.findall(r'(\w+)=~?"([^"]*)"', labels):
                assert {(label, value) for value in values.split("|")} <= known[name], rule["alert"]
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "todo"}


def test_each_alarm_is_explained_in_operations() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yaml").read_text("utf-8"))["groups"][0]["rules"]
    explained = (ROOT / "docs" / "operations.md").read_text("utf-8")
    assert [rule["alert"] for rule in rules if f"`{rule['alert']}`" not in explained] == []
