"""Blasts: modes. What is counted of a blast, and whether it is discreet: the strictest of what it and its lists say."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.audience.lists import MemberList
from mobilizer.blasts.blasts import Blast
from mobilizer.tracking import Tracking, strictest


@dataclass(frozen=True, slots=True)
class Modes:
    """How a blast's mails are made; see tracking.py. A `discreet` one hides what it is about until the film plays."""

    tracking: Tracking = Tracking.PSEUDONYMOUS
    discreet: bool = False

    @property
    def may_try(self) -> bool:
        """Whether variants can be tried: it has to be known who did what, and a discreet mail has one wording."""
        return self.tracking is Tracking.PSEUDONYMOUS and not self.discreet


USUAL = Modes()


def modes_of(blast: Blast) -> Modes:
    """The modes of a blast: as they were frozen with its words, else as it and its lists are now."""
    if blast.frozen_tracking:
        return Modes(Tracking(blast.frozen_tracking), blast.frozen_discreet)
    chosen = [target.list for target in blast.targets if target.included]
    return Modes(
        strictest([blast.tracking, *(one.tracking for one in chosen)]),
        blast.discreet or any(one.discreet for one in chosen),
    )


def stricter_lists(blast: Blast) -> list[MemberList]:
    """The lists that make a blast stricter than it says of itself."""
    modes = modes_of(blast)
    return [
        one.list
        for one in blast.targets
        if one.included
        and ((one.list.tracking == modes.tracking != blast.tracking) or (one.list.discreet and not blast.discreet))
    ]
