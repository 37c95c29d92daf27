"""Bench: the sender. A process of its own that sends what is launched, slice after slice, and weighs itself.

`python -m mobilizer.bench.sender PLAN` says "ready", waits for a line, sends until nothing is due, and says its
figures as JSON. It ends early when the process that started it is gone.
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import time
from contextlib import nullcontext
from dataclasses import asdict, dataclass

from mobilizer import logs, tables
from mobilizer.bench import machine
from mobilizer.bench.plan import Plan
from mobilizer.bench.stages import Stages
from mobilizer.delivery import reconcile, slices
from mobilizer.installation import Installation, install
from mobilizer.settings import load_settings

SIGNING_SECONDS = 0.5
DUE_BATCHES = 64


@dataclass(frozen=True, slots=True)
class Weighed:
    """What one sender used. Moments are of the monotonic clock, which all processes of a machine share."""

    began: float
    ended: float
    cpu_seconds: float
    peak_rss_mb: float
    rsa_per_second: float
    shares: dict[str, float]
    profile_seconds: float


def send_all(installation: Installation, owner: str) -> None:
    """Send until no batch is due, or nobody waits for us any more."""
    parent = os.getppid()
    while os.getppid() == parent and (batch := _due(installation)):
        slices.send(installation, batch, owner, lambda: os.getppid() != parent)


def weigh(installation: Installation, owner: str, *, profile: bool) -> Weighed:
    """Send, and say what it took: from the first connection to the last commit."""
    signing = machine.signatures_per_second(SIGNING_SECONDS)
    stages = Stages()
    cpu, began = machine.cpu_seconds(), time.monotonic()
    with stages if profile else nullcontext():
        send_all(installation, owner)
    ended, cpu = time.monotonic(), machine.cpu_seconds() - cpu
    peak = machine.peak_rss_mb()
    # Other tenants of a machine come and go: it signs before and after.
    signing = (signing + machine.signatures_per_second(SIGNING_SECONDS)) / 2
    return Weighed(began, ended, cpu, peak, signing, stages.shares(), stages.cost)


def _due(installation: Installation) -> int | None:
    with installation.database.read() as session:
        batches = reconcile.due_batches(session, DUE_BATCHES)
    # Any of them: side by side, two senders seldom ask for the same one.
    return random.choice(batches) if batches else None  # noqa: S311


def main() -> None:
    """The process."""
    plan = Plan.loads(sys.argv[1])
    settings = load_settings()
    logs.configure(settings.log_level)
    tables.complete()
    installation = install(settings)
    gc.collect()
    gc.freeze()  # as a worker does before its jobs
    print("ready", flush=True)  # noqa: T201 - said to who started it
    if sys.stdin.readline():
        weighed = weigh(installation, f"bench-{os.getpid()}", profile=plan.profile)
        print(json.dumps(asdict(weighed)))  # noqa: T201
    installation.database.close()


if __name__ == "__main__":
    main()
