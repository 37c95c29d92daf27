"""Bench: traces. What people and the gateways before their mailboxes ask for, of which the truth is known.

Moments are in seconds since a relay took the mail. The kinds are models of what is known to happen, not recordings: how
well the rules do on them says what they catch and what they leave, not how often each kind comes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mobilizer.engagement.events import EventKind

LINKS = 8  # of a mail
HIDDEN = -1
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
PHONES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 16; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Thunderbird/145.0",
    CHROME,
)
GOOGLE = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
NAMED = ("Mozilla/5.0 (Windows NT 6.1; WOW64) BingPreview/1.0b", "BarracudaCentral", "python-requests/2.34")


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a picture (`link` 0) or a link (HIDDEN: one that nobody can see), with its headers as WSGI has
    them, and who really sent it."""

    at: float
    link: int
    headers: Mapping[str, str]
    machine: bool

    @property
    def kind(self) -> EventKind:
        """What it is recorded as."""
        return EventKind.CLICK if self.link else EventKind.OPEN


Trace = Callable[[random.Random], Iterator[Request]]


def traces(seed: int, each: int) -> Iterator[tuple[str, Sequence[Request]]]:
    """So many traces of each kind, with its name; a gateway's kinds have a person behind it every other time."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    for kind, trace in (*PEOPLE.items(), *GATEWAYS.items()):
        for n in range(each):
            found = [*trace(chance), *(_usual(chance) if kind in GATEWAYS and n % 2 else ())]
            yield kind, sorted(found, key=lambda request: request.at)


def _by(agent: str, at: float, link: int, machine: bool, **headers: str) -> Request:
    return Request(at, link, {"HTTP_USER_AGENT": agent, **headers} if agent else headers, machine)


def _person(chance: random.Random, opens: float, *clicks: tuple[float, int]) -> Iterator[Request]:
    """Somebody opens, and follows links so many seconds after."""
    agent = chance.choice(PHONES)
    yield _by(GOOGLE if chance.random() < 0.3 else agent, opens, 0, False)
    for after, link in clicks:
        yield _by(agent, opens + after, link, False)


def _usual(chance: random.Random) -> Iterator[Request]:
    """Hours later, one link."""
    yield from _person(chance, chance.lognormvariate(8, 1.5) + 30, (chance.uniform(2, 90), chance.randint(1, LINKS)))


def _at_once(chance: random.Random) -> Iterator[Request]:
    """The telephone buzzes, and they are on the page ten seconds after."""
    yield from _person(chance, chance.uniform(3.5, 8), (chance.uniform(1, 5), 1))


def _hurried(chance: random.Random) -> Iterator[Request]:
    """Two links within three seconds."""
    first, second = chance.sample(range(1, LINKS + 1), 2)
    yield from _person(chance, chance.uniform(30, 9000), (2, first), (2 + chance.uniform(0.9, 3), second))


def _tabs(chance: random.Random) -> Iterator[Request]:
    """Three links, each in a tab of its own, as fast as one clicks with care."""
    at, found = 3.0, []
    for link in chance.sample(range(1, LINKS + 1), 3):
        found.append((at, link))
        at += chance.uniform(0.6, 1.6)
    yield from _person(chance, chance.uniform(30, 9000), *found)


def _curious(chance: random.Random) -> Iterator[Request]:
    """Many links, read one after the other, mostly in the order of the mail."""
    at, found = 4.0, []
    for link in range(1, chance.randint(3, LINKS) + 1):
        found.append((at, link))
        at += chance.uniform(6, 120)
    yield from _person(chance, chance.uniform(30, 9000), *found)


def _pictures_off(chance: random.Random) -> Iterator[Request]:
    """Hours later, one link, and no picture was ever fetched: "one by lot" in another's place."""
    yield _by(CHROME, chance.lognormvariate(8, 1.5) + 30, chance.randint(1, LINKS), False)


