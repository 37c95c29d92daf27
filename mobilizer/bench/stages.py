"""Bench: the stages. Looks now and then at what a process is doing, and counts the looks by stage."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Self

PERIOD = 0.001  # seconds of CPU between two looks; many a kernel only counts in 4 ms

# The innermost frame that has a stage says what is being done: by its name, or that of its class, module or package.
SENDING = {
    "mobilizer.audience.members": "seals_and_tokens",
    "mobilizer.keys": "seals_and_tokens",
    "mobilizer.blasts": "seals_and_tokens",
    "mobilizer.message.dkim": "sign",
    "mobilizer.message": "compose",
    "mobilizer.delivery.loads": "compose",
    "mobilizer.delivery.claims.due_people": "lease_and_read",
    "mobilizer.delivery.claims": "claim_and_settle",
    "mobilizer.delivery.holds": "claim_and_settle",
    "mobilizer.delivery.hands.Hands.commit": "claim_and_settle",
    "mobilizer.delivery.hands.Hands.take": "lease_and_read",
    "mobilizer.delivery.leases": "lease_and_read",
    "mobilizer.transport.lines.Line": "socket",
    "mobilizer.transport.lines.Lines.wait": "socket",
    "mobilizer.transport": "dialogue_and_loop",
    "mobilizer.delivery": "dialogue_and_loop",
}
IMPORTING = {
    "mobilizer.audience.uploads": "file",
    "mobilizer.audience.delimited": "file",
    "mobilizer.audience.sheet": "file",
    "mobilizer.audience.addresses": "addresses",
    "mobilizer.audience.typos": "addresses",
    "mobilizer.audience.candidates": "rows",
    "mobilizer.guarding": "rows",
    "mobilizer.audience.spoken": "rows",
    "mobilizer.keys": "seals_and_keys",
    "mobilizer.audience.members": "seals_and_keys",
    "mobilizer.audience.keeping": "database",
    "mobilizer.audience.arriving.subscribe_new": "database",
    "mobilizer.audience.arriving.bring_in": "new_members",
    "mobilizer.audience.suppressing": "database",
    "mobilizer.db": "database",
    "mobilizer.audience": "verdicts",
}
OTHER = "other"


class Stages:
    """Looks while it is entered. `shares` are of the looks, `cost` is the seconds that looking took."""

    def __init__(self, stages: Mapping[str, str] = SENDING) -> None:
        self.looks: Counter[str] = Counter()
        self.cost = 0.0
        self._stages = stages
        self._known: dict[CodeType, str | None] = {}

    def __enter__(self) -> Self:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, PERIOD, PERIOD)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def shares(self) -> dict[str, float]:
        """Each stage's part of the CPU time, the largest first."""
        return {stage: count / self.looks.total() for stage, count in self.looks.most_common()}

    def _look(self, _number: int, frame: FrameType | None) -> None:
        began = time.perf_counter()
        stage = None
        while frame is not None and stage is None:
            stage, frame = self._stage(frame), frame.f_back
        self.looks[stage or OTHER] += 1
        self.cost += time.perf_counter() - began

    def _stage(self, frame: FrameType) -> str | None:
        code = frame.f_code
        if code not in self._known:
            self._known[code] = stage_of(f"{frame.f_globals.get('__name__')}.{code.co_qualname}", self._stages)
        return self._known[code]


def stage_of(function: str, stages: Mapping[str, str] = SENDING) -> str | None:
    """The stage of a function by its whole name: its own, else that of the nearest name around it."""
    while function and function not in stages:
        function = function.rpartition(".")[0]
    return stages.get(function)
