"""Bench: passing on. Who follows a member's share link, of which the truth is known: friends, the member, machines.

Moments are in seconds since a relay took the member's mail. As in traces.py, the kinds are models and no recordings.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mobilizer.engagement.events import EventKind
from mobilizer.engagement.own_visits import OwnAct, Visit

LINKS = ("whatsapp", "telegram", "signal", "facebook", "x", "email", "sms", "copy")


class Passed(NamedTuple):
    """What a member did, visits by their link in the order they came, and for each whether it was a friend's."""

    acts: Sequence[OwnAct]
    visits: Sequence[Visit]
    friends: Sequence[bool]


Trace = Callable[[random.Random], tuple[list[OwnAct], list[tuple[Visit, bool]]]]


def passed_on(seed: int, each: int) -> Iterator[tuple[str, Passed]]:
    """So many members of each kind, with its name; to every other one's link friends come besides."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    for kind, trace in KINDS.items():
        for n in range(each):
            acts, came = trace(chance)
            if n % 2:
                came += [(Visit(chance.lognormvariate(9, 1) + 60, chance.choice(LINKS), ""), True) for _ in range(3)]
            came.sort(key=lambda one: one[0].at)
            yield kind, Passed(acts, [visit for visit, _ in came], [friend for _, friend in came])


def _shared(chance: random.Random) -> OwnAct:
    return OwnAct(EventKind.SHARE, chance.uniform(60, 9000), chance.choice(LINKS), "")


def _friend(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """Chosen from the contacts, sent, seen, followed: ten seconds at the least."""
    act = _shared(chance)
    return [act], [(Visit(act.at + chance.uniform(10, 3000), act.channel, ""), True)]


def _beside(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """They sit together: the phone has passed it on when it says so."""
    act = _shared(chance)._replace(channel="native")
    return [act], [(Visit(act.at + chance.uniform(0.5, 4), "native", ""), True)]


def _screen(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """Whoever stands before the screen takes a picture of its code: a friend, as far as anybody can tell."""
    return [], [(Visit(chance.uniform(60, 9000), "qr", ""), True)]


def _tries(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """They copy it, and look at once where it leads."""
    act = _shared(chance)._replace(channel="copy")
    return [act], [(Visit(act.at + chance.uniform(1, 4.5), "copy", ""), False)]


def _card(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """A messenger fetches the card under a browser's name, while they choose to whom it goes."""
    act = _shared(chance)
    return [act], [(Visit(act.at + chance.uniform(0.3, 3), act.channel, ""), False)]


def _later(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """Minutes after, out of their own chat; their own page lies open in the same browser."""
    act = _shared(chance)
    at = act.at + chance.uniform(20, 600)
    said = OwnAct(EventKind.VISIT, at + chance.uniform(0.3, 6), act.channel, "")
    return [act, said], [(Visit(at, act.channel, ""), False)]


def _elsewhere(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """The same with no page of theirs open: nothing tells them from a friend."""
    acts, came = _later(chance)
    return acts[:1], came


def _mail(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """The member follows the link in their mail; later somebody to whom it was passed on by that very link."""
    at = chance.uniform(30, 9000)
    later = [(Visit(at + chance.uniform(60, 9000), "mail", ""), True)] if chance.random() < 0.3 else []
    return [], [(Visit(at, "mail", ""), False), *later]


def _gateway(chance: random.Random) -> tuple[list[OwnAct], list[tuple[Visit, bool]]]:
    """Follows all that the mail has, and the member's link among it."""
    begins = chance.uniform(3, 60)
    acts = [OwnAct(EventKind.CLICK, begins + chance.uniform(0, 1), "", "burst") for _ in range(5)]
    return acts, [(Visit(begins + chance.uniform(0, 1), channel, ""), False) for channel in ("mail", "")]


KINDS: Mapping[str, Trace] = {
    "a friend": _friend,
    "a friend beside them": _beside,
    "before the screen": _screen,
    "tries it at once": _tries,
    "a card by a browser's name": _card,
    "later, their page open": _later,
    "later, no page open": _elsewhere,
    "out of the mail": _mail,
    "a gateway": _gateway,
}
