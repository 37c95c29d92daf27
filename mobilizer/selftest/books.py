"""Selftest: the books. Holds what the ledger says against what the relay took, and says in words what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from mobilizer.delivery.leases import WORKER_LOST
from mobilizer.delivery.ledger import FINAL, DeliveryState
from mobilizer.selftest.evidence import Evidence
from mobilizer.selftest.faults import NAMED

SOFT_NOES = 8  # so many "not now" make a no


@dataclass(frozen=True, slots=True)
class Row:
    """A delivery as the ledger has it at the end. `message_id` is the one that this person's message must have, `owner`
    the process that claimed it last."""

    number: int
    state: str
    reason: str = ""
    message_id: str = ""
    owner: str = ""


@dataclass(slots=True)
class Told:
    """What the test itself knows: whom it meant, whom it took off at all and whom in time, and what it did to the
    processes.

    `torn` is how many connections there were, at most, whose process was killed, stopped or cut off from the database;
    one process has so many `connections`. Those that lost their leases before their end, and so may have lost answers
    twice, are in `stood`, as often as they did.
    """

    audience: Collection[int]
    taken_off: Collection[int] = ()
    left: Collection[int] = ()
    suppressed_by_us: Collection[int] = ()
    torn: int = 0
    connections: int = 0
    stood: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Books:
    """The sums. `bound` is the most that `uncertain` may be; `most_at_once` is how many of them one process left behind
    when it was lost, at most; `wrong` says what is broken: nothing where all is well."""

    messages: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    uncertain: int = 0
    bound: int = 0
    most_at_once: int = 0
    duplicates: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


def check(
    rows: Collection[Row], evidence: Evidence, told: Told, blast_state: str, suppressed: Collection[int]
) -> Books:
    """Check everything that promise says about a blast that is over."""
    states = Counter(row.state for row in rows)
    books = Books(
        messages=len(rows),
        accepted=states[DeliveryState.ACCEPTED],
        rejected=states[DeliveryState.REJECTED],
        skipped=states[DeliveryState.SKIPPED],
        uncertain=states[DeliveryState.UNCERTAIN],
    )
    books.duplicates = sum(copies - 1 for copies in evidence.copies.values() if copies > 1)
    books.lost = len(_lost(rows, evidence)) + len(set(told.audience) - {row.number for row in rows})
    books.bound = told.torn + len(evidence.doubted)
    books.most_at_once = max(_left_behind(rows).values(), default=0)
    for words, numbers in (
        *_whole(rows, told, blast_state),
        *_exact(rows, evidence, told),
        *_just(rows, evidence, told, suppressed),
        *_bounded(rows, evidence, told),
    ):
        if numbers:
            books.wrong.append(f"{words}: {len(numbers)} ({_some(numbers)})")
    return books


Finding = tuple[str, Collection[object]]


def _whole(rows: Collection[Row], told: Told, blast_state: str) -> Iterator[Finding]:
    """Nobody is skipped: one row for each of the audience, each of them final, and the blast is sent."""
    numbers = Counter(row.number for row in rows)
    yield "members of the audience without a row", set(told.audience) - numbers.keys()
    yield "rows for members who are not of the audience", numbers.keys() - set(told.audience)
    yield "members with more than one row", {number for number, count in numbers.items() if count > 1}
    yield "rows that are still open", {row.number for row in rows if row.state not in FINAL}
    yield "the blast was not declared sent; it is", [blast_state] if blast_state != "sent" else []


def _exact(rows: Collection[Row], evidence: Evidence, told: Told) -> Iterator[Finding]:
    """Nobody gets it twice, and the ledger says what the relay says."""
    yield (
        "members whose message was handed over more than once",
        {n for n, copies in evidence.copies.items() if copies > 1},
    )
    yield "rows accepted though the relay never had the message", _lost(rows, evidence)
    yield (
        "rows accepted though the relay never said yes",
        {r.number for r in rows if r.state == DeliveryState.ACCEPTED and not evidence.answered[r.number]},
    )
    may_have = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)
    yield (
        "messages that the relay took though their row says otherwise",
        {row.number for row in rows if evidence.kept[row.number] and row.state not in may_have},
    )
    yield (
        "messages for nobody in the ledger",
        {n for n, kept in evidence.kept.items() if kept} - {r.number for r in rows},
    )
    yield (
        "messages with another's Message-ID",
        {r.number for r in rows if evidence.message_ids.get(r.number, {r.message_id}) != {r.message_id}},
    )
    yield (
        "messages to members who had left or were suppressed before",
        {n for n in told.taken_off if evidence.copies[n]},
    )


def _just(rows: Collection[Row], evidence: Evidence, told: Told, suppressed: Collection[int]) -> Iterator[Finding]:
    """The relay's trouble is never a member's fault, and neither is ours."""
    yield (
        "members skipped though they never left",
        {row.number for row in rows if row.state == DeliveryState.SKIPPED} - set(told.left),
    )
    yield (
        "members rejected without the relay's no",
        {
            row.number
            for row in rows
            if row.state == DeliveryState.REJECTED and not _said_no(evidence.refused.get(row.number, []))
        },
    )
    unknown = {number for number, noes in evidence.refused.items() if "rcpt.550" in noes}
    yield "members suppressed though the relay knows them", set(suppressed) - set(told.suppressed_by_us) - unknown


def _bounded(rows: Collection[Row], evidence: Evidence, told: Told) -> Iterator[Finding]:
    """At a crash or a lost connection one message per connection may be uncertain, and no more."""
    unexplained = {row.number for row in rows if row.state == DeliveryState.UNCERTAIN} - evidence.doubted
    yield (
        f"uncertain without a lost answer, where {told.torn} connections were cut",
        unexplained if len(unexplained) > told.torn else set(),
    )
    yield (
        f"processes that left more in doubt, when they were lost, than their {told.connections} connections",
        {owner for owner, count in _left_behind(rows).items() if count > told.connections * (1 + told.stood[owner])},
    )


def _left_behind(rows: Collection[Row]) -> Counter[str]:
    """Of each process that was lost, how many messages are in doubt because of it."""
    return Counter(row.owner for row in rows if row.state == DeliveryState.UNCERTAIN and row.reason == WORKER_LOST)


def _lost(rows: Collection[Row], evidence: Evidence) -> set[int]:
    return {row.number for row in rows if row.state == DeliveryState.ACCEPTED and not evidence.kept[row.number]}


def _said_no(faults: Collection[str]) -> bool:
    return len(faults) >= SOFT_NOES or any(NAMED[name].says.startswith(b"5") for name in faults)


def _some(numbers: Collection[object]) -> str:
    shown = sorted(numbers, key=str)[:5]
    return ", ".join(map(str, shown)) + (", ..." if len(numbers) > len(shown) else "")
