"""Delivery: aside. People of the leases in hand whose mailbox must wait for a token, while others go before them."""

from __future__ import annotations

from collections import Counter, deque
from typing import TypeVar

from mobilizer.delivery.claims import Person

L = TypeVar("L")  # a lease in hand


class Aside(dict[str, dict[L, deque[Person]]]):
    """By mailbox, and of each lease in turn: the few of a small blast do not wait behind the many of a large one.

    No mailbox is here for whom nobody waits, and under it no lease. `taken` counts who has had their turn.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: Counter[str] = Counter()

    @property
    def people(self) -> int:
        """How many wait."""
        return sum(len(people) for leases in self.values() for people in leases.values())

    def mailboxes_of(self, lease: L) -> list[str]:
        """For which mailboxes somebody of a lease waits."""
        return [mailbox for mailbox, leases in self.items() if lease in leases]

    def waiting(self, mailbox: str) -> int:
        """How many wait for a mailbox."""
        return sum(map(len, self.get(mailbox, {}).values()))

    def put(self, lease: L, mailbox: str, person: Person) -> None:
        """Let a person wait, behind those of the same lease and mailbox."""
        self.setdefault(mailbox, {}).setdefault(lease, deque()).append(person)

    def take(self, mailbox: str) -> tuple[L, Person]:
        """Who is next for a mailbox; then it is the turn of other leases, and of other mailboxes."""
        leases = self.pop(mailbox)
        lease = next(iter(leases))
        people = leases.pop(lease)
        person = people.popleft()
        self.taken[mailbox] += 1
        if people:
            leases[lease] = people
        if leases:
            self[mailbox] = leases
        return lease, person

    def forget(self, lease: L) -> None:
        """Let nobody of a lease wait any more."""
        for mailbox in self.mailboxes_of(lease):
            del self[mailbox][lease]
            if not self[mailbox]:
                del self[mailbox]
