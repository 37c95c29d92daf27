"""Engagement: own visits. Whoever follows a member's share link is a friend, but where it must be the member, or a
machine that reads their mail.

Nothing on a visitor's device says who they are, so it is told by what is around a visit. In doubt it is a friend.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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
# How many seconds before an act and after it lie the visits that it says something of; the first that fits names them.
# Who has just pressed a way to share tries their own link, or the messenger draws its card under a browser's name.
_AROUND = (
    (EventKind.CLICK, AROUND_SECONDS, AROUND_SECONDS),
    (EventKind.SHARE, 0.0, SOON_SECONDS),
    (EventKind.VISIT, BESIDE_SECONDS, 0.0),
)


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
    found = [by_agent(EventKind.VISIT, one.agent) or _early(one, accepted_at) for one in visits]
    times = [one.at for one in visits]
    for kind, before, after in _AROUND:
        for act in acts:
            if act.kind == kind:
                near = range(bisect_left(times, act.at - before), bisect_right(times, act.at + after))
                meant = [n for n in near if not found[n] and visits[n].times == 1 and _means(act, visits[n])]
                # Of those whose page may have said that theirs is open beside it, it was the last.
                for n in meant[-1:] if kind == EventKind.VISIT else meant:
                    found[n] = act.machine if kind == EventKind.CLICK else OWN
    if not came_before:
        _name_first_of_mail(found, visits)
    return found


def _early(visit: Visit, accepted_at: float | None) -> str:
    too_soon = accepted_at is not None and visit.at < accepted_at + EARLY_SECONDS
    return "early" if visit.channel == IN_MAIL and too_soon else ""


def _means(act: OwnAct, visit: Visit) -> bool:
    """Whether an act says of a visit near it that no friend came: of a click, which is a machine's, that it followed
    this link of the mail with the others."""
    if act.kind == EventKind.CLICK:
        return visit.channel in _OF_MAIL
    return visit.channel == act.channel and (act.kind == EventKind.VISIT or act.channel != _LATE)


def _name_first_of_mail(found: list[str], visits: Sequence[Visit]) -> None:
    """Who has the mail follows the link in it before anybody to whom it was passed on."""
    came = [n for n, one in enumerate(visits) if one.channel == IN_MAIL and one.times == 1 and found[n] in ("", OWN)]
    if came and not any(found[n] for n in came):
        found[came[0]] = OWN
