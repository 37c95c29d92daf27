"""Delivery: carriers. One a lane: it carries message after message through the order that the promise asks for.

envelope -> 354 -> (claim commit) -> content, with the next envelope -> reply -> (settle commit)
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mobilizer import failpoints
from mobilizer.delivery.answers import put_off, settlement
from mobilizer.delivery.claims import REPLY_LENGTH, Receipt
from mobilizer.delivery.hand import Hand
from mobilizer.delivery.hands import Hands
from mobilizer.delivery.lanes import Lanes, Load
from mobilizer.delivery.pacing import Pacing
from mobilizer.failpoints import Point
from mobilizer.transport.lines import Errand, Line
from mobilizer.transport.losses import Loss
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
from mobilizer.transport.relays import Route
from mobilizer.transport.talk import Envelope

Answer = Accepted | Deferred | Rejected | Uncertain | Unsupported


@dataclass(eq=False, slots=True)
class Message:
    """A load on a lane, with its envelope as that lane's relay is told it; `relay` is that one's name."""

    hand: Hand
    load: Load
    envelope: Envelope
    relay: str

    @property
    def delivery(self) -> int:
        """The row in the ledger."""
        return self.load.person.delivery


class Post:
    """What lies between the lanes and the books: messages to fetch, claims to ask for, answers to note."""

    def __init__(self, hands: Hands, pacing: Pacing) -> None:
        self.hands = hands
        self._pacing = pacing
        self.lanes: Lanes
        self.ready: list[tuple[Line, Message]] = []  # 354 is in hand: they wait for their claim
        self.idle: list[Line] = []  # they wait for a message
        self.handed: set[Line] = set()  # their content is out: they wait for its answer
        self._broke: set[int] = set()  # deliveries at whose recipient the relay broke off

    def fetch(self, line: Line, route: Route) -> Message | None:
        """The next message for a lane; None if there is none now."""
        while (following := self._pacing.next(route)) is not None:
            hand, load = following
            envelope = line.talk.envelope(load.sender, load.recipient, len(load.content))
            message = Message(hand, load, envelope, route.name)
            if envelope.refusal is None:
                return message
            self.answered(route, message, envelope.refusal)
        return None

    def answered(self, route: Route, message: Message, answer: Answer, *, claimed: bool = False) -> None:
        """Note the answer to a message, and what it says about the relay."""
        person, provider = message.load.person, message.load.provider
        if isinstance(answer, Accepted):
            receipt = Receipt(person.delivery, answer.reply[:REPLY_LENGTH], route.name, provider)
            self.hands.accepted(message.hand, receipt)
        else:
            settled = settlement(person.delivery, person.tries, answer, route.name, provider)
            self.hands.answered(message.hand, settled, claimed=claimed)
        self._pacing.learn(route, message.load, answer)
        self.lanes.learn(route, answer)

    def unsent(self, message: Message) -> None:
        """Note that a message was not handed over, whether or not its claim was committed."""
        person = message.load.person
        answer = Deferred(0, Loss.NOT_AWAITED, Stage.CONTENT)
        self.hands.answered(message.hand, settlement(person.delivery, person.tries, answer), claimed=True)

    def broken_off(self, route: Route, message: Message, trouble: Trouble) -> None:
        """The relay had trouble before it had the content. Said to one recipient again, it also puts that one off:
        else one address could stop a whole blast for ever."""
        person = message.load.person
        if trouble.at_recipient and person.delivery in self._broke:
            self.hands.answered(message.hand, put_off(person.delivery, person.tries, 421, trouble.reason))
        else:
            self.hands.put_back(message.hand, message.load)
            if trouble.at_recipient:
                self._broke.add(person.delivery)
        self.lanes.troubled(route, trouble)


class Carrier:
    """The errand of one lane."""

    def __init__(self, post: Post, line: Line, route: Route) -> None:
        self._post, self._line, self._route = post, line, route
        self._message: Message | None = None  # whose envelope is written
        self._left = route.messages_per_connection or float("inf")

    def run(self) -> Errand:
        """Carry until the relay is gone or has taken as many as it may on one connection."""
        with self._over():
            while self._left and not self._line.closed:
                message = self._message or (yield from self._fetched())
                if message is None:
                    return
                answer = yield from self._line.talk.answered(message.envelope)
                failpoints.reach(Point.ENVELOPE_ANSWERED)
                if isinstance(answer, Ready):
                    yield from self._delivered(message)
                else:
                    self._message = None
                    self._post.answered(self._route, message, answer)

    @contextmanager
    def _over(self) -> Iterator[None]:
        """However it ends, the message whose envelope was written is accounted for."""
        try:
            yield
        except Trouble as trouble:
            message, self._message = self._message, None
            if message is not None:
                self._post.broken_off(self._route, message, trouble)
        finally:
            if self._message is not None:
                self._post.hands.put_back(self._message.hand, self._message.load)
            self._post.handed.discard(self._line)
            self._post.lanes.closed(self._route)

    def _fetched(self) -> Generator[float | None, Any, Message | None]:
        """Fetch a message and write its envelope; None where the relay has hung up before there was one."""
        while (message := self._post.fetch(self._line, self._route)) is None:
            self._post.idle.append(self._line)
            yield None
            if not self._line.silent:
                return None
        self._message = message
        self._line.say(self._line.talk.opening(message.envelope))
        failpoints.reach(Point.ENVELOPE_WRITTEN)
        return message

    def _delivered(self, message: Message) -> Errand:
        """Wait for the claim, hand the content over, and note the answer."""
        self._post.ready.append((self._line, message))
        allowed = yield None
        self._message = None
        if not allowed:
            self._line.hang_up()  # before the dot: definitely not sent
            self._post.hands.refused(message.hand)
        elif not self._line.silent:
            self._line.hang_up()
            self._post.answered(self._route, message, Deferred(0, Loss.NOT_AWAITED, Stage.CONTENT), claimed=True)
        else:
            self._hand_over(message)
            answer = yield from self._line.talk.replied()
            failpoints.reach(Point.REPLY_READ)
            self._post.handed.discard(self._line)
            self._post.answered(self._route, message, answer, claimed=True)

    def _hand_over(self, message: Message) -> None:
        self._left -= 1
        chained = self._left and self._line.talk.pipelines
        following = self._post.fetch(self._line, self._route) if chained else None
        opening = self._line.talk.opening(following.envelope) if following else b""
        failpoints.reach(Point.CONTENT_BEFORE_WRITE)
        content, message.load.content = message.load.content, b""
        if failpoints.armed(Point.CONTENT_HALF_WRITTEN):
            half = len(content) // 2
            self._line.say(content[:half])
            failpoints.reach(Point.CONTENT_HALF_WRITTEN)
            content = content[half:]
        self._line.hand(content, opening)
        self._post.handed.add(self._line)
        self._message = following
        failpoints.reach(Point.CONTENT_WRITTEN)
