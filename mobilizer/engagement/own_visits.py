"""Engagement: own visits. Whoever follows a member's share link is a friend, but where it must be the member, or a
machine that reads their mail.

Nothing on a visitor's device says who they are, so it is told by what is around a visit. In doubt it is a friend.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mobilizer.engagement.events import EventKind
from mobilizer.engagement.machines import AROUND_SECONDS, EARLY_SECONDS, by_agent

OWN = "own"  # the rule
IN_MAIL = "mail"  # the channel of the link that stands in the mail itself
SOON_SECONDS = 5.0  # after a member pressed a way to share: too soon for a friend to have the link and follow it
BESIDE_SECONDS = 30.0  # from a visit to the word of its page that the member's own page is open beside it

# By these a link in the mail is followed; programs that read the text alone drop what comes after the "?".
_OF_MAIL = (IN_MAIL, "")
# Said when it was passed on, not before: a friend beside them may be there at once.
_LATE = "native"


class OwnAct(NamedTuple):
    """What the owner of a share link did at `at`, in seconds: a click in the mail, a share by a channel, or a visit by
    their own link, as the page said that they came by; `machine` is the verdict on it."""

    kind: str
    at: float
    channel: str
    machine: str


class Visit(NamedTuple):
    """A visit by a share link, as the event has it; `at` in seconds. What stands for many (`times`) is nobody's own."""

    at: float
    channel: str
    agent: str
    times: int = 1


def visit_verdicts(
    visits: Sequence[Visit], acts: Sequence[OwnAct], accepted_at: float | None, *, came_before: bool = False
) -> list[str]:
    """For each visit by one member's link in one blast, in the order they came, the name of the rule that says that no
    friend came, or empty. `came_before`: the owner is known to have followed the link in their mail before all these.
    """
    found = [
        by_agent(EventKind.VISIT, one.agent)
        or (_with_the_mail(one, acts, accepted_at) or _too_soon(one, acts) if one.times == 1 else "")
        for one in visits
    ]
    for act in acts:
        if act.kind == EventKind.VISIT:
            _name_last(found, [n for n, one in enumerate(visits) if _beside(one, act)])
    if not came_before:
        _name_first_of_mail(found, visits)
    return found


def _with_the_mail(visit: Visit, acts: Sequence[OwnAct], accepted_at: float | None) -> str:
    """The rule by which a machine followed the other links of the mail, and this one with them."""
    if visit.channel == IN_MAIL and accepted_at is not None and visit.at < accepted_at + EARLY_SECONDS:
        return "early"
    if visit.channel not in _OF_MAIL:
        return ""
    near = (act.machine for act in acts if act.kind == EventKind.CLICK and abs(act.at - visit.at) <= AROUND_SECONDS)
    return next(filter(None, near), "")


def _too_soon(visit: Visit, acts: Sequence[OwnAct]) -> str:
    """They try their own link, or the messenger draws its card under a browser's name."""
    shares = (act for act in acts if act.kind == EventKind.SHARE and act.channel == visit.channel != _LATE)
    return OWN if any(0 <= visit.at - act.at <= SOON_SECONDS for act in shares) else ""


def _beside(visit: Visit, act: OwnAct) -> bool:
    return visit.times == 1 and visit.channel == act.channel and 0 <= act.at - visit.at <= BESIDE_SECONDS


def _name_last(found: list[str], numbers: Sequence[int]) -> None:
    for n in reversed(numbers):
        if not found[n]:
            found[n] = OWN
            return


def _name_first_of_mail(found: list[str], visits: Sequence[Visit]) -> None:
    """Who has the mail follows the link in it before anybody to whom it was passed on."""
    came = [n for n, one in enumerate(visits) if one.channel == IN_MAIL and one.times == 1 and found[n] in ("", OWN)]
    if came and not any(found[n] for n in came):
        found[came[0]] = OWN
