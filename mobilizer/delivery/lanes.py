"""Delivery: lanes. The connections one worker keeps to the relay, each with at most one message on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mobilizer.delivery.claims import Person
from mobilizer.problems import N_
from mobilizer.transport.outcomes import Accepted, Deferred, Ready, Rejected, Trouble, Uncertain, Unsupported, Verdict
from mobilizer.transport.smtp import Connection, Relay

TROUBLES_IN_A_ROW = 3
REFUSALS_IN_A_ROW = 20
LOST = N_("The connection to the relay was lost: %(reason)s")


@dataclass(slots=True)
class Load:
    """A message on its way: whom it is for, its envelope and its bytes."""

    person: Person
    sender: str
    recipient: str
    content: bytes


@dataclass(slots=True)
class Lanes:
    """Up to `limit` connections, opened when first needed and kept for the next message.

    `troubles` and `refusals` count the relay's troubles (until they are raised) and its refusals by policy since
    the last accepted message.
    """

    relay: Relay
    limit: int
    troubles: int = 0
    refusals: int = 0
    _last_trouble: Trouble | None = None
    _idle: list[Connection] = field(default_factory=list)

    def offer(self, load: Load) -> Connection | None:
        """Write a message's envelope on a free connection; None where the relay had trouble.

        Raises Trouble once that has happened too many times in a row, or can't be mended by trying again.
        """
        try:
            connection = self._free()
            connection.offer(load.sender, load.recipient, size=len(load.content))
        except Trouble as trouble:
            self._note(trouble)
            return None
        return connection

    def answer(self, connection: Connection) -> Ready | Deferred | Rejected | Unsupported | None:
        """The relay's answer to an envelope; None where it had trouble of its own. Raises Trouble as `offer`."""
        try:
            answer = connection.answer()
        except Trouble as trouble:
            self._note(trouble)
            return None
        if not isinstance(answer, Ready):
            self._learn(answer)
            self._idle.append(connection)
        return answer

    def reply(self, connection: Connection) -> Accepted | Deferred | Rejected | Uncertain:
        """The relay's answer to a content. Never raises; `check` does, once all replies are written down."""
        reply = connection.reply()
        if isinstance(reply, Accepted):
            self.troubles = self.refusals = 0
            self._last_trouble = None
        elif isinstance(reply, Uncertain):
            self._count(Trouble(LOST, reason=reply.reason))
        elif isinstance(reply, Deferred) and reply.unsaid:
            self._count(Trouble(LOST, reason=reply.reply))
        self._learn(reply)
        self._idle.append(connection)
        return reply

    def check(self, troubles: int = TROUBLES_IN_A_ROW) -> None:
        """Raise what speaks against going on: so many troubles in a row, or so many refusals by policy."""
        if self.refusals >= REFUSALS_IN_A_ROW:
            raise Trouble(N_("Message after message is refused by policy."), fatal=True)
        if self._last_trouble is not None and self.troubles >= troubles:
            trouble, self._last_trouble, self.troubles = self._last_trouble, None, 0
            raise trouble

    def close(self) -> None:
        """Say goodbye on every idle connection."""
        while self._idle:
            self._idle.pop().close()

    def _free(self) -> Connection:
        """An idle connection that still stands, else a new one."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return Connection.open(self.relay)

    def _note(self, trouble: Trouble) -> None:
        self._count(trouble)
        self.check(1 if trouble.fatal else TROUBLES_IN_A_ROW)

    def _count(self, trouble: Trouble) -> None:
        self.troubles += 1
        self._last_trouble = trouble

    def _learn(self, answer: object) -> None:
        if isinstance(answer, Rejected) and answer.verdict == Verdict.POLICY:
            self.refusals += 1
