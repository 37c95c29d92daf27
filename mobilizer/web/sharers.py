"""Web: who shared most, of those who agreed to be named; as a page and as a file."""

from __future__ import annotations

import csv
from io import StringIO

from flask import Response, redirect, render_template
from flask.typing import ResponseReturnValue

from mobilizer.engagement.named_sharing import top_sharers
from mobilizer.guarding import guard
from mobilizer.http import installation
from mobilizer.organizers import audit
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed, me
from mobilizer.web.proving import proven
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint

COLUMNS = ("member", "name", "language", "watches", "joined", "crowd_visits")


@blueprint.get("/blasts/<slug>/results/sharers")
@allowed("members.see")
def sharers(slug: str) -> ResponseReturnValue:
    """One blast's."""
    here = installation()
    with here.database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        people, head = top_sharers(session, here.keyring, blast.id), blast_head(blast)
    return render_template("results/sharers.html", blast=head, people=people, views=views(slug, ".spread"))


@blueprint.post("/blasts/<slug>/results/sharers.csv")
@allowed("members.export")
@proven
def take_sharers(slug: str) -> ResponseReturnValue:
    """The same as a file. Its columns are called the same in every language of the interface: programs read it."""
    here, out = installation(), StringIO()
    with here.database.write() as session:
        blast = known_blast(session, slug)
        people = top_sharers(session, here.keyring, blast.id)
        audit.record(session, me().id, "sharers.export", f"blast:{blast.id}", people=len(people))
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in people:
        writer.writerow([one.member_id, guard(one.name), one.language, one.watches, one.joined, one.crowd])
    answer = Response(out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="sharers-{slug}.csv"'
    return answer
