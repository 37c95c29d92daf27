"""Delivery: lanes. The connections one worker keeps to its relays, and when their troubles say to stop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

import structlog

from mobilizer.delivery.claims import Person
from mobilizer.problems import N_
from mobilizer.transport.choosing import Choice
from mobilizer.transport.lines import Errand, Line, Lines
from mobilizer.transport.losses import Loss
from mobilizer.transport.outcomes import (
    BROKEN_OFF,
    Accepted,
    Deferred,
    Rejected,
    Trouble,
    Uncertain,
    Unsupported,
    Verdict,
)
from mobilizer.transport.relay import Timeouts
from mobilizer.transport.relays import Route

TROUBLES_IN_A_ROW = 3
REFUSALS_IN_A_ROW = 20
GREETED_AT_ONCE = 8

log = structlog.get_logger()


@dataclass(slots=True)
class Load:
    """A message on its way: whom it is for, its envelope and its bytes, as they go on the wire but for the dot."""

    person: Person
    sender: str
    recipient: str
    content: bytes
    provider: str = ""


class Lanes:
    """Connections to each relay, opened as they are needed, weighted and with failover.

    A relay that has trouble several times in a row, with no message accepted between, is left alone for a while.
    `trouble` is set once that is true of all: then nothing more should be sent. `last` is the latest trouble that no
    accepted message has come after.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        timeouts: Timeouts,
        run: Callable[[Line, Route], Errand],
        tell: Callable[[Route, Trouble], None],
    ) -> None:
        """`run` makes the errand of a new connection; `tell` is told of each trouble."""
        self.lines = Lines(timeouts)
        self.limit = sum(route.connections for route in routes)
        self.trouble: Trouble | None = None
        self._run = run
        self._tell = tell
        self._choice = Choice(routes)
        self._open: Counter[str] = Counter()
        self._greeting: Counter[str] = Counter()  # of those that are open, the ones that are still being made
        self._troubles: Counter[str] = Counter()  # in a row
        self.last: Trouble | None = None
        self._refusals = 0  # by policy, in a row

    def open(self, wanted: int) -> None:
        """Open further connections, up to as many as are wanted and allowed."""
        now = time.monotonic()
        while self._open.total() < wanted and (route := self._choice.choose(now, self._busy())) is not None:
            self._open[route.name] += 1
            self._greeting[route.name] += 1
            self._greet(route)

    def _busy(self) -> dict[str, float]:
        """How many connections each relay has; one that greets several just now can be asked for no more of them. It
        may keep each waiting for half a minute, and must not keep those of the others."""
        return {name: inf if self._greeting[name] >= GREETED_AT_ONCE else count for name, count in self._open.items()}

    def closed(self, route: Route) -> None:
        """A connection's errand is over."""
        self._open[route.name] -= 1

    def learn(self, route: Route, answer: Accepted | Deferred | Rejected | Uncertain | Unsupported) -> None:
        """What an answer says about the relay: it works, it refuses us, or it broke off."""
        if isinstance(answer, Accepted):
            if self.last is not None or self._refusals or self._troubles:
                self.last, self._refusals = None, 0
                # Of this relay alone: what another one takes does not mend one that fails.
                self._troubles.pop(route.name, None)
                self._choice.up(route.name)
        elif isinstance(answer, Uncertain):
            self.troubled(route, Trouble.of(answer.loss, answer.detail))
        elif isinstance(answer, Deferred) and answer.unsaid:
            self.troubled(route, Trouble.of(Loss(answer.reply)))
        elif isinstance(answer, Deferred) and answer.code == 421:
            # Also where it said so after the content had begun: one who is closing has no time for others either.
            self.troubled(route, Trouble(BROKEN_OFF, reply=f"{answer.code} {answer.reply}"))
        elif isinstance(answer, Rejected) and answer.verdict == Verdict.POLICY:
            self._refusals += 1
            if self._refusals >= REFUSALS_IN_A_ROW:
                self.trouble = Trouble(N_("Mail after mail is rejected by policy."), fatal=True)

    def troubled(self, route: Route, trouble: Trouble) -> None:
        """A relay had trouble of its own."""
        self.last = trouble
        self._tell(route, trouble)
        self._troubles[route.name] += 1
        if trouble.fatal or self._troubles[route.name] >= TROUBLES_IN_A_ROW:
            self._troubles[route.name] = 0
            self._choice.down(route.name, time.monotonic())
            log.warning("relay_left_alone", relay=route.name, reason=trouble.reason, fatal=trouble.fatal)
            if self._choice.wait(time.monotonic()) > 0:
                self.trouble = trouble

    def _greet(self, route: Route) -> None:
        def run(line: Line) -> Errand:
            self._greeting[route.name] -= 1
            return self._run(line, route)

        def failed(trouble: Trouble) -> None:
            self._greeting[route.name] -= 1
            self._open[route.name] -= 1
            self.troubled(route, trouble)

        self.lines.open(route.relay, run, failed)
