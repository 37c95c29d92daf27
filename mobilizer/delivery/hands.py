"""Delivery: hands. The leases that one slice holds, side by side, and the books it keeps for them."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence

import structlog
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from mobilizer import failpoints
from mobilizer.delivery import claims, fewer, holds, leases
from mobilizer.delivery.aside import Aside
from mobilizer.delivery.claims import Person, Receipt, Settlement
from mobilizer.delivery.hand import Hand
from mobilizer.delivery.lanes import Load
from mobilizer.delivery.leases import Due, Lease, Words
from mobilizer.delivery.ledger import DeliveryState
from mobilizer.delivery.loads import Loader, Thanks, Unrenderable
from mobilizer.delivery.reports import Report
from mobilizer.failpoints import Point
from mobilizer.installation import Installation
from mobilizer.keys import BadSeal
from mobilizer.problems import N_
from mobilizer.transport.outcomes import Trouble

SIDE_BY_SIDE = 4  # leases at the same time: each of another blast, language or variant where there are such
MADE_AT_ONCE = 32  # messages of one lease at most: what makes them stays in the processor's caches meanwhile
UNMADE_IN_A_ROW = 20
ASK_AGAIN_SECONDS = 1.0
KEPT_ASIDE = 4  # leases, of each blast and language, whose people all wait for the same mailbox: for its tokens
KEPT_IN_ALL = 32  # beyond that no second lease for the same mailbox: they hold thousands of people
# Others like them go back until it should be their turn: then who else is in line is looked at first.
LEAST_REST_SECONDS, LONGEST_REST_SECONDS = 5.0, 300.0

log = structlog.get_logger()


class Hands:
    """The leases of one owner. Takes further ones of any sending blast, whichever has waited longest for its turn."""

    def __init__(
        self,
        installation: Installation,
        connection: Connection,
        owner: str,
        report: Report,
        mailbox_of: Callable[[str], str],
        thanks: Thanks,
    ) -> None:
        """`mailbox_of` names whose mailbox an address is, for the pace; `thanks` knows what came of sharing."""
        self._database = installation.database
        self._installation, self._thanks = installation, thanks
        self._connection = connection
        self._owner = owner
        self._report = report
        self._mailbox_of = mailbox_of
        self._lease_seconds = installation.settings.lease_seconds
        self._hands: dict[int, Hand] = {}
        self._turns: deque[Hand] = deque()
        self._made: deque[tuple[Hand, Load]] = deque()
        self._loaders: dict[Words, Loader] = {}
        self._lately: dict[Words, float] = {}  # when a rendition last had its turn
        self._due: list[Due] = []  # found, and not yet taken
        self._found = True
        self._ask_at = float("-inf")
        self.aside: Aside[Hand] = Aside()
        self._resting: Counter[str] = Counter()  # people who were given back, by the mailbox that they wait for
        self._began = time.monotonic()
        self.worked: set[int] = set()  # the blasts of every lease there was
        self.trouble: Trouble | None = None  # our own: nothing more is made

    @property
    def waiting(self) -> int:
        """How many people wait for their message to be made, or to be fetched; not those who are put aside."""
        return sum(len(hand.waiting) for hand in self._hands.values()) + len(self._made)

    @property
    def unsent(self) -> int:
        """How many messages wait or are out."""
        return sum(len(hand.waiting) + hand.out for hand in self._hands.values()) + self.aside.people

    @property
    def empty(self) -> bool:
        """Whether no lease is held."""
        return not self._hands

    def take(self, batch_id: int) -> bool:
        """Lease a batch; False if it can't be had."""
        with self._database.write() as session:
            lease = leases.take(session, batch_id, self._owner, self._lease_seconds)
            failpoints.reach(Point.LEASE_BEFORE_COMMIT)
        if lease is None:
            return False
        failpoints.reach(Point.LEASE_AFTER_COMMIT)
        self._hands[lease.batch] = hand = Hand(lease, self._loader(lease), [])
        self.worked.add(lease.blast)
        with self._database.read() as session:
            hand.loader.prepare(session, lease)
            people, hand.unclaimed = claims.due_people(session.connection(), lease)
            hand.loader.meet(session, people)
        hand.waiting = people[::-1]
        self._lately[lease.rendition] = time.monotonic()
        self._turns.append(hand)
        self._report.leased(lease.blast)
        log.info("leased", blast=lease.blast, batch=lease.batch, epoch=lease.epoch, people=len(hand.waiting))
        return True

    def take_more(self, enough: int) -> bool:
        """Lease a further batch: of a rendition of which none is in hand, so that all leave side by side; of any, while
        fewer than `enough` people wait. Whether there was one."""
        if self.aside:
            self._let_rest()
        made = {hand.lease.batch for hand, _ in self._made}
        working = [hand for hand in self._hands.values() if hand.waiting or hand.lease.batch in made]
        if len(working) >= SIDE_BY_SIDE:
            return False
        self._look_for_due()
        held = {hand.lease.rendition for hand in working}
        short = self.waiting < enough
        for batch in self._due:
            if short or batch.rendition not in held:
                self._due.remove(batch)
                return self.take(batch.id)
        return False

    def _let_rest(self) -> None:
        """Of the leases whose people all wait for their mailboxes, end those beside which enough wait for the same."""
        kept: Counter[tuple[int, str, str]] = Counter()
        finished = [hand for hand in self._hands.values() if hand.finished]
        for number, hand in enumerate(finished):
            mailboxes = self.aside.mailboxes_of(hand)
            waits = [(hand.lease.blast, hand.lease.language, mailbox) for mailbox in mailboxes]
            if waits and min(kept[wait] for wait in waits) >= (KEPT_ASIDE if number < KEPT_IN_ALL else 1):
                hand.rest_seconds = min(self._seconds_until(hand, mailbox) for mailbox in mailboxes)
                self._drop(hand)
            else:
                kept.update(waits)

    def _seconds_until(self, hand: Hand, mailbox: str) -> float:
        """How long it takes until a lease has its turn at a mailbox, behind all who wait for it: at the speed of those
        who had theirs. Not for ever, as a limit may be lifted."""
        speed = self.aside.taken[mailbox] / max(1.0, time.monotonic() - self._began)
        ahead = self.aside.waiting(mailbox) + self._resting[mailbox]
        self._resting[mailbox] += len(self.aside[mailbox][hand])
        if ahead >= speed * LONGEST_REST_SECONDS:
            return LONGEST_REST_SECONDS
        return max(LEAST_REST_SECONDS, ahead / speed)

    def _look_for_due(self) -> None:
        now = time.monotonic()
        if now < self._ask_at and (self._due or not self._found):
            return
        with self._database.read() as session:
            self._due = [batch for batch in leases.next_of_each(session) if batch.id not in self._hands]
        # Whichever had its turn longest ago comes first, a blast that is small or new at once.
        self._due.sort(key=lambda batch: self._lately.get(batch.rendition, 0.0))
        self._found, self._ask_at = bool(self._due), now + ASK_AGAIN_SECONDS

    @property
    def unwritten(self) -> dict[int, str]:
        """What became of messages and is not written down yet: a state for each row."""
        hands = self._hands.values()
        taken = {receipt.delivery: DeliveryState.ACCEPTED.value for hand in hands for receipt in hand.receipts}
        return taken | {settled.delivery: settled.state.value for hand in hands for settled in hand.claimed}

    def next(self) -> tuple[Hand, Load] | None:
        """The next message, of each lease in turn. One that can't be made is skipped with its reason."""
        self.make_ahead(1)
        return self._made.popleft() if self._made else None

    def make_ahead(self, enough: int) -> None:
        """Make messages until so many can be had at once, where there is anybody to make them for.

        Who can't be made a message is skipped for it once another of the lease can. Where too many in a row can't it is
        no member's fault but ours: they stay as they are, and `trouble` says so.
        """
        while self._turns and len(self._made) < enough and self.trouble is None:
            self._make_some()

    def _make_some(self) -> None:
        hand = self._turns.popleft()
        for person in [hand.waiting.pop() for _ in range(min(hand.made_at_once, len(hand.waiting)))]:
            if self.aside and self._joins_those_aside(hand, person):
                continue
            if (load := self._make(hand, person)) is not None:
                self._made.append((hand, load))
        hand.made_at_once = min(2 * hand.made_at_once, MADE_AT_ONCE)
        if hand.waiting:
            self._turns.append(hand)
        if hand.unmade and not hand.waiting:
            self._judge(hand)

    def _make(self, hand: Hand, person: Person) -> Load | None:
        hand.out += 1
        try:
            load = hand.loader.load(person)
        except Unrenderable as error:
            hand.unmade.append(_unrenderable(person, error))
            return None
        if hand.unmade:
            self._judge(hand)
        return load

    def _judge(self, hand: Hand) -> None:
        """Whose fault it was that some in a row could not be made a message: theirs if they are few, else ours."""
        if len(hand.unmade) < UNMADE_IN_A_ROW:
            for unrenderable in hand.unmade:
                self.answered(hand, unrenderable)
        else:
            self.trouble = Trouble(N_("Mail after mail can't be made (%(kind)s)."), kind=hand.unmade[-1].reply)
        hand.unmade = []

    def _joins_those_aside(self, hand: Hand, person: Person) -> bool:
        """Put a person aside for whose mailbox others wait already: no message is made in vain."""
        try:
            mailbox = self._mailbox_of(hand.loader.address(person))
        except BadSeal:
            return False  # to be told when the message is made
        if mailbox in self.aside:
            self.aside.put(hand, mailbox, person)
            return True
        return False

    def put_aside(self, hand: Hand, load: Load, mailbox: str) -> None:
        """A message that was made, and whose mailbox must wait."""
        hand.out -= 1
        self.aside.put(hand, mailbox, load.person)

    def next_aside(self, mailbox: str) -> tuple[Hand, Load] | None:
        """The next message of those who wait for a mailbox; None where it can't be made."""
        hand, person = self.aside.take(mailbox)
        load = self._make(hand, person)
        if hand.unmade and not hand.waiting and not self.aside.mailboxes_of(hand):
            self._judge(hand)
        return (hand, load) if load is not None else None

    def not_yet(self, hand: Hand, load: Load) -> None:
        """A message that was made, and for which its relay has no token now: it is the next one again."""
        self._made.appendleft((hand, load))

    def accepted(self, hand: Hand, receipt: Receipt) -> None:
        """Note that the relay took a message, to be written down with the next commit."""
        hand.out -= 1
        hand.receipts.append(receipt)

    def answered(self, hand: Hand, settlement: Settlement, *, claimed: bool = False) -> None:
        """Note what else became of a message, to be written down with the next commit."""
        hand.out -= 1
        (hand.claimed if claimed else hand.unclaimed).append(settlement)

    def put_back(self, hand: Hand, load: Load) -> None:
        """A message that nothing was said about: its row is pending as before, and it is among the waiting again."""
        hand.out -= 1
        hand.waiting.insert(0, load.person)
        if hand not in self._turns:
            self._turns.append(hand)

    def refused(self, hand: Hand) -> None:
        """A message that may not go out any more: its row is left as it is, the leases of its blast are looked at."""
        hand.out -= 1
        for other in self._hands.values():
            if other.lease.blast == hand.lease.blast:
                other.renewed = float("-inf")

    def let_go(self) -> None:
        """Make no more messages: those who wait stay pending."""
        for hand in self._hands.values():
            self._drop(hand)

    def keep(self) -> None:
        """Renew the leases when it is time; one that is lost, or whose blast is stopped, makes no more messages."""
        due = time.monotonic() - self._lease_seconds / 4
        for hand in [hand for hand in self._hands.values() if hand.renewed < due]:
            hand.renewed = time.monotonic()
            with self._database.write() as session:
                ours = leases.renew(session, hand.lease, self._lease_seconds)
            if not ours:
                self._drop(hand)

    def _drop(self, hand: Hand) -> None:
        """Forget who waits, and the messages that nobody has fetched."""
        hand.waiting.clear()
        self.aside.forget(hand)
        fetched = [made for made in self._made if made[0] is not hand]
        hand.out -= len(self._made) - len(fetched)
        self._made = deque(fetched)

    def commit(self, ready: Sequence[tuple[Hand, str, int]]) -> set[int]:
        """One transaction: the answers since the last one, then the claims of what is ready, each with the name of its
        relay; the rows that may go."""
        for hand in self._hands.values():
            hand.asked = {}
        for hand, relay, delivery in ready:
            hand.asked.setdefault(relay, []).append(delivery)
        busy = [hand for hand in self._hands.values() if hand.busy]
        done = [hand for hand in self._hands.values() if hand.finished and not self.aside.mailboxes_of(hand)]
        if not (busy or done):
            return set()
        if done or any(hand.teaches for hand in busy):
            with self._database.write() as session:
                allowed = _write(session.connection(), busy)
                for hand in busy:
                    _learn(session, hand)
                for hand in done:
                    give_back(session, hand.lease, hand.rest_seconds)
                failpoints.reach(Point.GIVE_BACK_BEFORE_COMMIT if done else Point.CLAIM_BEFORE_COMMIT)
        else:
            with self._connection.begin():
                allowed = _write(self._connection, busy)
                failpoints.reach(Point.CLAIM_BEFORE_COMMIT)
        failpoints.reach(Point.GIVE_BACK_AFTER_COMMIT if done else Point.CLAIM_AFTER_COMMIT)
        self._written(busy, done)
        return allowed

    def give_back(self, delay_seconds: float = 0) -> None:
        """End every lease, in whatever state its work is."""
        for hand in list(self._hands.values()):
            with self._database.write() as session:
                give_back(session, hand.lease, delay_seconds)
            del self._hands[hand.lease.batch]

    def _written(self, busy: Iterable[Hand], done: Iterable[Hand]) -> None:
        self._report.commits += bool(busy)
        for hand in busy:
            self._report.accepted(len(hand.receipts))
            self._report.settled(hand.claimed)
            self._report.settled(hand.unclaimed)
            hand.took = hand.took or bool(hand.receipts)
            hand.asked, hand.receipts, hand.claimed, hand.unclaimed = {}, [], [], []
        for hand in done:
            del self._hands[hand.lease.batch]

    def _loader(self, lease: Lease) -> Loader:
        return self._loaders.setdefault(lease.rendition, Loader(self._installation, self._thanks))


