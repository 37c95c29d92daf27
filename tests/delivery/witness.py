"""A witness of a blast: sends over a relay that notes who got what, then holds the notes against the ledger."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import select, update

from mobilizer import failpoints
from mobilizer.db import clock
from mobilizer.delivery import leases, reconcile, slices
from mobilizer.delivery.leases import Lease
from mobilizer.delivery.ledger import Batch, Delivery
from mobilizer.failpoints import Point
from mobilizer.installation import Installation
from mobilizer.selftest.books import Row, Told, check
from mobilizer.selftest.evidence import Line, What, gather
from tests.delivery.test_slices import make_due
from tests.transport.scripted_relay import DROP, GOOD, Answer, ScriptedRelay
from tests.worlds import World

TAKEN, GO_ON = GOOD["DOT"], GOOD["DATA"]
ROUNDS = 4  # so often a blast is worked to its end


def at_first(act: Callable[[], object], answer: bytes, later: bytes | None = None) -> Callable[[str], bytes]:
    """An answer before which something happens, the first time that it is asked for; `later` is what is said then."""
    asked: list[str] = []

    def answered(line: str) -> bytes:
        asked.append(line)
        if len(asked) == 1:
            act()
            return answer
        return later or answer

    return answered


@dataclass
class Witness:
    """What the relays of one test saw, and what the test did: whom it took off in time, how many connections it cut."""

    world: World
    taken_off: set[int] = field(default_factory=set)
    torn: int = 0
    seen: list[Line] = field(default_factory=list)

    def send(self, owner: str = "test", **script: Answer) -> None:
        """Work every batch once, over one connection at a time."""
        with self._relay(script) as here:
            self._work(here, owner)

    def send_and_die(self, point: Point, **script: Answer) -> None:
        """The same in a process of its own, which is killed where it comes to a failpoint."""
        self.world.installation.database.close()  # no connection may live in two processes
        with self._relay(script) as here:
            child = _fork()
            if not child:
                try:
                    failpoints.arm(point)
                    self._work(here, "who dies")
                finally:
                    os._exit(1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        self.torn += 1

    def end_leases(self) -> None:
        """Let the time of every lease be over."""
        with self.world.installation.database.write() as session:
            session.execute(update(Batch).values(lease_until=clock(-1)).where(Batch.state == "leased"))

    def take_over(self, owner: str) -> list[Lease]:
        """Let another worker lease every batch after the time of its owner."""
        self.end_leases()
        with self.world.installation.database.write() as session:
            taken = [leases.take(session, batch, owner) for batch in self.world.batches()]
        return [lease for lease in taken if lease is not None]

    def rest(self) -> list[str]:
        """Let time pass and a good worker and a good relay do the rest; what is wrong with the books then."""
        for _ in range(ROUNDS):
            with self.world.installation.database.write() as session:
                reconcile.finish(session)
            if self.world.blast().state == "sent":
                break
            self.end_leases()
            make_due(self.world)
            self.send("the rest")
        told = Told(self.world.members, self.taken_off, left=self.taken_off, torn=self.torn, connections=self.torn)
        return check(self._rows(), gather(self.seen), told, self.world.blast().state, suppressed=()).wrong

    def _rows(self) -> list[Row]:
        with self.world.installation.database.read() as session:
            found = session.execute(
                select(Delivery.member_id, Delivery.state, Delivery.reason).where(
                    Delivery.blast_id == self.world.blast_id
                )
            )
            return [Row(*row) for row in found]

    @contextmanager
    def _relay(self, script: dict[str, Answer]) -> Iterator[Installation]:
        here = self.world.installation
        with ScriptedRelay(script) as relay:
            says = relay.answers["DOT"]

            def answered(line: str) -> bytes:
                content = relay.messages[-1]
                answer = says(line) if callable(says) else says
                self._note(content, answer)
                return answer

            relay.answers["DOT"] = answered
            settings = here.settings.model_copy(
                update={"smtp_port": relay.port, "smtp_connections": 1, "loopback_only": True}
            )
            yield dataclasses.replace(here, settings=settings)

    def _work(self, here: Installation, owner: str) -> None:
        for batch in self.world.batches():
            slices.send(here, batch, owner, lambda: False)

    def _note(self, content: bytes, answer: bytes) -> None:
        """Before it is said: an answer is a message that came whole. Whoever drops the connection does not keep it."""
        found = re.search(rb"member(\d+)@", content)
        assert found
        number = self.world.members[int(found[1])]
        fault = "dot.drop_unkept" if answer == DROP else {b"4": "dot.450", b"5": "dot.554"}.get(answer[:1], "")
        self.seen.append(Line(What.CONTENT, 1, number, fault, kept=not fault))
        if not fault:
            self.seen.append(Line(What.ANSWER, 1, number))
        else:
            kind = What.FAULT if answer == DROP else What.REFUSAL
            self.seen.append(Line(kind, 1, number, fault))


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of threads that don't come along: the relay's, of which the child needs none.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