def _double(chance: random.Random) -> Iterator[Request]:
    """A double click on one link."""
    yield from _person(chance, chance.uniform(30, 9000), (3, 1), (3 + chance.uniform(0.1, 0.4), 1))


def _before(chance: random.Random) -> Iterator[Request]:
    """A gateway that looks at every link before it takes the mail."""
    begin = -chance.uniform(0.5, 8)
    yield from (_by(CHROME, begin + chance.uniform(0, 3), link, True) for link in range(LINKS + 1))


def _on_arrival(chance: random.Random) -> Iterator[Request]:
    """All links and pictures at once, soon after it came."""
    begin = chance.uniform(3, 60)
    yield from (_by(CHROME, begin + chance.uniform(0, 1), link, True) for link in range(LINKS + 1))


def _some_at_once(chance: random.Random) -> Iterator[Request]:
    """Two links, picked by lot, at once."""
    begin = chance.uniform(3, 300)
    chosen = chance.sample(range(1, LINKS + 1), 2)
    yield from (_by(CHROME, begin + chance.uniform(0, 0.4), link, True) for link in chosen)


def _in_turn(chance: random.Random) -> Iterator[Request]:
    """One link after the other, each when the one before is looked through."""
    at = chance.uniform(5, 600)
    for link in range(1, LINKS + 1):
        yield _by(CHROME, at, link, True)
        at += chance.uniform(0.8, 3.5)


def _everything(chance: random.Random) -> Iterator[Request]:
    """Each link that the source of the mail has, in no order and in no hurry."""
    at = chance.uniform(5, 600)
    for link in chance.sample([HIDDEN, *range(1, LINKS + 1)], LINKS + 1):
        yield _by(CHROME, at, link, True)
        at += chance.uniform(2, 8)


def _sampling(chance: random.Random) -> Iterator[Request]:
    """One link by lot, as a browser would: nothing tells it from somebody whose pictures are off."""
    yield _by(CHROME, chance.uniform(5, 900), chance.randint(1, LINKS), True)


def _named(chance: random.Random) -> Iterator[Request]:
    """It says what it is."""
    agent = chance.choice(NAMED)
    yield from (_by(agent, chance.uniform(3, 900), link, True) for link in chance.sample(range(1, LINKS + 1), 2))


def _nameless(chance: random.Random) -> Iterator[Request]:
    """It says nothing."""
    yield _by("", chance.uniform(3, 900), chance.randint(1, LINKS), True)


def _apple(chance: random.Random) -> Iterator[Request]:
    """Every picture, some time within the day."""
    yield _by("Mozilla/5.0", chance.uniform(20, 86_400), 0, True)


def _prefetch(chance: random.Random) -> Iterator[Request]:
    """A mail program that fetches ahead, and says so."""
    yield _by(CHROME, chance.uniform(5, 9000), chance.randint(1, LINKS), True, HTTP_SEC_PURPOSE="prefetch;prerender")


def _at_click(chance: random.Random) -> Iterator[Request]:
    """A gateway that looks at a link in the moment in which somebody follows it."""
    at, link = chance.uniform(60, 9000), chance.randint(1, LINKS)
    yield _by(CHROME, at, link, True)
    yield _by(chance.choice(PHONES), at + chance.uniform(0.3, 1.5), link, False)


PEOPLE: Mapping[str, Trace] = {
    "usual": _usual,
    "at once": _at_once,
    "hurried": _hurried,
    "tabs": _tabs,
    "curious": _curious,
    "double click": _double,
    "pictures off": _pictures_off,
}
GATEWAYS: Mapping[str, Trace] = {
    "before it takes the mail": _before,
    "all on arrival": _on_arrival,
    "two at once": _some_at_once,
    "in turn": _in_turn,
    "everything, at leisure": _everything,
    "one by lot": _sampling,
    "named": _named,
    "nameless": _nameless,
    "apple": _apple,
    "prefetch": _prefetch,
    "at the click": _at_click,
}
