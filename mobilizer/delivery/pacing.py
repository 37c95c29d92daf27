"""Delivery: pacing. Which message may go now: each takes a token of its relay and of the recipient's provider."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import inf

from mobilizer.delivery.hand import Hand
from mobilizer.delivery.hands import Hands
from mobilizer.delivery.lanes import Load
from mobilizer.delivery.mailboxes import DOMAIN, Mailboxes
from mobilizer.pace.complaints import Complaints
from mobilizer.pace.pace import Pace
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Trouble, Verdict
from mobilizer.transport.relays import Route

Names = tuple[str, ...]


class Pacing:
    """Gives out the messages of the leases in hand as fast as the pace allows. Those whose mailbox provider must wait
    are put aside, however many they are, and others go first."""

    def __init__(self, hands: Hands, pace: Pace, mailboxes: Mailboxes) -> None:
        self._hands = hands
        self._pace = pace
        self._mailboxes = mailboxes
        # By relay and mailbox, "" for what holds for all mailboxes: no token before that moment.
        self._not_before: dict[tuple[str, str], float] = {}
        self._names: dict[tuple[str, str], Names] = {}
        self._complaints = Complaints()
        self._aside_first = False

    @property
    def wait(self) -> float:
        """Seconds until somebody who waits may go; infinite where nobody waits for a token."""
        waited = (at for (_, mailbox), at in self._not_before.items() if not mailbox or mailbox in self._hands.aside)
        return max(0.0, min(waited, default=inf) - time.monotonic())

    def due(self) -> bool:
        """Whether since the last question the time of a token has come that somebody waited for."""
        if not self._not_before:
            return False
        now = time.monotonic()
        passed = [key for key, at in self._not_before.items() if at <= now]
        for key in passed:
            del self._not_before[key]
        return bool(passed)

    def next(self, route: Route) -> tuple[Hand, Load] | None:
        """A message that may go over a relay now."""
        if not self._hands.aside:
            return self._fresh(route)
        # In turn: neither may hold up the other where the relay's own tokens are few.
        self._aside_first = not self._aside_first
        if self._aside_first:
            return self._of_those_aside(route) or self._fresh(route)
        return self._fresh(route) or self._of_those_aside(route)

    def _fresh(self, route: Route) -> tuple[Hand, Load] | None:
        while not (self._not_before and self._waits(route)) and (following := self._hands.next()) is not None:
            hand, load = following
            mailbox = self._mailboxes.of(load.recipient)
            load.provider = _provider(mailbox)
            if mailbox not in self._hands.aside:
                if self._may_go(route, mailbox):
                    return following
                if self._waits(route):
                    self._hands.not_yet(hand, load)
                    return None
            self._hands.put_aside(hand, load, mailbox)
        return None

    def _of_those_aside(self, route: Route) -> tuple[Hand, Load] | None:
        for mailbox in list(self._hands.aside):
            if self._may_go(route, mailbox) and (following := self._hands.next_aside(mailbox)) is not None:
                following[1].provider = _provider(mailbox)
                return following
        return None

    def learn(self, route: Route, load: Load, answer: object) -> None:
        """Go slower where an answer says that we are too fast, and faster again where messages are accepted."""
        if isinstance(answer, Accepted):
            mailbox = load.provider or (self._mailboxes.of(load.recipient) if self._pace.slowed else "")
            for name in self._names_of(route, mailbox):
                self._pace.well(name)
        elif isinstance(answer, Deferred | Rejected) and answer.code and answer.verdict == Verdict.RATE:
            for name in self._complained(route, load):
                self._pace.slower(name, f"{answer.code} {answer.reply}")

    def _complained(self, route: Route, load: Load) -> Sequence[str]:
        """Who is too busy for us: a provider that we know, else the domain, or the relay itself if many say so."""
        names = self._names_of(route, load.provider)
        if load.provider:
            return names[-1:]
        return self._complaints.told(names[0], self._mailboxes.domain(load.recipient))

    def troubled(self, route: Route, trouble: Trouble) -> None:
        """Go slower where a relay's trouble is that we are too fast."""
        if trouble.too_fast:
            self._pace.slower(f"relay:{route.name}", str(trouble.said))

    def close(self) -> None:
        """Give back the tokens that were not used."""
        self._pace.close()

    def _waits(self, route: Route, mailbox: str = "") -> bool:
        return self._not_before.get((route.name, mailbox), 0.0) > time.monotonic()

    def _may_go(self, route: Route, mailbox: str) -> bool:
        if self._not_before and (self._waits(route) or self._waits(route, mailbox)):
            return False
        relay, *_ = names = self._names_of(route, mailbox)
        wait = self._pace.take(*names)
        if wait:
            of_all = self._pace.is_short(relay)
            self._not_before[route.name, "" if of_all else mailbox] = time.monotonic() + wait
        return not wait

    def _names_of(self, route: Route, mailbox: str) -> Names:
        key = (route.name, mailbox)
        if key not in self._names:
            relay, box = f"relay:{route.name}", f"provider:{mailbox}"
            if mailbox.startswith(DOMAIN):
                self._names[key] = (relay, mailbox)
            else:
                self._names[key] = (relay, box, f"{relay}/{box}") if mailbox else (relay,)
        return self._names[key]


def _provider(mailbox: str) -> str:
    return "" if mailbox.startswith(DOMAIN) else mailbox
