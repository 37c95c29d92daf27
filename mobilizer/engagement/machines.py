"""Engagement: person or machine. Rules with names; what they look at is kept, so that any verdict can be drawn anew.

A verdict says that a machine did it only where a person hardly can have: who is counted wrongly as a machine is lost to
the results for good, while a scanner that does as people do stays one click too many.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mobilizer.engagement.events import EventKind

EARLY_SECONDS = 2.0  # after a relay has a mail, for it to reach a mailbox and somebody to look
BURST_SECONDS, BURST_LINKS = 1.0, 3  # so many links of a mail within so long: nobody's hand is so fast
INSTANT_SECONDS = 0.4  # two links even
SWEEP_SECONDS, SWEEP_LINKS = 30.0, 5  # so many links, each the next one of the mail
AROUND_SECONDS = 2.0  # what else comes with a burst or a sweep is of the same machine
TRAPPED_SECONDS = 60.0  # who follows the link that nobody can see did all else in this time, before and after
REACH_SECONDS = max(TRAPPED_SECONDS, SWEEP_SECONDS + AROUND_SECONDS, BURST_SECONDS + AROUND_SECONDS)

# The classes of agents.py that say by themselves that no person asked, by the rule that says it.
_BY_AGENT = {"prefetch": "prefetch", "bot": "bot", "nameless": "nameless", "head": "head", "trap": "trap"}
_BY_AGENT |= {"page": "own"}  # one of our own pages


Span = tuple[float, float]  # from and to, in seconds


class Act(NamedTuple):
    """One open or click of somebody in one blast: `at` in seconds, `link` the number of the link, 0 for none that can
    be seen."""

    kind: str
    at: float
    link: int
    agent: str


def by_agent(kind: str, agent: str) -> str:
    """The name of the rule that says by the program alone that no person did it, or empty."""
    if agent == "apple":
        return "apple" if kind == EventKind.OPEN else "nameless"
    return _BY_AGENT.get(agent, "")


def verdicts(acts: Sequence[Act], accepted_at: float | None) -> list[str]:
    """For each of somebody's opens and clicks in one blast, in the order they came, the name of the rule that says a
    machine did it, or empty. `accepted_at` is when a relay took the mail, None where that is not known.

    What lies further from an act than REACH_SECONDS has no part in its verdict; the work grows as the acts do.
    """
    found = [by_agent(act.kind, act.agent) for act in acts]
    times = [act.at for act in acts]
    if accepted_at is not None:
        _name(found, "early", range(bisect_left(times, accepted_at + EARLY_SECONDS)))
    clicks = [act for act in acts if act.link]
    if len(clicks) < 2 and "trap" not in found:
        return found  # as most
    for rule, spans in (("burst", _bursts(clicks)), ("sweep", _sweeps(clicks)), ("trap", _trapped(acts))):
        named = 0  # spans come in order: who lies in two of them is named once
        for begins, ends in spans:
            upto = bisect_right(times, ends)
            _name(found, rule, range(max(named, bisect_left(times, begins)), upto))
            named = max(named, upto)
    return found


def _name(found: list[str], rule: str, numbers: Iterable[int]) -> None:
    for n in numbers:
        found[n] = found[n] or rule


def _trapped(acts: Sequence[Act]) -> Iterator[Span]:
    """When the link was followed that nobody can see, and what is around."""
    return ((act.at - TRAPPED_SECONDS, act.at + TRAPPED_SECONDS) for act in acts if act.agent == "trap")


def _bursts(clicks: Sequence[Act]) -> Iterator[Span]:
    """When links were followed faster than by hand, and what is around."""
    near, instant = _following(clicks, BURST_SECONDS), _following(clicks, INSTANT_SECONDS)
    for act, (links, last), (at_once, _) in zip(clicks, near, instant, strict=True):
        if links >= BURST_LINKS:
            yield act.at - AROUND_SECONDS, last + AROUND_SECONDS
        elif at_once > 1:
            yield act.at - AROUND_SECONDS, act.at + INSTANT_SECONDS + AROUND_SECONDS


def _following(clicks: Sequence[Act], seconds: float) -> Iterator[tuple[int, float]]:
    """For each click how many links were followed from it on within so long, and when the last of these."""
    links: Counter[int] = Counter()
    upto = 0
    for act in clicks:
        while upto < len(clicks) and clicks[upto].at - act.at <= seconds:
            links[clicks[upto].link] += 1
            upto += 1
        yield len(links), clicks[upto - 1].at
        links[act.link] -= 1
        if not links[act.link]:
            del links[act.link]


def _sweeps(clicks: Sequence[Act]) -> Iterator[Span]:
    """When the links of a mail were followed one after the other, in their order."""
    run: deque[Act] = deque(maxlen=SWEEP_LINKS)
    for act in clicks:
        if run and act.link != run[-1].link + 1:
            run.clear()
        run.append(act)
        if len(run) == SWEEP_LINKS and act.at - run[0].at <= SWEEP_SECONDS:
            yield run[0].at - AROUND_SECONDS, act.at + AROUND_SECONDS
