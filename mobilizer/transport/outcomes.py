"""Transport: what can become of one message at the relay, and what a refusal means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mobilizer.problems import N_, Problem
from mobilizer.transport.losses import LOSSES, Loss, Lost
from mobilizer.transport.wire import Reply

BROKEN_OFF = N_("The relay broke off: %(reply)s")


class Trouble(Exception):
    """The relay's trouble, no member's fault: nothing was handed over. The connection is closed.

    `problem` says it for people, in any language; `reason` in English, for logs. `fatal` means that trying again
    can't help (protection or sign-in refused): the blast is held at once. `at_recipient`: said to a recipient, so it
    may be about that one alone. `said` is the relay's reply, where it is one: the message's %(reply)s.
    """

    def __init__(
        self,
        message: str,
        fatal: bool = False,
        at_recipient: bool = False,
        said: Reply | None = None,
        **params: object,
    ) -> None:
        self.problem = Problem("relay", message, {**params, "reply": str(said)} if said else params)
        self.reason = self.problem.text()
        self.fatal = fatal
        self.at_recipient = at_recipient
        self.said = said
        super().__init__(self.reason)

    @classmethod
    def of(cls, loss: Loss, detail: str = "") -> Trouble:
        """The trouble of a lost connection; its detail is for logs."""
        trouble = cls(LOSSES[loss])
        trouble.reason = Lost(loss, detail).reason
        return trouble

    @property
    def too_fast(self) -> bool:
        """Whether the relay said that we are too fast, or that it has no room for us now."""
        return (said := self.said) is not None and said.kind > 3 and verdict(said.code, said.text) is Verdict.RATE


class Stage(StrEnum):
    """How far a message had come when its answer was given; before `DOT` nothing can have been delivered."""

    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    CONTENT = "content"  # the content had begun, but its last byte never left this machine
    DOT = "dot"


class Verdict(StrEnum):
    """What a refusal says about the member, the message or our speed."""

    HARD = "hard"  # no such address
    SOFT = "soft"  # not now, or not clear
    FULL = "full"  # the mailbox is full
    POLICY = "policy"  # the message, its size or its sender was refused: the member is untouched
    RATE = "rate"  # we are too fast, or the relay has no room: slow down


@dataclass(frozen=True, slots=True)
class Ready:
    """The relay waits for the content: claim the message, then hand it over, or abandon the connection."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The relay took the message and is answerable for it. `reply` is its text."""

    reply: str


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A definite no: the message was not taken. `code` is 0 where the relay said nothing (see Stage.CONTENT); then
    `reply` is the Loss."""

    code: int
    reply: str
    stage: Stage

    @property
    def verdict(self) -> Verdict:
        """What the refusal means."""
        return verdict(self.code, self.reply, self.stage)


@dataclass(frozen=True, slots=True)
class Deferred(_Refusal):
    """Not taken now (4xx), or the connection broke before the end of the content: it may be tried again."""

    @property
    def unsaid(self) -> bool:
        """Whether no relay said so: the connection broke."""
        return not self.code


@dataclass(frozen=True, slots=True)
class Rejected(_Refusal):
    """Not taken, for good (5xx)."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """All content left this machine and no answer came: the relay may have it or not. Never resend by itself.

    `detail` is what the system or the relay said about the loss, if anything.
    """

    loss: Loss
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The relay can't carry this address (a non-ASCII local part without SMTPUTF8): nothing was said to it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the table below. It holds if the reply's enhanced status (RFC 3463) matches `status`
    and its text has one of `words`; an empty pattern asks nothing. `permanent` rules hold for 5xx only, those
    with a `code` for this one only."""

    name: str
    gives: Verdict
    status: str = ""
    words: str = ""
    permanent: bool = False
    code: int | None = None

    def holds(self, code: int, status: str, text: str) -> bool:
        """Whether this line decides about the reply."""
        if self.code not in (None, code):
            return False
        if self.permanent and not (code >= 500 and status[:1] in ("", "5")):
            return False
        if self.status and not re.fullmatch(self.status, status):
            return False
        return not self.words or re.search(self.words, text, re.IGNORECASE) is not None


