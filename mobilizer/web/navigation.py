"""Web: the way around. Each user sees the places that the policy opens to them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, request, url_for

from mobilizer.problems import N_
from mobilizer.web.policy import permitted
from mobilizer.web.words import _

# (label, endpoint, action, blueprints that belong to the place)
_PLACES = (
    (N_("Overview"), "overview.index", "overview.see", ("overview",)),
    (N_("Sums"), "sums.index", "sums.see", ("sums",)),
    (N_("Appeals"), "appeals.index", "appeals.see", ("appeals",)),
    (N_("Blasts"), "blasts.index", "blasts.see", ("blasts",)),
    (N_("Results"), "results.index", "results.see", ("results",)),
    (N_("Lists"), "lists.index", "lists.see", ("lists", "imports")),
    (N_("Segments"), "segments.index", "segments.see", ("segments",)),
    (N_("Members"), "members.index", "members.see", ("members", "tags", "takeout")),
    (N_("Inbox"), "inbox.index", "inbox.see", ("inbox",)),
    (N_("Settings"), "settings.index", "settings.own", ("settings", "notices", "brand", "fields", "tongues")),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation."""

    label: str
    url: str
    current: bool


def navigation() -> list[Entry]:
    """The places that whoever looks may enter."""
    return [
        Entry(_(label), url_for(endpoint), request.blueprint in blueprints)
        for label, endpoint, action, blueprints in _PLACES
        if endpoint in current_app.view_functions and _offered(action)
    ]


def _offered(action: str) -> bool:
    """Who sees the results themselves needs no sums of them."""
    return permitted(action) and not (action == "sums.see" and permitted("results.see"))
