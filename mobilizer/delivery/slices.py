"""Delivery: the slice. What one job does for about a minute: lease a batch, send it in rounds, lease the next.

A round uses every lane once: envelopes out, answers in, one commit that claims what may go, contents out,
replies in. The replies are written down by the next round's commit, so a message costs one commit shared by
all lanes, and a crash leaves at most one message a lane without its answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from mobilizer.delivery import claims, holds, leases
from mobilizer.delivery.answers import settlement
from mobilizer.delivery.claims import Person, Settlement
from mobilizer.delivery.lanes import Lanes, Load
from mobilizer.delivery.leases import LEASE_SECONDS, Lease
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.loads import Loader, Unrenderable, relay_of
from mobilizer.installation import Installation
from mobilizer.problems import N_
from mobilizer.transport.outcomes import Ready, Trouble
from mobilizer.transport.smtp import Connection

SLICE_SECONDS = 60.0
RENEW_SECONDS = LEASE_SECONDS / 4
TROUBLE_WAIT_SECONDS = 30.0

log = structlog.get_logger()


class Slice:
    """One owner's minute of work on one blast: its connections, its renditions, and answers not yet written down."""

    def __init__(self, installation: Installation, owner: str, stop: Callable[[], bool]) -> None:
        self._installation = installation
        self._owner = owner
        self._stop = stop
        self._lanes = Lanes(relay_of(installation.settings), installation.settings.smtp_connections)
        self._loader = Loader(installation)
        self._claimed: list[Settlement] = []
        self._unclaimed: list[Settlement] = []
        self._renewed = 0.0

    def run(self, batch_id: int) -> None:
        """Send a batch and further ones of its blast, until the minute is over, `stop` says so, or none is left."""
        until = time.monotonic() + SLICE_SECONDS
        following: int | None = batch_id
        try:
            while following is not None and not self._stop() and time.monotonic() < until:
                worked, following = following, self._work(following)
                if following == worked:
                    break  # it made no headway: leave it to the reconciler's next round
        finally:
            self._lanes.close()

    def _work(self, batch_id: int) -> int | None:
        """Work one batch; the next one of its blast, or None where this slice should end."""
        with self._installation.database.write() as session:
            lease = leases.take(session, batch_id, self._owner)
        if lease is None:
            return None
        self._renewed = time.monotonic()
        with self._given_back(lease):
            self._send(lease, self._people(lease))
        with self._installation.database.read() as session:
            return leases.next_batch(session, lease.blast)

    def _people(self, lease: Lease) -> list[Person]:
        with self._installation.database.write() as session:
            claims.skip_the_left(session, lease)
            self._loader.prepare(session, lease)
            return claims.due_people(session, lease)

    @contextmanager
    def _given_back(self, lease: Lease) -> Iterator[None]:
        """End the lease whatever happens; the relay's trouble also delays the batch and may hold the blast."""
        delay = 0.0
        try:
            yield
        except Trouble as trouble:
            delay = TROUBLE_WAIT_SECONDS
            log.warning("relay_trouble", blast=lease.blast, reason=trouble.reason, fatal=trouble.fatal)
            self._note(lease, trouble)
        except Exception:
            # A fault of our own must not be repeated for a whole audience: it counts like the relay's trouble.
            delay = TROUBLE_WAIT_SECONDS
            self._note(lease, Trouble(N_("The sending software failed. Its log says how.")))
            raise
        finally:
            with self._installation.database.write() as session:
                claims.skip_the_left(session, lease)
                leases.give_back(session, lease, delay)

    def _note(self, lease: Lease, trouble: Trouble) -> None:
        with self._installation.database.write() as session:
            holds.note_trouble(session, lease.blast, trouble, self._installation.settings.hold_after)

    def _send(self, lease: Lease, people: list[Person]) -> None:
        waiting = people[::-1]
        try:
            while waiting and not self._stop() and self._still_ours(lease):
                self._round(lease, self._next_loads(waiting))
            self._lanes.check(troubles=1)  # a batch too small to have more counts too
        finally:
            self._commit(lease, [])

    def _next_loads(self, waiting: list[Person]) -> list[Load]:
        """A message for each lane; one that can't be made is skipped with its reason and sinks nobody else."""
        loads: list[Load] = []
        while waiting and len(loads) < self._lanes.limit:
            person = waiting.pop()
            try:
                loads.append(self._loader.load(person))
            except Unrenderable as error:
                self._unclaimed.append(
                    Settlement(person.delivery, DeliveryState.SKIPPED, reason="unrenderable", reply=str(error))
                )
        return loads

    def _round(self, lease: Lease, loads: list[Load]) -> None:
        offered: list[tuple[Load, Connection]] = []
        try:
            for load in loads:
                connection = self._lanes.offer(load)
                if connection is not None:
                    offered.append((load, connection))
            ready = [(load, connection) for load, connection in offered if self._is_ready(load, connection)]
            allowed = self._commit(lease, [load.person.delivery for load, _ in ready])
        except BaseException:
            # Nothing was handed over on any lane: closing before the dot makes that certain.
            for _, connection in offered:
                connection.abandon()
            raise
        self._hand_over(ready, allowed)
        self._lanes.check()

    def _is_ready(self, load: Load, connection: Connection) -> bool:
        answer = self._lanes.answer(connection)
        if answer is not None and not isinstance(answer, Ready):
            self._unclaimed.append(settlement(load.person.delivery, load.person.tries, answer))
        return isinstance(answer, Ready)

    def _hand_over(self, ready: list[tuple[Load, Connection]], allowed: set[int]) -> None:
        """Write every content whose claim is committed, then read every reply."""
        handed = []
        for load, connection in ready:
            if load.person.delivery in allowed:
                connection.hand(load.content)
                handed.append((load, connection))
            else:
                connection.abandon()
        for load, connection in handed:
            reply = self._lanes.reply(connection)
            self._claimed.append(settlement(load.person.delivery, load.person.tries, reply))

    def _commit(self, lease: Lease, ready: list[int]) -> set[int]:
        """One transaction: the answers of the round before, then the claims of this one."""
        if not (ready or self._claimed or self._unclaimed):
            return set()
        with self._installation.database.write() as session:
            claims.settle(session, lease, self._claimed)
            claims.settle_unclaimed(session, lease, self._unclaimed)
            holds.learn(session, lease.blast, [*self._claimed, *self._unclaimed])
            allowed = claims.claim(session, lease, ready)
        self._claimed, self._unclaimed = [], []
        if len(allowed) < len(ready):
            self._renewed = float("-inf")  # a person has left, or all of it was stopped: ask before the next round
        return allowed

    def _still_ours(self, lease: Lease) -> bool:
        """Renew the lease when it is time; False if someone else has it or the blast is stopped."""
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return True
        self._renewed = time.monotonic()
        with self._installation.database.write() as session:
            return leases.renew(session, lease)


def send(installation: Installation, batch_id: int, owner: str, stop: Callable[[], bool]) -> None:
    """Send a batch and further ones of its blast. Safe to run at any time and any number of times: what is not
    ours to lease is left alone."""
    Slice(installation, owner, stop).run(batch_id)
