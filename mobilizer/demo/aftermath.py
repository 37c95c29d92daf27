"""Demo: the aftermath of a blast. What its readers did in the days after, in the order in which people do things."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mobilizer.engagement.events import EventKind

CHANNELS = ("whatsapp", "whatsapp", "whatsapp", "telegram", "copy", "email", "facebook", "native")
WATCH_LINK, BODY_LINK = 1, 3
WARMTH = {"es": 1.25, "pt": 1.2, "fr": 0.95}
EventRow = dict[str, object]


@dataclass(frozen=True, slots=True)
class Reader:
    """A member whose mail was accepted; `left` says that they are on no list any more. Their friends stand `step` steps
    from the mail: one, and one more for each who passed it on to somebody who had none."""

    blast: int
    member: int
    language: str
    got_at: datetime
    left: bool
    step: int = 1

    def did(self, kind: EventKind, at: datetime, **more: object) -> EventRow:
        """An event of their own."""
        return {**_BLANK, "kind": kind, "at": at, "blast_id": self.blast, "member_id": self.member,
                "language": self.language, **more}  # fmt: skip

    def brought(self, kind: EventKind, at: datetime, **more: object) -> EventRow:
        """An event of someone who came by their share link."""
        return self.did(kind, at, **{"member_id": None, "via_id": self.member, "step": self.step, **more})


@dataclass(frozen=True, slots=True)
class Join:
    """Someone who joined through a reader's link."""

    by: Reader
    member: int
    language: str
    at: datetime


_BLANK: EventRow = {
    "member_id": None,
    "via_id": None,
    "step": None,
    "link_n": None,
    "language": "",
    "channel": "",
    "agent": "",
    "machine": "",
}


def aftermath(readers: Sequence[Reader], joins: Iterable[Join], now: datetime) -> list[EventRow]:
    """Every event up to `now`, the oldest first."""
    chance = random.Random(47)  # noqa: S311 - a demo, not a secret
    events = [event for reader in readers for event in _reading(chance, reader)]
    for join in joins:
        events.append(join.by.brought(EventKind.JOIN, join.at, member_id=join.member, language=join.language))
        passed_on = Reader(join.by.blast, join.member, join.language, join.at, left=False, step=join.by.step + 1)
        events += _sharing(chance, passed_on, join.at + timedelta(minutes=2))
    return sorted((event for event in events if _at(event) < now), key=_at)


def _reading(chance: random.Random, reader: Reader) -> Iterator[EventRow]:
    if chance.random() < 0.09:
        # Some providers fetch every picture as the mail arrives: nobody has read anything yet.
        yield reader.did(
            EventKind.OPEN,
            reader.got_at + timedelta(seconds=chance.uniform(1, 40)),
            agent="prefetch",
            machine="prefetch",
        )
    likely = WARMTH.get(reader.language, 0.9)
    at = reader.got_at + timedelta(hours=chance.lognormvariate(1.4, 1.5))
    if chance.random() > 0.44 * likely:
        return
    yield reader.did(EventKind.OPEN, at)
    if reader.left:
        yield reader.did(EventKind.UNSUBSCRIBE, at + timedelta(seconds=chance.uniform(10, 60)))
    elif chance.random() < 0.46 * likely:
        yield from _clicking(chance, reader, at + timedelta(seconds=chance.uniform(8, 90)))


def _clicking(chance: random.Random, reader: Reader, at: datetime) -> Iterator[EventRow]:
    link = WATCH_LINK if chance.random() < 0.88 else BODY_LINK
    yield reader.did(EventKind.CLICK, at, link_n=link)
    if link != WATCH_LINK:
        return
    yield reader.did(EventKind.VISIT, at + timedelta(seconds=1))
    if chance.random() < 0.74:
        yield reader.did(EventKind.WATCH, at + timedelta(seconds=6), channel="start")
    if chance.random() < 0.27:
        yield from _sharing(chance, reader, at + timedelta(seconds=chance.uniform(60, 300)))


def _sharing(chance: random.Random, reader: Reader, at: datetime) -> Iterator[EventRow]:
    channel = chance.choice(CHANNELS)
    yield reader.did(EventKind.SHARE, at, channel=channel)
    for _ in range(int(chance.expovariate(0.6))):
        seen = at + timedelta(hours=chance.lognormvariate(0.8, 1.2))
        yield reader.brought(EventKind.VISIT, seen, channel=channel)
        if chance.random() < 0.55:
            yield reader.brought(EventKind.WATCH, seen + timedelta(seconds=9), channel="start")


def _at(event: EventRow) -> datetime:
    at = event["at"]
    assert isinstance(at, datetime)  # noqa: S101 - every event has its moment
    return at
