"""The ledger as it should be, in plain Python: what each thing that happens makes of it, and what must always hold."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from mobilizer.delivery.claims import BACKOFF_SECONDS
from mobilizer.delivery.leases import Lease
from mobilizer.transport.losses import Loss
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Stage, Uncertain

GOES_ON = ("sending", "paused", "held", "sent")
IN_HAND = ("handing", "uncertain")


class Fate(Enum):
    """What comes of a content that is handed over: the answer that the worker notes."""

    TAKEN = Accepted("2.0.0 taken")
    NOT_NOW = Deferred(451, "4.3.0 not now", Stage.DOT)
    NEVER = Rejected(554, "5.6.0 never", Stage.DOT)
    LOST_BUT_KEPT = Uncertain(Loss.HUNG_UP)
    LOST = Uncertain(Loss.BROKE)
    CUT_SHORT = Deferred(0, Loss.BROKE, Stage.CONTENT)

    @property
    def delivers(self) -> bool:
        """Whether the member gets it."""
        return self in (Fate.TAKEN, Fate.LOST_BUT_KEPT)


@dataclass
class Row:
    """A delivery. `copies` are what the member got, `resent` how many more a person has allowed; `yes` and `no`: the
    relay has said so; `taken`: its yes is written down."""

    member: int
    lot: int
    state: str = "pending"
    epoch: int = 0
    tries: int = 0
    waits: bool = False
    decided: bool = False
    unknown: bool = False  # there is no such address
    copies: int = 0
    resent: int = 0
    yes: bool = False
    no: bool = False
    taken: bool = False
    taken_off: bool = False

    @property
    def open(self) -> bool:
        """Whether it is not final."""
        return self.state in ("pending", "handing")


@dataclass
class Lot:
    """A batch; `over`: the time of its lease is."""

    state: str = "open"
    epoch: int = 0
    due: bool = True
    over: bool = False


@dataclass
class Work:
    """A lease, with those who wait for their message, by tries, and the contents that are out."""

    lease: Lease
    waiting: dict[int, int]
    out: dict[int, tuple[Fate, int]] = field(default_factory=dict)


@dataclass
class Model:
    """A blast, its rows and batches by number, who must not be mailed, and who works."""

    blast: str = "launching"
    rows: dict[int, Row] = field(default_factory=dict)
    lots: dict[int, Lot] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)
    erased: set[int] = field(default_factory=set)
    suppressed: set[int] = field(default_factory=set)
    works: list[Work] = field(default_factory=list)
    may_change: set[int] = field(default_factory=set)  # final rows, by a person's word or by evidence, in this step

    def may_mail(self, row: Row) -> bool:
        """Whether nothing speaks against the member."""
        return row.member not in self.left | self.erased | self.suppressed

    def holds(self, lease: Lease) -> bool:
        """Whether a lease is still its owner's."""
        return (self.lots[lease.batch].state, self.lots[lease.batch].epoch) == ("leased", lease.epoch)

    def rows_of(self, lot: int, *states: str) -> list[tuple[int, Row]]:
        """The rows of a batch that are in one of the states."""
        return [(n, row) for n, row in self.rows.items() if row.lot == lot and row.state in states]

    def leasable(self, number: int) -> bool:
        """Whether a batch can be leased now."""
        lot = self.lots[number]
        return self.blast == "sending" and (lot.due if lot.state == "open" else lot.state == "leased" and lot.over)

    def take(self, number: int) -> dict[int, int]:
        """A batch is leased and swept; who waits for a message now, by tries."""
        lot = self.lots[number]
        lot.state, lot.epoch, lot.over = "leased", lot.epoch + 1, False
        for _, row in self.rows_of(number, "handing"):
            row.state = "uncertain"
        due = [(n, row) for n, row in self.rows_of(number, "pending") if not row.waits]
        for _, row in due:
            self._skip_if_off(row)
        return {n: row.tries for n, row in due if row.state == "pending"}

    def claimable(self, lease: Lease, asked: Iterable[int]) -> set[int]:
        """The rows of those asked for that may go out now."""
        if self.blast != "sending" or not self.holds(lease):
            return set()
        return {n for n in asked if self.rows[n].state == "pending" and self.may_mail(self.rows[n])}

    def claim(self, work: Work, number: int, fate: Fate) -> None:
        """A row is claimed; then its content goes out whatever else happens, and has its fate."""
        row = self.rows[number]
        row.state, row.epoch = "handing", work.lease.epoch
        row.copies += fate.delivers
        row.yes, row.no = row.yes or fate is Fate.TAKEN, row.no or fate in (Fate.NEVER, Fate.NOT_NOW)
        work.out[number] = (fate, work.waiting.pop(number))

    def answer(self, work: Work, number: int) -> None:
        """The answer to a content is written down: a yes always, another if the claim is still ours and the row in
        hand, and nothing opens but what is."""
        row, (fate, tries) = self.rows[number], work.out.pop(number)
        if fate is Fate.TAKEN:
            row.state, row.waits, row.taken = "accepted", False, True
            self.may_change.add(number)
            return
        if row.epoch != work.lease.epoch or row.state not in IN_HAND:
            return
        again = isinstance(fate.value, Deferred) and not (fate is Fate.NOT_NOW and tries >= len(BACKOFF_SECONDS))
        if again and row.state == "uncertain":
            return
        self.may_change.add(number)
        self._settle(row, fate.value, again)

    def refuse(self, work: Work, number: int, answer: Deferred | Rejected) -> None:
        """A recipient is refused before anything was claimed."""
        row, tries = self.rows[number], work.waiting.pop(number)
        row.no = True
        if row.state == "pending" and self.holds(work.lease):
            self._settle(row, answer, isinstance(answer, Deferred) and tries < len(BACKOFF_SECONDS))
            row.unknown = isinstance(answer, Rejected)
        if isinstance(answer, Rejected):
            self.suppressed.add(row.member)

    def give_back(self, work: Work, delayed: bool) -> None:
        """A lease ends: who left is skipped, and the batch is done if no row is open."""
        lot = self.lots[work.lease.batch]
        for _, row in self.rows_of(work.lease.batch, "pending"):
            self._skip_if_off(row)
        if self.holds(work.lease):
            opened = self.rows_of(work.lease.batch, "pending", "handing")
            lot.state = "open" if opened else "done"
            lot.due = not delayed and not all(row.waits for _, row in opened)
        work.waiting.clear()
        if not work.out:
            self.works.remove(work)

    def finishable(self) -> bool:
        """Whether the blast can be declared sent."""
        return self.blast == "sending" and not any(row.open for row in self.rows.values())

    def settle_cancelled(self) -> None:
        """What a cancelled blast has not begun is skipped; who is worked on by nobody is uncertain."""
        for row in self.rows.values() if self.blast == "cancelled" else ():
            worked = self.lots[row.lot].state == "leased" and not self.lots[row.lot].over
            if row.state == "pending":
                row.state, row.taken_off = "skipped", True
            elif row.state == "handing" and not worked:
                row.state = "uncertain"

    def undecided(self) -> set[int]:
        """Uncertain rows that no person has decided about."""
        return {n for n, row in self.rows.items() if row.state == "uncertain" and not row.decided}

    def put_back(self, numbers: Collection[int]) -> None:
        """A person has rows tried once more, also of a blast that was sent."""
        for n in numbers:
            row = self.rows[n]
            row.resent += row.state == "uncertain"
            row.tries = 0 if row.state == "rejected" else row.tries
            row.state, row.waits, row.decided = "pending", False, False
            lot = self.lots[row.lot]
            if lot.state != "leased":
                lot.state, lot.due = "open", True
        self.may_change |= set(numbers)
        if numbers and self.blast == "sent":
            self.blast = "sending"

    def leave(self, numbers: Collection[int]) -> None:
        """A person lets uncertain rows be as they are."""
        for n in numbers:
            self.rows[n].decided = True

    def waiting(self) -> set[int]:
        """Rows that were told "not now"."""
        return {n for n, row in self.rows.items() if row.state == "pending" and row.waits}

    def refused(self) -> set[int]:
        """Rows that were told "no", but for those of whom there is no such address."""
        return {n for n, row in self.rows.items() if row.state == "rejected" and not row.unknown}

    def broken(self) -> Iterator[str]:
        """What of the promise does not hold, as far as the model's own rows show: nothing, always."""
        for n, row in self.rows.items():
            if row.copies > 1 + row.resent:
                yield f"{n} got {row.copies} though a person allowed {1 + row.resent}"
            if row.state == "accepted" and not (row.yes and row.copies):
                yield f"{n} is accepted and no relay took it"
            if row.taken and row.state != "accepted":
                yield f"{n} was taken and is {row.state}"
            if row.copies and not row.resent and row.state not in (*IN_HAND, "accepted"):
                yield f"{n} was delivered and is {row.state}"
            if row.state == "rejected" and not row.no:
                yield f"{n} is rejected and no relay said no"
            if row.state == "skipped" and not row.taken_off:
                yield f"{n} is skipped for no reason"
            if row.open and self.lots[row.lot].state == "done" and self.blast != "cancelled":
                yield f"{n} is {row.state} in a batch that nobody will look at"
            if row.open and self.blast == "sent":
                yield f"{n} is {row.state} in a blast that is sent"

    def _settle(self, row: Row, answer: object, again: bool) -> None:
        if again:
            asked = isinstance(answer, Deferred) and not answer.unsaid
            row.state, row.waits, row.tries = "pending", asked, row.tries + asked
        else:
            row.waits = False
            row.state = "uncertain" if isinstance(answer, Uncertain) else "rejected"

    def _skip_if_off(self, row: Row) -> None:
        if not self.may_mail(row):
            row.state, row.taken_off = "skipped", True
