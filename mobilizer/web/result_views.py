"""Web: the views of a blast's results, as the tabs that lead from one to the other."""

from __future__ import annotations

from flask import url_for

from mobilizer.problems import N_
from mobilizer.web.words import _

_VIEWS = (
    (".show", N_("In all")),
    (".by_time", N_("Over time")),
    (".spread", N_("Shares")),
    (".links", N_("Links")),
    (".troubles", N_("Delivery troubles")),
    (".report", N_("Report")),
    (".follow_up", N_("Follow up")),
)


def views(slug: str, here: str) -> list[tuple[str, str, bool]]:
    """(label, address, is here) of each view."""
    return [(_(name), url_for(endpoint, slug=slug), endpoint == here) for endpoint, name in _VIEWS]
