"""Engagement: person or machine. Rules with names; what they look at is kept, so that any verdict can be drawn anew.

A verdict says that a machine did it only where a person hardly can have: who is counted wrongly as a machine is lost to
the results for good, while a scanner that does as people do stays one click too many.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mobilizer.engagement.events import EventKind

EARLY_SECONDS = 2.0  # after a relay has a mail, for it to reach a mailbox and somebody to look
BURST_SECONDS, BURST_LINKS = 1.0, 3  # so many links of a mail within so long: nobody's hand is so fast
INSTANT_SECONDS = 0.4  # two links even
SWEEP_SECONDS, SWEEP_LINKS = 30.0, 5  # so many links, each the next one of the mail
AROUND_SECONDS = 2.0  # what else comes with a burst or a sweep is of the same machine
TRAPPED_SECONDS = 60.0  # who follows the link that nobody can see did all else in this time, before and after

# The classes of agents.py that say by themselves that no person asked, by the rule that says it.
_BY_AGENT = {"prefetch": "prefetch", "bot": "bot", "nameless": "nameless", "head": "head", "trap": "trap"}
_BY_AGENT |= {"page": "own"}  # one of our own pages


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
    machine did it, or empty. `accepted_at` is when a relay took the mail, None where that is not known."""
    found = [by_agent(act.kind, act.agent) for act in acts]
    if accepted_at is not None:
        _name(found, "early", (n for n, act in enumerate(acts) if act.at < accepted_at + EARLY_SECONDS))
    for rule, begins, ends in (*_bursts(acts), *_sweeps(acts), *_trapped(acts)):
        _name(found, rule, (n for n, act in enumerate(acts) if begins <= act.at <= ends))
    return found


def _name(found: list[str], rule: str, numbers: Iterable[int]) -> None:
    for n in numbers:
        found[n] = found[n] or rule


def _trapped(acts: Sequence[Act]) -> Iterable[tuple[str, float, float]]:
    """When the link was followed that nobody can see, and what is around."""
    return [("trap", act.at - TRAPPED_SECONDS, act.at + TRAPPED_SECONDS) for act in acts if act.agent == "trap"]


def _bursts(acts: Sequence[Act]) -> Iterable[tuple[str, float, float]]:
    """When links were followed faster than by hand, and what is around."""
    clicks = [act for act in acts if act.link]
    for first, act in enumerate(clicks):
        near = [other for other in clicks[first:] if other.at - act.at <= BURST_SECONDS]
        instant = {other.link for other in near if other.at - act.at <= INSTANT_SECONDS}
        if len({other.link for other in near}) >= BURST_LINKS or len(instant) > 1:
            last = near[-1].at if len({other.link for other in near}) >= BURST_LINKS else act.at + INSTANT_SECONDS
            yield "burst", act.at - AROUND_SECONDS, last + AROUND_SECONDS


def _sweeps(acts: Sequence[Act]) -> Iterable[tuple[str, float, float]]:
    """When the links of a mail were followed one after the other, in their order."""
    run: list[Act] = []
    for act in acts:
        if not act.link:
            continue
        if run and act.link == run[-1].link + 1 and act.at - run[0].at <= SWEEP_SECONDS:
            run.append(act)
        else:
            run = [act]
        if len(run) >= SWEEP_LINKS:
            yield "sweep", run[0].at - AROUND_SECONDS, act.at + AROUND_SECONDS
