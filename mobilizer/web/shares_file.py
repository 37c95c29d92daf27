"""Web: a blast's share tree as a file for a spreadsheet: the steps of all, of each language, country and channel."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from flask import Response, redirect
from flask.typing import ResponseReturnValue

from mobilizer.engagement.branches import By, steps_by
from mobilizer.engagement.tree import Factor, Generation, tree
from mobilizer.guarding import guard
from mobilizer.http import installation
from mobilizer.web.blast_head import NOT_LAUNCHED, known_blast, place_of
from mobilizer.web.policy import allowed
from mobilizer.web.screens import results as blueprint
from mobilizer.web.share_tree import branches_of

COLUMNS = ("blast", "by", "key", "step", "sharers", "visits", "watches", "joined", "k", "k_low", "k_high")
TOGETHER = "*"


@blueprint.get("/blasts/<slug>/results/shares.csv")
@allowed("results.see")
def shares_file(slug: str) -> ResponseReturnValue:
    """The file. Its columns are called the same in every language of the interface: programs read it."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        found = tree(session, blast.id)
        parts = {by: steps_by(session, blast.id, found, by) for by in By}
    rows = [*_steps("", TOGETHER, found.generations), _whole("", TOGETHER, found.reached, found.joined, found.factor)]
    for by, steps in parts.items():
        branches = {one.key: one for one in branches_of(found, by)}
        for key in sorted(steps):
            rows += _steps(by, key, steps[key])
            if (one := branches.get(key)) is not None:
                rows.append(_whole(by, key, one.members, one.joined, one.factor))
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([guard(str(cell)) for cell in (slug, *row)] for row in rows)
    answer = Response(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="shares-{slug}.csv"'
    return answer


def _steps(by: str, key: str, steps: Iterable[Generation]) -> list[list[object]]:
    return [
        [
            *(by, key, one.step, one.sharers, one.visits, "" if one.watches is None else one.watches, one.joined),
            *_k(one.factor),
        ]
        for one in steps
    ]


def _whole(by: str, key: str, reached: int, joined: int, found: Factor | None) -> list[object]:
    """All steps together: per member whom the mail reached."""
    return [by, key, TOGETHER, reached, "", "", joined, *_k(found)]


def _k(found: Factor | None) -> list[object]:
    return ["", "", ""] if found is None else [round(each, 6) for each in (found.value, found.low, found.high)]
