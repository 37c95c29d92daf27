"""Child processes: ours are kept up and taken down, whole; nobody else's is touched."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobilizer.demo.children import Child, stop
from mobilizer.settings import child_environment

SLEEP = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
FAMILY = (
    f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', '''{SLEEP}''']).pid, flush=True); {SLEEP}"
)
PARENT = """
import sys, time
from pathlib import Path
from mobilizer.demo.children import Child
from mobilizer.settings import child_environment
child = Child("child", [sys.executable, "-c", sys.argv[1]], child_environment(), Path(sys.argv[2]))
child.start()
print(child.pid, flush=True)
time.sleep(600)
"""


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return holds()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    made: list[Child] = []

    def make(program: str) -> Child:
        log = tmp_path / f"{len(made)}.log"
        made.append(Child(f"child {len(made)}", [sys.executable, "-c", program], child_environment(), log))
        made[-1].start()
        assert until(lambda: b"up" in log.read_bytes())
        return made[-1]

    yield make
    stop(made, grace=0)


def test_stopping_ends_ours_and_nobody_else_s(child: Callable[[str], Child]) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.DEVNULL)
    try:
        ours = [child(SLEEP), child(SLEEP)]
        pids = [one.pid for one in ours]
        stop(ours)
        assert not any(lives(pid) for pid in pids if pid)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_one_that_will_not_end_is_killed(child: Callable[[str], Child]) -> None:
    stubborn = child(STUBBORN)
    pid = stubborn.pid
    assert pid
    stop([stubborn], grace=0.2)
    assert not lives(pid)


def test_what_a_child_started_itself_is_ended_with_it(child: Callable[[str], Child]) -> None:
    family = child(FAMILY)
    grandchild = int(family.log.read_text().split()[0])
    assert lives(grandchild)
    stop([family])
    assert until(lambda: not lives(grandchild))


def test_one_that_dies_is_reported_and_started_again(child: Callable[[str], Child]) -> None:
    one, said = child(SLEEP), list[str]()
    first = one.pid
    assert first
    os.kill(first, 9)
    assert until(lambda: not one.running)
    one.watch(1000.0, said.append)
    one.watch(1000.1, said.append)
    assert len(said) == 1
    assert "killed by SIGKILL" in said[0]
    assert not one.running
    one.watch(1000.6, said.append)
    assert one.running
    assert one.pid != first


def test_one_that_keeps_dying_waits_longer_each_time(tmp_path: Path) -> None:
    broken = Child("broken", [sys.executable, "-c", "raise SystemExit(3)"], child_environment(), tmp_path / "log")
    said, now = list[str](), time.monotonic()
    broken.start()
    for _ in range(3):
        assert until(lambda: not broken.running)
        broken.watch(now, said.append)
        now += 10
        broken.watch(now, said.append)
    assert [line.split("; ")[1].split(".  ")[0].split(" s.")[0] for line in said] == [
        "again in 0.5",
        "again in 1",
        "again in 2",
    ]
    assert all("exit 3" in line for line in said)
    stop([broken], grace=0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_no_child_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, SLEEP, str(log)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    with parent.stdout:
        pid = int(parent.stdout.readline())
    assert until(lambda: b"up" in log.read_bytes())
    parent.kill()
    parent.wait()
    assert until(lambda: not lives(pid))
