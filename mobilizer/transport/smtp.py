"""Transport: one SMTP connection that waits, in the steps that the sending promise needs.

    offer -> answer -> (the caller commits its claim) -> hand -> reply

For one message at a time: a proof, a notice, a check of the relay. A blast goes over many (lines.py), and says the
same words (talk.py).
"""

from __future__ import annotations

import re
from enum import Enum

from mobilizer.transport.greeting import Offers, greet
from mobilizer.transport.losses import Loss, Lost
from mobilizer.transport.outcomes import Deferred, Rejected, Stage, Unsupported
from mobilizer.transport.relay import Relay, Timeouts
from mobilizer.transport.talk import Answer, Envelope, Final, Question, T, Talk, dotted, has_bare_break
from mobilizer.transport.wire import Reply, Wire

__all__ = ["Connection", "Relay", "Timeouts"]


class _At(Enum):
    """Where the dialogue stands."""

    IDLE = "idle"
    OFFERED = "offered"
    READY = "ready"
    HANDED = "handed"


class Connection:
    """One session with a relay; carries one message at a time, as many as the relay likes."""

    def __init__(self, wire: Wire, offers: Offers, timeouts: Timeouts) -> None:
        self._wire, self._timeouts = wire, timeouts
        self._talk = Talk(self, offers, timeouts)
        self._at = _At.IDLE
        self._envelope = Envelope()
        self._unwritten: Deferred | Rejected | None = None  # why a content was not written
        self._failed = False

    @classmethod
    def open(cls, relay: Relay, timeouts: Timeouts | None = None) -> Connection:
        """Connect, protect, sign in. Raises Trouble, `fatal` where a second try can't help."""
        timeouts = timeouts or Timeouts()
        return cls(*greet(relay, timeouts), timeouts)

    @property
    def usable(self) -> bool:
        """Whether another message may be offered: nothing under way, and the relay has not hung up meanwhile."""
        return self._at is _At.IDLE and self._wire.quiet()

    def offer(self, sender: str, recipient: str, size: int = 0) -> None:
        """Write the envelope: sender and one recipient, as Talk.envelope makes it. Trouble is told by `answer`."""
        self._step(_At.IDLE, _At.IDLE)
        self._unwritten = None
        self._envelope = self._talk.envelope(sender, recipient, size)
        self._at = _At.OFFERED
        if self._envelope.commands:
            self.say(self._talk.opening(self._envelope))

    def answer(self) -> Answer | Unsupported:
        """What the relay says to the envelope, as Talk.answered tells it. Raises Trouble."""
        self._step(_At.OFFERED, _At.IDLE)
        if self._envelope.refusal:
            return self._envelope.refusal
        answer = self._heard(self._talk.answered(self._envelope))
        if not isinstance(answer, Deferred | Rejected):
            self._at = _At.READY
        return answer

    def hand(self, content: bytes) -> None:
        """Write the message (CRLF lines) and the final dot. The caller has committed its claim before.

        Where nothing can or may be written, nothing is, the connection is closed, and `reply` says so.
        """
        self._step(_At.READY, _At.HANDED)
        if has_bare_break(content):
            self._unwritten = Rejected(554, "5.6.0 our message has a line that does not end in CRLF", Stage.CONTENT)
            self._wire.close()
        elif not self._wire.quiet():
            # It hung up or said something unasked for: nothing is written, so nothing is uncertain.
            self._unwritten = Deferred(0, Loss.NOT_AWAITED, Stage.CONTENT)
            self._wire.close()
        else:
            self.say(dotted(content))

    def reply(self) -> Final:
        """What the relay says to the content, as Talk.replied tells it."""
        self._step(_At.HANDED, _At.IDLE)
        return self._unwritten or self._heard(self._talk.replied())

    def abandon(self) -> None:
        """Close without the final dot: the message is definitely not sent."""
        self._wire.close()
        self._at = _At.IDLE

    def close(self) -> None:
        """Say goodbye where there is nothing under way, and close. Never raises, hardly waits."""
        if self.usable:
            self.say(b"QUIT\r\n")
        self._wire.close()

    @property
    def content_has_left(self) -> bool:
        """Whether the last write succeeded: a failed one closes the connection, and its last byte never left."""
        return not self._failed

    @property
    def silent(self) -> bool:
        """Whether it is open and nothing has come that was not taken yet."""
        return self._wire.silent

    def next_reply(self) -> Reply | None:
        """Take the next reply if it has come as a whole. Raises Lost."""
        return self._wire.next_reply()

    def take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what has come as far as it matches, if it does."""
        return self._wire.take(pattern)

    def say(self, data: bytes) -> None:
        """Write; a failure waits for the next question."""
        self._failed = False
        try:
            self._wire.write(data, self._timeouts.command)
        except Lost:
            self._failed = True

    def hang_up(self) -> None:
        """Close, without a word."""
        self._wire.close()

    def _step(self, expected: _At, then: _At) -> None:
        if self._at is not expected:
            raise RuntimeError(f"The dialogue is at “{self._at.value}”, not at “{expected.value}”.")
        self._at = then

    def _heard(self, question: Question[T]) -> T:
        """Drive a question to its answer, waiting for what it waits for."""
        try:
            while True:
                self._wire.hear(next(question))
        except StopIteration as end:
            answer: T = end.value
            return answer
