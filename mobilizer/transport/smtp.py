"""Transport: one SMTP connection, in the steps that the sending promise needs.

    offer -> answer -> (the caller commits its claim) -> hand -> reply

`offer` and `hand` only write, `answer` and `reply` only wait: a caller with many connections does each
step for all of them before the next. Between `answer` and `hand` a message can still be given up.
"""

from __future__ import annotations

from enum import Enum

from mobilizer.problems import N_
from mobilizer.transport.greeting import Offers, greet
from mobilizer.transport.outcomes import (
    Accepted,
    Deferred,
    Ready,
    Rejected,
    Stage,
    Trouble,
    Uncertain,
    Unsupported,
)
from mobilizer.transport.paths import path
from mobilizer.transport.relay import Relay, Timeouts
from mobilizer.transport.wire import Lost, Reply, Wire

__all__ = ["Connection", "Relay", "Timeouts"]

Answer = Ready | Deferred | Rejected | Unsupported
Final = Accepted | Deferred | Rejected | Uncertain


class _At(Enum):
    """Where the dialogue stands."""

    IDLE = "idle"
    OFFERED = "offered"
    READY = "ready"
    HANDED = "handed"


class Connection:
    """One session with a relay; carries one message at a time, as many as the relay likes."""

    def __init__(self, wire: Wire, offers: Offers, timeouts: Timeouts) -> None:
        self._wire, self._offers, self._timeouts = wire, offers, timeouts
        self._at = _At.IDLE
        self._commands: list[bytes] = []
        self._settled: Rejected | Unsupported | None = None  # the answer, known without asking the relay
        self._unwritten: Rejected | None = None  # why a content was not written
        self._trouble = ""

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
        """Write the envelope: sender and one recipient. `size` in bytes, where known, is declared (RFC 1870).

        An address that could break out of its command is never written: for a recipient the answer will be
        Unsupported, for a sender (ours, hence a bug) ValueError is raised. Any trouble with the connection is
        told by `answer`.
        """
        self._step(_At.IDLE, _At.IDLE)
        self._settled = self._unwritten = None
        self._commands = self._envelope(sender, recipient, size)
        self._at = _At.OFFERED
        if not self._settled:
            self._try_to_write(self._commands if self._pipelines else self._commands[:1])

    def answer(self) -> Answer:
        """What the relay says to the envelope; `Ready` if it waits for the content.

        Raises Trouble where it refuses the sender, says 421 or nonsense, or is gone: the connection is
        closed, and nothing was handed over. After any other answer but Ready the connection is reset.
        """
        self._step(_At.OFFERED, _At.IDLE)
        if self._settled:
            return self._settled
        try:
            answer = self._answer()
        except Lost as lost:
            raise Trouble(
                N_("The connection to the relay was lost: %(reason)s"), reason=self._trouble or lost.reason
            ) from None
        except Trouble:
            self._wire.close()
            raise
        if isinstance(answer, Ready):
            self._at = _At.READY
        return answer

    def hand(self, content: bytes) -> None:
        """Write the message (CRLF lines) and the final dot. The caller has committed its claim before.

        Where nothing can or may be written, nothing is, the connection is closed, and `reply` says so.
        """
        self._step(_At.READY, _At.HANDED)
        self._trouble = ""
        if _has_bare_break(content):
            # Some servers take a bare CR or LF for a line's end, and so find a second message inside.
            self._unwritten = Rejected(554, "5.6.0 our message has a line that does not end in CRLF", Stage.CONTENT)
            self._wire.close()
        elif not self._wire.quiet():
            # It hung up or said something unasked for: nothing is written, so nothing is uncertain.
            self._trouble = "the relay did not wait for the content"
            self._wire.close()
        else:
            self._try_to_write([_stuffed(content), b".\r\n"])

    def reply(self) -> Final:
        """What the relay says to the content. Where it says nothing that can be believed: Uncertain."""
        self._step(_At.HANDED, _At.IDLE)
        if self._wire.closed:
            return self._unwritten or Deferred(0, self._trouble, Stage.CONTENT)
        try:
            reply = self._wire.read(self._timeouts.dot)
        except Lost as lost:
            return Uncertain(lost.reason)
        if reply.kind == 2:
            return Accepted(reply.text)
        if reply.kind == 3 or reply.code == 421:
            self._wire.close()
        return Uncertain(f"the relay answered {reply}") if reply.kind == 3 else _refused(reply, Stage.DOT)

    def abandon(self) -> None:
        """Close without the final dot: the message is definitely not sent."""
        self._wire.close()
        self._at = _At.IDLE

    def close(self) -> None:
        """Say goodbye where there is nothing under way, and close. Never raises, hardly waits."""
        if self.usable:
            self._try_to_write([b"QUIT\r\n"])
        self._wire.close()

    @property
    def _pipelines(self) -> bool:
        return "PIPELINING" in self._offers

    def _step(self, expected: _At, then: _At) -> None:
        if self._at is not expected:
            raise RuntimeError(f"The dialogue is at “{self._at.value}”, not at “{expected.value}”.")
        self._at = then

    def _envelope(self, sender: str, recipient: str, size: int) -> list[bytes]:
        origin = path(sender)
        try:
            target = path(recipient or "@")  # the null path is for senders only
        except ValueError as error:
            self._settled = Unsupported(str(error))
            return []
        ascii_only = (origin + target).isascii()
        if not ascii_only and "SMTPUTF8" not in self._offers:
            self._settled = Unsupported("the relay can't carry an address with a non-ASCII local part (SMTPUTF8)")
        if 0 < self._offers.largest < size:
            text = f"5.3.4 {size} bytes are more than the {self._offers.largest} that the relay takes"
            self._settled = Rejected(552, text, Stage.MAIL)
        more = f" SIZE={size}" if size and "SIZE" in self._offers else ""
        more += "" if ascii_only else " BODY=8BITMIME SMTPUTF8" if "8BITMIME" in self._offers else " SMTPUTF8"
        return [f"MAIL FROM:<{origin}>{more}\r\n".encode(), f"RCPT TO:<{target}>\r\n".encode(), b"DATA\r\n"]

    def _answer(self) -> Answer:
        mail = self._hear(0)
        if mail.kind != 2:
            raise Trouble(N_("The relay refused the sender: %(reply)s"), reply=str(mail))
        rcpt = self._hear(1)
        if rcpt.code == 421 or rcpt.kind == 3:
            raise Trouble(N_("The relay broke off: %(reply)s"), reply=str(rcpt))
        if rcpt.kind != 2:
            return self._reset(_refused(rcpt, Stage.RCPT), data_is_written=self._pipelines)
        data = self._hear(2)
        if data.code == 354:
            return Ready()
        if data.code == 421 or data.kind < 4:
            raise Trouble(N_("The relay broke off: %(reply)s"), reply=str(data))
        return self._reset(_refused(data, Stage.DATA), data_is_written=False)

    def _hear(self, command: int) -> Reply:
        """The reply to one command of the envelope, written before unless the relay takes one at a time."""
        if command and not self._pipelines:
            self._wire.write(self._commands[command], self._timeouts.command)
        if self._wire.closed:
            raise Lost(self._trouble)
        return self._wire.read(self._timeouts.command)

    def _reset(self, refusal: Deferred | Rejected, data_is_written: bool) -> Deferred | Rejected:
        """Make the connection fit for the next message. The refusal stands whatever becomes of it."""
        try:
            # RFC 2920 3.1: DATA may be accepted though no recipient was. A lone dot would then send an
            # empty message to nobody; to close is shorter and can't be misunderstood.
            if data_is_written and not self._data_was_refused():
                self._wire.close()
            else:
                self._wire.write(b"RSET\r\n", self._timeouts.command)
                if self._wire.read(self._timeouts.command).kind != 2:
                    self._wire.close()
        except Lost:
            pass  # closed, hence not usable
        return refusal

    def _data_was_refused(self) -> bool:
        reply = self._wire.read(self._timeouts.command)
        return reply.kind in (4, 5) and reply.code != 421

    def _try_to_write(self, parts: list[bytes]) -> None:
        """Write; a failure waits for the next question. The last byte of a failed write never left."""
        try:
            self._wire.write(b"".join(parts), self._timeouts.command)
        except Lost as lost:
            self._trouble = lost.reason


def _has_bare_break(content: bytes) -> bool:
    breaks = content.count(b"\r\n")
    return content.count(b"\n") != breaks or content.count(b"\r") != breaks


def _stuffed(content: bytes) -> bytes:
    """The content ending its last line, each dot at the start of a line doubled (RFC 5321 4.5.2)."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    return content.replace(b"\r\n.", b"\r\n..") if b"\r\n." in content else content


def _refused(reply: Reply, stage: Stage) -> Deferred | Rejected:
    return (Deferred if reply.kind == 4 else Rejected)(reply.code, reply.text, stage)
