"""Bench: sending. One run from an empty ground to checked books: seed, launch, send, count, weigh."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select

from mobilizer.bench import machine
from mobilizer.bench.grounds import ground
from mobilizer.bench.plan import Plan
from mobilizer.bench.processes import Broken, Taken, child, first_words, last_words, own_sink
from mobilizer.bench.sender import Weighed
from mobilizer.bench.weight import weigh
from mobilizer.db import Database
from mobilizer.delivery import reconcile
from mobilizer.delivery.ledger import Batch, BatchState, Delivery, DeliveryState

LOOK_SECONDS = 0.5
Watch = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says. Rates are of all senders together, memory is of the largest one.

    `ratio_to_rsa` is messages a second to RSA-2048 signatures a second on one core; `cpu_in_signatures` is the CPU
    time of one message in signatures. `sink_messages` is None where the sink is somebody else's.
    """

    messages: int
    seconds: float
    per_second: float
    cpu_us_per_message: float
    cpu_us: dict[str, float]
    peak_rss_mb: float
    rsa_per_second: float
    ratio_to_rsa: float
    cpu_in_signatures: float
    profile_share: float
    accepted: int
    declared_sent: bool
    sink_messages: int | None
    sink_cpu_us: float | None
    bytes_per_delivery: dict[str, float]
    books: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON; numbers no finer than they are."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


def run(plan: Plan, watch: Watch | None = None) -> Figures:
    """Seed, launch and send what the plan says; nothing of it stays. Raises Broken, grounds.NoGround."""
    with ExitStack() as stack:
        sink = None if plan.sink else stack.enter_context(own_sink(plan.rtt_ms, _pins(plan)[-1:]))
        port = sink.port if sink else _port(plan)
        where = stack.enter_context(ground(plan.database))
        environment = where.environment(port, plan.connections)
        _tell(watch, "Seeding", 0)
        with child("mobilizer.bench.seeding", plan.dumps(), environment=environment) as seeding:
            last_words(seeding)
        database = Database(where.settings().database)
        stack.callback(database.close)
        weighed = _send(plan, environment, database, watch)
        taken = sink.taken() if sink else None
        accepted, sent = _books(database)
        weight = weigh(database)
    return _figures(plan, weighed, accepted, sent, taken, weight)


def _port(plan: Plan) -> int:
    """The port of the sink that the plan names."""
    host, _, port = plan.sink.rpartition(":")
    if host not in ("127.0.0.1", "localhost") or not port.isdecimal():
        raise Broken("A sink is HOST:PORT, and runs on this machine: 127.0.0.1:2525.")
    if plan.rtt_ms:
        raise Broken("A sink of yours keeps its own time: give --rtt-ms without --sink.")
    return int(port)


def _pins(plan: Plan) -> Sequence[int]:
    """A core for each sender and the last one for the sink; none where there are too few."""
    cores = machine.cores()
    return [*cores[: plan.processes], cores[-1]] if len(cores) > plan.processes else []


def _send(plan: Plan, environment: dict[str, str], database: Database, watch: Watch | None) -> list[Weighed]:
    with ExitStack() as stack:
        senders = [
            stack.enter_context(child("mobilizer.bench.sender", plan.dumps(), environment=environment))
            for _ in range(plan.processes)
        ]
        for sender, core in zip(senders, _pins(plan), strict=False):
            machine.pin(sender.pid, core)
        for sender in senders:
            first_words(sender)
        for sender in senders:
            print(file=sender.stdin, flush=True)
        while watch and any(sender.poll() is None for sender in senders):
            _tell(watch, "Sending", _done(database))
            time.sleep(LOOK_SECONDS)
        return [Weighed(**json.loads(last_words(sender))) for sender in senders]


def _done(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.sum(Batch.size)).where(Batch.state == BatchState.DONE)) or 0


def _books(database: Database) -> tuple[int, bool]:
    """How many the ledger says were accepted, and whether the reconciler finds nothing left to do."""
    with database.write() as session:
        accepted = session.scalar(select(func.count()).where(Delivery.state == DeliveryState.ACCEPTED)) or 0
        return accepted, bool(reconcile.finish(session))


def _figures(
    plan: Plan, weighed: Sequence[Weighed], accepted: int, sent: bool, taken: Taken | None, weight: dict[str, float]
) -> Figures:
    messages = max(accepted, 1)
    seconds = max(one.ended for one in weighed) - min(one.began for one in weighed)
    cpu = sum(one.cpu_seconds for one in weighed)
    each = cpu / messages * 1e6
    signing = sum(one.rsa_per_second for one in weighed) / len(weighed)
    stages = {stage for one in weighed for stage in one.shares}
    shares = {stage: sum(one.shares.get(stage, 0) * one.cpu_seconds for one in weighed) / cpu for stage in stages}
    return Figures(
        messages=plan.messages,
        seconds=seconds,
        per_second=accepted / seconds,
        cpu_us_per_message=each,
        cpu_us={stage: share * each for stage, share in sorted(shares.items(), key=lambda one: -one[1])},
        peak_rss_mb=max(one.peak_rss_mb for one in weighed),
        rsa_per_second=signing,
        ratio_to_rsa=accepted / seconds / signing,
        cpu_in_signatures=each * signing / 1e6,
        profile_share=sum(one.profile_seconds for one in weighed) / cpu,
        accepted=accepted,
        declared_sent=sent,
        sink_messages=taken.messages if taken else None,
        sink_cpu_us=taken.cpu_seconds / messages * 1e6 if taken else None,
        bytes_per_delivery=weight,
        books=sent and accepted == plan.messages and (taken is None or taken.messages == plan.messages),
    )


def _tell(watch: Watch | None, stage: str, done: int) -> None:
    if watch:
        watch(stage, done)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
