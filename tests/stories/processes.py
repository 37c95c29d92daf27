"""What the stories share: worker processes that really send, a house with its inbox, and patience."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mobilizer.installation import Installation, install
from mobilizer.settings import Settings, child_environment
from mobilizer.transport.inbox import serve

WORKER = Path(__file__).parents[2] / "worker.py"


@contextmanager
def worker(installation: Installation, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process that sends to a port; ended, if it still runs, with the block."""
    settings = installation.settings
    environment = child_environment(
        MOBILIZER_HOME=str(settings.home),
        DATABASE_URL=settings.database_url,
        REDIS_URL=settings.redis_url,
        MOBILIZER_SMTP_PORT=str(port),
        MOBILIZER_SMTP_TLS="none",
        MOBILIZER_SMTP_CONNECTIONS=str(settings.smtp_connections),
        MOBILIZER_LOOPBACK_ONLY="true",
        MOBILIZER_LOG_LEVEL="WARNING",
    )
    process = subprocess.Popen([sys.executable, str(WORKER)], env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def house(settings: Settings, redis_url: str, web_port: int) -> Iterator[Installation]:
    """An installation as the demo has it: its own keys, a queue, an inbox; links in its mails lead to `web_port`."""
    with serve(settings.home) as sink:
        changed = {
            "base_url": f"http://127.0.0.1:{web_port}",
            "redis_url": redis_url,
            "smtp_port": sink.port,
            "smtp_connections": 2,
            "reconcile_seconds": 0.2,
            "loopback_only": True,
            "inbox": True,
        }
        here = install(settings.model_copy(update=changed))
        yield here
        here.database.close()


def until(true: Callable[[], bool], tick: Callable[[], object] = lambda: None) -> None:
    """Wait for something to become true, for a minute at most."""
    for _ in range(600):
        if true():
            return
        tick()
        time.sleep(0.1)
    raise AssertionError("it never became true")
