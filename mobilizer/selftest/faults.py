"""Selftest: faults. All that a relay can do wrong, and to whom: a seed decides, so that a run can be had again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import cycle

LEAST_EVERY, MOST_EVERY = 3, 8  # of so many people one has a fault at first; of few people, more
AGAIN_EVERY = 10
CONNECTION_EVERY, SENDER_EVERY = 6, 50
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
    """Every so many times (0: never) the next fault of a shuffled round."""

    def __init__(self, chance: random.Random, faults: Sequence[Fault], every: int) -> None:
        self._round = cycle(chance.sample(faults, len(faults)))
        self._every, self._count = every, 0

    def next(self) -> Fault | None:
        """The fault for this time, mostly none."""
        self._count += 1
        return next(self._round) if self._every and self._count % self._every == 0 else None


class FaultPlan:
    """Which fault comes when. What happens to a person at each attempt depends on the seed alone, what happens to
    connections and senders also on how many there were. For 0 people nothing goes wrong at all."""

    def __init__(self, seed: int, people: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - a plan, not a secret
        self._seed = seed
        self._people = people
        self.connections = Turns(chance, AT_CONNECT, people and CONNECTION_EVERY)
        self.senders = Turns(chance, AT_SENDER, people and SENDER_EVERY)
        self._every = min(max(people // len(AT_MESSAGE), LEAST_EVERY), MOST_EVERY)
        self._round = chance.sample(AT_MESSAGE, len(AT_MESSAGE))

    def for_message(self, number: int, attempt: int) -> Fault | None:
        """The fault for the nth attempt (from 1) at the person of a number."""
        if not self._people:
            return None
        if attempt == 1:
            place, rest = divmod(number, self._every)
            return None if rest else self._round[place % len(self._round)]
        chance = random.Random(f"{self._seed}/{number}/{attempt}")  # noqa: S311
        return None if chance.randrange(AGAIN_EVERY) else chance.choice(AT_MESSAGE)
