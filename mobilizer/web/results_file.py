"""Web: a blast's results as a file for a spreadsheet: a line for each language, one for all, and then one for each
variant of those on whom it was tried."""

from __future__ import annotations

import csv
from io import StringIO

from flask import Response, redirect
from flask.typing import ResponseReturnValue

from mobilizer.blasts.departure import Goal
from mobilizer.engagement.ranges import Range
from mobilizer.engagement.results import LanguageResults, results
from mobilizer.engagement.winners import Tried, trials
from mobilizer.guarding import guard
from mobilizer.http import installation
from mobilizer.tracking import Tracking
from mobilizer.web.blast_head import NOT_LAUNCHED, known_blast, place_of
from mobilizer.web.policy import allowed
from mobilizer.web.rates import ranged
from mobilizer.web.screens import results as blueprint

TOGETHER = "*"
COUNTS = (
    "people", "accepted", "rejected", "skipped", "uncertain", "waiting", "openers", "clickers", "clicks", "watchers",
    "finishers", "shares", "visits", "friends_watched", "joins", "unsubscribes", "complaints", "machine_opens",
    "machine_clicks", "machine_visits",
)  # fmt: skip
SHARES = ("openers", "clickers", "watchers", "shares", "unsubscribes", "complaints")


@blueprint.get("/blasts/<slug>/results.csv")
@allowed("results.see")
def file(slug: str) -> ResponseReturnValue:
    """The file. Its columns are called the same in every language of the interface: programs read it."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        found, tried = results(session, blast.id), trials(session, blast)
    out = StringIO()
    writer = csv.writer(out)
    shares = [f"{name}_{part}" for name in SHARES for part in _PARTS]
    writer.writerow(["blast", "language", *COUNTS, *shares, "variant", "recruiters"])
    for one in (*found.languages, found.total):
        writer.writerow([guard(str(cell)) for cell in (slug, one.language or TOGETHER, *_cells(one), "", "")])
    for trial in tried:
        for variant in trial.tried:
            writer.writerow([guard(str(cell)) for cell in (slug, trial.language, *_cells_of(variant))])
    answer = Response(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="results-{slug}.csv"'
    return answer


# What a tracking mode leaves uncounted: empty, for nought would be a count.
_BY_MEMBER = frozenset({"openers", "clickers", "watchers", "finishers", "shares", "visits", "friends_watched", "joins"})
_UNTOLD = {
    Tracking.PSEUDONYMOUS: frozenset[str](),
    Tracking.SUMS: _BY_MEMBER,
    Tracking.OFF: _BY_MEMBER | {"clicks", "machine_opens", "machine_clicks", "machine_visits"},
}
_PARTS = ("share", "low", "high")


def _cells(one: LanguageResults) -> list[object]:
    """Counts, then shares of the accepted with both ends of their ranges; empty where there is no share."""
    untold = _UNTOLD[one.tracking]
    cells: list[object] = ["" if name in untold else getattr(one, name) for name in COUNTS]
    for name in SHARES:
        people, found = getattr(one, name), ranged(getattr(one, name), one.accepted)
        cells += ["", "", ""] if found is None or name in untold else _share(people / one.accepted, found)
    return cells


def _cells_of(one: Tried) -> list[object]:
    """What is known of a variant, in the columns that languages have it in; the others are empty."""
    known = {
        "people": one.people,
        "accepted": one.accepted,
        "waiting": one.waiting,
        "clickers": one.did[Goal.CLICKS],
        "watchers": one.did[Goal.WATCHES],
        "shares": one.did[Goal.SHARES],
    }
    cells: list[object] = [known.get(name, "") for name in COUNTS]
    for name in SHARES:
        people = known.get(name)
        found = None if people is None else ranged(people, one.accepted)
        cells += ["", "", ""] if found is None or people is None else _share(people / one.accepted, found)
    return [*cells, one.variant, one.did[Goal.RECRUITS]]


def _share(share: float, found: Range) -> list[object]:
    return [round(share, 6), round(found.low, 6), round(found.high, 6)]
