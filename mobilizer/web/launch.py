"""Web: the check list before launch, and the launch itself."""

from __future__ import annotations

from collections.abc import Mapping

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer import jobs
from mobilizer.appeals.media import BadMedia
from mobilizer.blasts import launching
from mobilizer.http import installation
from mobilizer.message.compile import CompileError
from mobilizer.organizers.audit import record
from mobilizer.web.asked import whole_number
from mobilizer.web.blast_head import blast_head, known_blast, place_of
from mobilizer.web.check_page import Tried, checked, page, why_not
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, number

CHECK, LAUNCH = "blasts/check.html", "blasts/launch.html"


@blueprint.get("/blasts/<slug>/check")
@allowed("blasts.see")
def check(slug: str) -> ResponseReturnValue:
    """The check list, the audience by language, a proof."""
    return page(CHECK, slug, Tried())


@blueprint.get("/blasts/<slug>/launch")
@allowed("blasts.see")
def launch(slug: str) -> ResponseReturnValue:
    """The last look before launch."""
    return page(LAUNCH, slug, Tried())


@blueprint.post("/blasts/<slug>/launch")
@allowed("blasts.launch")
def go(slug: str) -> ResponseReturnValue:
    """Launch what was seen, if its people were counted rightly. A second click finds it launched, and shows it."""
    tried = Tried(people=request.form.get("people", ""))
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(place_of(blast), 303)
        found = checked(session, blast)
    if typed_number(tried.people) != found.people:
        people = number(found.people)
        tried.people_problem = _("That is not the number of people. It goes to %(people)s.", people=people)
    if tried.people_problem or not found.ready:
        return page(LAUNCH, slug, tried, 422)
    try:
        launched = _launch(slug)
    except (CompileError, BadMedia) as error:
        tried.problems = why_not(error)
        return page(LAUNCH, slug, tried, 422)
    if launched is None:
        changed = _("The blast or its appeal has changed since you looked. Look again, then launch.")
        return page(LAUNCH, slug, Tried(people_problem=changed), 409)
    jobs.enqueue(installation(), jobs.Work.LAUNCH, launched)
    return redirect(url_for("blasts.progress", slug=slug), 303)


def _launch(slug: str) -> int | None:
    """The id of the blast that this very request launched, or None. Raises CompileError, BadMedia."""
    here = installation()
    with here.database.write() as session:
        blast = known_blast(session, slug)
        blast_id = blast.id
        if not launching.launch(session, here.settings, blast, seen_by(request.form)):
            return None
        record(session, me().id, "blast.launch", f"blast:{blast_id}")
    return blast_id


def seen_by(form: Mapping[str, str]) -> launching.Seen:
    """The revisions that a form carries along: what a person had before their eyes."""
    blast, appeal = (whole_number(form.get(name, "")) for name in ("seen_blast", "seen_appeal"))
    return launching.Seen(-1 if blast is None else blast, -1 if appeal is None else appeal)
