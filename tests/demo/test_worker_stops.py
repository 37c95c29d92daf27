"""A worker that has lost its queue still ends when it is told to."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from mobilizer.demo.box import Box
from mobilizer.demo.processes import answers_ping, queue_program
from mobilizer.installation import install
from mobilizer.migrations import upgrade


def test_a_worker_whose_queue_is_gone_ends_at_the_first_signal(tmp_path: Path, free_port: int) -> None:
    box = Box(tmp_path, free_port, free_port, free_port, f"redis://127.0.0.1:{free_port}/0", own_queue=True)
    here = install(box.settings())
    upgrade(here.database)
    here.database.close()
    log = tmp_path / "worker.log"
    queue = subprocess.Popen([queue_program(), "--port", str(free_port), "--save", ""], stdout=subprocess.DEVNULL)
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "mobilizer.cli", "worker"], env=box.environment(), stdout=output, stderr=output
        )
    try:
        waits_for(lambda: answers_ping(free_port))
        waits_for(lambda: b"Listening" in log.read_bytes())
        queue.kill()
        queue.wait()
        waits_for(lambda: b"could not connect" in log.read_bytes() or b"queue_unreachable" in log.read_bytes())
        worker.terminate()
        assert worker.wait(60) == 0, log.read_text()
    finally:
        for process in (queue, worker):
            process.kill()
            process.wait()


def waits_for(holds: object, seconds: float = 90) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)