# Nothing that can be read from the status: no status, or one that says "other" (RFC 3463: x.0.0 and x.y.0).
_VAGUE = r"|[45]\.\d+\.0"

# The first line that holds decides. A status says more than words, words more than the basic code.
RULES = (
    Rule("unknown address", Verdict.HARD, status=r"5\.1\.(1|2|3|10)", permanent=True),
    Rule("mailbox full", Verdict.FULL, status=r"[45]\.2\.2"),
    Rule("loop on the way", Verdict.SOFT, status=r"[45]\.4\.\d+"),
    Rule("no room, too many, too fast", Verdict.RATE, status=r"[45]\.(3\.1|5\.3|7\.28)|4\.3\.2"),
    Rule("no more of us for now", Verdict.RATE, status=r"4\.[037]\.\d+", code=421),
    Rule(
        "rate in words",
        Verdict.RATE,
        words=r"\btoo (many (?!hops|received)|fast|frequent|quick)|\brate\b|throttl|insufficient (system )?(storage|"
        r"resources|disk)|not enough (storage|disk)|slow down",
        status=r"|[45]\.[02]\.\d+|[45]\.7\.\d+|[45]\.\d+\.0",
    ),
    Rule("too big", Verdict.POLICY, status=r"5\.(2\.3|3\.4)", permanent=True),
    Rule("our sender or content", Verdict.POLICY, status=r"5\.(1\.[78]|6\.\d+|7\.\d+)", permanent=True),
    Rule(
        "mailbox full in words",
        Verdict.FULL,
        words=r"quota|mailbox (is )?full|over ?quota|mailbox.{0,30}(storage|exceed)",
        status=_VAGUE,
    ),
    Rule(
        "policy in words",
        Verdict.POLICY,
        words=r"\bspam|\bunsolicited|polic(y|ies)\b|block(ed|ing|list)|blacklist|dnsbl|\brbl\b|reputation|\bdmarc\b|"
        r"\bspf\b|\bdkim\b|too (large|big)|(message|size).{0,30}(size|exceed)|content (rejected|denied)|virus",
        status=_VAGUE,
        permanent=True,
    ),
    Rule(
        "unknown address in words",
        Verdict.HARD,
        words=r"(no such|unknown|invalid|non-?existent) (local )?(user|recipient|mailbox|address|account)|"
        r"(user|recipient|mailbox|address|account).{0,80}(unknown|not found|does ?n[o']t exist|n[o']t have a)",
        status=_VAGUE,
        permanent=True,
    ),
)

_BASIC = {452: Verdict.RATE, 421: Verdict.RATE, 552: Verdict.FULL}
_STATUS = re.compile(r"^\s*([245]\.\d{1,3}\.\d{1,3})(?!\S)")


def verdict(code: int, reply: str, stage: Stage = Stage.RCPT) -> Verdict:
    """What a 4xx or 5xx reply means, after promise "Answers".

    To MAIL only the size of a message can be refused (see `is_about_size`). A verdict is about the address only if
    given at RCPT: HARD becomes SOFT at any later stage, where it may be about another hop or the content.
    Sources: RFC 5321 4.2, RFC 3463, RFC 5248, RFC 6522 practice.
    """
    if stage is Stage.MAIL:
        return Verdict.POLICY
    status = _status(reply)
    for rule in RULES:
        if rule.holds(code, status, reply):
            late = rule.gives is Verdict.HARD and stage is not Stage.RCPT
            return Verdict.SOFT if late else rule.gives
    return Verdict.SOFT if status else _BASIC.get(code, Verdict.SOFT)


def is_about_size(code: int, reply: str) -> bool:
    """Whether a reply to MAIL refuses the message for its declared size (RFC 1870 6.1), not the sender."""
    status = _status(reply)
    return code >= 500 and (status in ("5.2.3", "5.3.4") or (code == 552 and not status))


def _status(reply: str) -> str:
    found = _STATUS.match(reply)
    return found[1] if found else ""
