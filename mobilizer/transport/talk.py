"""Transport: the talk of SMTP without a socket, one message at a time or chained.

The two questions of a message are generators. Each takes from its connection the replies that have come, yields the
moment until which it waits for more, and returns an answer. Who drives them waits on one socket (smtp.py) or on a
hundred (lines.py): what is said is the same.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from time import monotonic
from typing import NamedTuple, Protocol, TypeVar

from mobilizer.problems import N_
from mobilizer.transport.greeting import Offers
from mobilizer.transport.losses import Loss, Lost
from mobilizer.transport.outcomes import (
    BROKEN_OFF,
    Accepted,
    Deferred,
    Ready,
    Rejected,
    Stage,
    Trouble,
    Uncertain,
    Unsupported,
    is_about_size,
)
from mobilizer.transport.paths import path
from mobilizer.transport.relay import Timeouts
from mobilizer.transport.wire import Reply

Answer = Ready | Deferred | Rejected
Final = Accepted | Deferred | Rejected | Uncertain

T = TypeVar("T")
Question = Generator[float, None, T]

# What a relay that takes the envelope as a whole mostly says to it: yes, yes, go on.
_GO_ON = re.compile(rb"(?:2[0-9][0-9] [^\r\n]{0,1000}\r\n){2}354 [^\r\n]{0,1000}\r\n")
# And what it says to the content: yes, in words that are kept as they are (Reply.text says when they aren't).
_TAKEN = re.compile(rb"2[0-9][0-9] (?! )([!-?A-~ ]{1,500})(?<! )\r\n")


class Mouth(Protocol):
    """What a talk needs of its connection."""

    @property
    def content_has_left(self) -> bool:
        """Whether the last byte of the content that was last handed over has left this machine."""

    @property
    def silent(self) -> bool:
        """Whether it is open and nothing has come that was not taken yet."""

    def next_reply(self) -> Reply | None:
        """Take the next reply if it has come as a whole. Raises Lost where none can come any more."""

    def take(self, pattern: re.Pattern[bytes]) -> re.Match[bytes] | None:
        """Take what has come as far as it matches, if it does."""

    def say(self, data: bytes) -> None:
        """Write. What goes wrong is told by the next reply."""

    def hang_up(self) -> None:
        """Close, without a word."""


class Envelope(NamedTuple):
    """The commands that announce one message, or the answer to it that is known without asking the relay."""

    commands: bytes = b""
    refusal: Rejected | Unsupported | None = None


class Talk:
    """What is said on one connection to a relay that `offers` this."""

    def __init__(self, mouth: Mouth, offers: Offers, timeouts: Timeouts) -> None:
        self._mouth, self._offers, self._timeouts = mouth, offers, timeouts
        self.pipelines = "PIPELINING" in offers
        self._sizes = "SIZE" in offers
        self._largest = offers.largest

    def envelope(self, sender: str, recipient: str, size: int = 0) -> Envelope:
        """The envelope of a message to one recipient. `size` in bytes, where known, is declared (RFC 1870).

        An address that could break out of its command is never written: a recipient's is refused as Unsupported,
        a sender's (ours, hence a bug) raises ValueError.
        """
        origin = path(sender)
        try:
            target = path(recipient or "@")  # the null path is for senders only
        except ValueError as error:
            return Envelope(refusal=Unsupported(str(error)))
        ascii_only = origin.isascii() and target.isascii()
        if not ascii_only and "SMTPUTF8" not in self._offers:
            return Envelope(
                refusal=Unsupported("the relay can't carry an address with a non-ASCII local part (SMTPUTF8)")
            )
        if 0 < self._largest < size:
            text = f"5.3.4 {size} bytes are more than the {self._largest} that the relay takes"
            return Envelope(refusal=Rejected(552, text, Stage.MAIL))
        more = f" SIZE={size}" if size and self._sizes else ""
        more += "" if ascii_only else " BODY=8BITMIME SMTPUTF8" if "8BITMIME" in self._offers else " SMTPUTF8"
        return Envelope(f"MAIL FROM:<{origin}>{more}\r\nRCPT TO:<{target}>\r\nDATA\r\n".encode())

    def opening(self, envelope: Envelope) -> bytes:
        """What to write of an envelope at first: all of it, or one command where the relay takes one at a time."""
        return envelope.commands if self.pipelines else envelope.commands.splitlines(True)[0]

    def answered(self, envelope: Envelope) -> Question[Answer]:
        """What the relay says to an envelope that is written; `Ready` if it waits for the content.

        Raises Trouble where it refuses the sender (but for the size of the message), says 421 or nonsense, or is gone:
        the connection is closed, and nothing was handed over. After any other answer but Ready it is reset.
        """
        try:
            return (yield from self._answered(envelope))
        except Lost as lost:
            raise Trouble.of(lost.loss, lost.detail) from None
        except Trouble:
            self._mouth.hang_up()
            raise

    def replied(self) -> Question[Final]:
        """What the relay says to a content that is handed over. Where nothing can be believed: Uncertain."""
        try:
            until = monotonic() + self._timeouts.dot
            if self._mouth.silent:
                yield until
            if self._mouth.content_has_left and (taken := self._mouth.take(_TAKEN)):
                return Accepted(taken[1].decode())
            reply = yield from self._reply(until)
        except Lost as lost:
            return (
                Uncertain(lost.loss, lost.detail)
                if self._mouth.content_has_left
                else Deferred(0, lost.loss, Stage.CONTENT)
            )
        if not self._mouth.content_has_left:
            return self._interrupted(reply)
        if reply.kind == 2:
            return Accepted(reply.text)
        if reply.kind == 3 or reply.code == 421:
            self._mouth.hang_up()
        return Uncertain(Loss.ODD, str(reply)) if reply.kind == 3 else _refused(reply, Stage.DOT)

    def _interrupted(self, reply: Reply) -> Final:
        # It answered a content that has not ended. We never end it: whatever it meant, it has no message.
        self._mouth.hang_up()
        if reply.kind in (4, 5):
            return _refused(reply, Stage.CONTENT)
        return Deferred(0, Loss.NOT_AWAITED, Stage.CONTENT)

    def _answered(self, envelope: Envelope) -> Question[Answer]:
        until = self._soon()
        if self.pipelines and (yield from self._told_to_go_on(until)):
            return _READY
        mail = yield from self._reply(until)
        if is_about_size(mail.code, mail.text):
            return (yield from self._reset(_refused(mail, Stage.MAIL), unread=2 * self.pipelines))
        if mail.kind != 2:
            raise Trouble(N_("The relay refused the sender: %(reply)s"), said=mail)
        rcpt = yield from self._next(envelope, 1)
        if rcpt.code == 421 or rcpt.kind == 3:
            raise Trouble(BROKEN_OFF, at_recipient=rcpt.code == 421, said=rcpt)
        if rcpt.kind != 2:
            return (yield from self._reset(_refused(rcpt, Stage.RCPT), unread=int(self.pipelines)))
        data = yield from self._next(envelope, 2)
        if data.code == 354:
            return _READY
        if data.code == 421 or data.kind < 4:
            raise Trouble(N_("The relay broke off: %(reply)s"), said=data)
        return (yield from self._reset(_refused(data, Stage.DATA), unread=0))

    def _told_to_go_on(self, until: float) -> Question[bool]:
        """Whether the relay's first words are a yes to the whole envelope."""
        if self._mouth.silent:
            yield until
        return self._mouth.take(_GO_ON) is not None

    def _next(self, envelope: Envelope, command: int) -> Question[Reply]:
        """The answer to a further command, which was written before unless the relay takes one at a time."""
        if not self.pipelines:
            self._mouth.say(envelope.commands.splitlines(True)[command])
        return (yield from self._reply(self._soon()))

    def _soon(self) -> float:
        """Until when the answer to a command that is written now is waited for."""
        return monotonic() + self._timeouts.command

    def _reply(self, until: float) -> Question[Reply]:
        while (reply := self._mouth.next_reply()) is None:
            yield until
        return reply

    def _reset(self, refusal: Deferred | Rejected, unread: int) -> Question[Deferred | Rejected]:
        """Make the connection fit for the next message. The refusal stands whatever becomes of it. `unread`: to how
        many commands behind the refused one the answers are still to come, to DATA last."""
        try:
            if unread > 1:
                yield from self._reply(self._soon())
            if unread:
                data = yield from self._reply(self._soon())
                if data.kind not in (4, 5) or data.code == 421:
                    # RFC 2920 3.1: DATA may be accepted though no recipient was. A lone dot would then send an
                    # empty message to nobody; to close is shorter and can't be misunderstood.
                    self._mouth.hang_up()
                    return refusal
            self._mouth.say(b"RSET\r\n")
            if (yield from self._reply(self._soon())).kind != 2:
                self._mouth.hang_up()
        except Lost:
            pass  # closed, hence not usable
        return refusal


_READY = Ready()


def has_bare_break(content: bytes) -> bool:
    """Whether a CR or LF stands alone: some servers take it for a line's end, and so find a second message inside."""
    breaks = content.count(b"\r\n")
    return content.count(b"\n") != breaks or content.count(b"\r") != breaks


def dotted(content: bytes) -> bytes:
    """The content ending its last line, each dot at the start of a line doubled, and the final dot (RFC 5321 4.5.2)."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    return content + b".\r\n"


def _refused(reply: Reply, stage: Stage) -> Deferred | Rejected:
    return (Deferred if reply.kind == 4 else Rejected)(reply.code, reply.text, stage)
