"""Selftest: faults. All that a relay can do wrong, and when: each in its turn, in an order that a seed decides.

What came up least is next. So a short run has everything at least once, also where the process that was to meet a fault
was killed on the way to it. Who meets it depends on how the processes get along, and is another one in every run.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

ROUNDS = 3  # of all faults there should be, so that each comes up
MESSAGE_EVERY, CONNECTION_EVERY, SENDER_EVERY = (3, 8), (6, 6), (12, 50)  # of so many one has a fault: least and most
LOCK_STEP_EVERY, PIECES_EVERY = 4, 5


class Stage(StrEnum):
    """Where in a dialogue something goes wrong."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    DOT = "dot"


class Then(StrEnum):
    """What the relay does after what it says."""

    GO_ON = "go on"
    CLOSE = "close"
    HANG = "hang"  # say nothing more until the other side goes
    FLOOD = "flood"  # go on with this answer for ever
    HOLD = "hold"  # the good answer, but late
    SHUT = "shut"  # the door, for a while: new connections are refused


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong. `keeps`: a message that has come whole is delivered all the same."""

    stage: Stage
    kind: str
    says: bytes = b""
    then: Then = Then.GO_ON
    keeps: bool = False

    @property
    def name(self) -> str:
        """As the report has it: 'dot.drop'."""
        return f"{self.stage}.{self.kind}"

    @property
    def refuses(self) -> bool:
        """Whether it is a definite no."""
        return self.says[:1] in (b"4", b"5")

    @property
    def leaves_doubt(self) -> bool:
        """Whether nobody can tell from outside what became of the message."""
        return self.stage in (Stage.CONTENT, Stage.DOT) and not self.refuses and self.then is not Then.HOLD


CODES = {
    "450": b"450 4.2.0 not now\r\n",
    "452": b"452 4.3.1 insufficient system storage\r\n",
    "550": b"550 5.0.0 no\r\n",
    "552": b"552 5.2.2 mailbox full\r\n",
    "554": b"554 5.7.1 refused by policy\r\n",
}
BUSY = b"421 4.3.2 too busy\r\n"
NOISE = b"\x16\x03\xff what is this\r\n"


def _troubles(stage: Stage, keeps: bool = False) -> Iterator[Fault]:
    """What can go wrong wherever an answer is due."""
    yield Fault(stage, "421", BUSY, Then.CLOSE)
    yield Fault(stage, "drop", b"", Then.CLOSE, keeps)
    yield Fault(stage, "hang", b"", Then.HANG, keeps)
    yield Fault(stage, "garbage", NOISE, Then.HANG, keeps)
    yield Fault(stage, "endless", b"250-and\r\n", Then.FLOOD, keeps)


def _refusals(stage: Stage) -> Iterator[Fault]:
    for code, says in CODES.items():
        unknown = stage is Stage.RCPT and code == "550"
        yield Fault(stage, code, b"550 5.1.1 no such user\r\n" if unknown else says)


AT_CONNECT = (*_troubles(Stage.CONNECT), Fault(Stage.CONNECT, "refused", b"", Then.SHUT))
AT_SENDER = (*_troubles(Stage.MAIL), *_refusals(Stage.MAIL))
AT_MESSAGE = (
    *(fault for stage in (Stage.RCPT, Stage.DATA) for fault in (*_troubles(stage), *_refusals(stage))),
    Fault(Stage.CONTENT, "drop", b"", Then.CLOSE),
    *_troubles(Stage.DOT, keeps=True),
    *_refusals(Stage.DOT),
    Fault(Stage.DOT, "drop_unkept", b"", Then.CLOSE),
    Fault(Stage.DOT, "354", b"354 and now\r\n", Then.GO_ON, keeps=True),
    Fault(Stage.DOT, "held", b"", Then.HOLD, keeps=True),
)
NAMED = {fault.name: fault for fault in (*AT_CONNECT, *AT_SENDER, *AT_MESSAGE)}


class Turns:
    """Every so many times (0: never) the fault that has come up least."""

    def __init__(self, chance: random.Random, faults: Sequence[Fault], every: int, shown: Mapping[str, int]) -> None:
        """`shown` counts by name what has come up."""
        self._faults = chance.sample(faults, len(faults))
        self._every, self._count, self._shown = every, 0, shown

    def next(self) -> Fault | None:
        """The fault for this time, mostly none."""
        self._count += 1
        if not self._every or self._count % self._every:
            return None
        fault = min(self._faults, key=lambda one: self._shown[one.name])
        # Whoever has it may yet be killed on the way: others come first meanwhile.
        self._faults.remove(fault)
        self._faults.append(fault)
        return fault


class FaultPlan:
    """Which fault comes when. For 0 people nothing goes wrong at all."""

    def __init__(self, seed: int, people: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a plan, not a secret
        self.shown: Counter[str] = Counter()
        self.connections, self.senders, self.messages = (
            Turns(chance, faults, people and min(max(people // (ROUNDS * len(faults)), least), most), self.shown)
            for faults, (least, most) in (
                (AT_CONNECT, CONNECTION_EVERY), (AT_SENDER, SENDER_EVERY), (AT_MESSAGE, MESSAGE_EVERY)
            )
        )  # fmt: skip
