"""Web: what tracking modes are called, and how much of the results each of them leaves."""

from __future__ import annotations

from mobilizer.problems import N_
from mobilizer.tracking import Tracking
from mobilizer.web.words import _

# (name, what it means)
TRACKING = {
    Tracking.PSEUDONYMOUS: (
        N_("By member"),
        N_("Under a number that only we know. Results tell people from clicks, and can be followed up."),
    ),
    Tracking.SUMS: (
        N_("In sums"),
        N_("How often, in each language. No link but the one to unsubscribe says whose it is."),
    ),
    Tracking.OFF: (
        N_("Not at all"),
        N_("No picture tells of an open, and links lead straight to where they go."),
    ),
}


def tracking_choices() -> list[tuple[str, str, str]]:
    """(value, name, what it means) of each mode."""
    return [(mode.value, _(name), _(meaning)) for mode, (name, meaning) in TRACKING.items()]


def read_tracking(asked: str) -> Tracking:
    """The mode that a form says; the strictest for what no form of ours says."""
    return Tracking(asked) if asked in set(Tracking) else Tracking.OFF