def give_back(session: Session, lease: Lease, delay_seconds: float = 0) -> None:
    """End a lease: who must not be mailed any more is skipped with the reason, the rest waits for the next owner."""
    if leases.has_open_rows(session, lease):
        claims.skip_the_left(session, lease)
    leases.give_back(session, lease, delay_seconds)


def _write(connection: Connection, busy: Sequence[Hand]) -> set[int]:
    allowed: set[int] = set()
    fewer.take_turns(connection, [one for hand in busy for asked in hand.asked.values() for one in asked])
    for hand in busy:
        claims.accept(connection, hand.lease, hand.receipts)
        claims.settle(connection, hand.lease, hand.claimed)
        claims.settle_unclaimed(connection, hand.lease, hand.unclaimed)
        allowed.update(*(claims.claim(connection, hand.lease, asked, relay) for relay, asked in hand.asked.items()))
    return allowed


def _learn(session: Session, hand: Hand) -> None:
    if hand.receipts and not hand.took:
        holds.forgive(session, hand.lease.blast)
    holds.learn(session, [*hand.claimed, *hand.unclaimed])


def _unrenderable(person: Person, error: Unrenderable) -> Settlement:
    return Settlement(person.delivery, DeliveryState.SKIPPED, reason="unrenderable", reply=str(error))
