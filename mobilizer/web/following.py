"""Web: follow-ups. Three audiences told by what people did with a blast; one press makes a draft for one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.editing import appeal_by_slug, appeals
from mobilizer.audience.audience import count_by_language
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.listing import tallies
from mobilizer.http import installation
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.segments import follow_ups
from mobilizer.segments.follow_ups import FollowUp
from mobilizer.segments.tree import write_rules
from mobilizer.web.appeal_head import title_of
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.policy import allowed, me
from mobilizer.web.rates import segment_url
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import _

WHOM = {
    FollowUp.UNOPENED: (
        N_("Did not open"),
        N_("Got it, and neither opened nor clicked, as far as we can tell. That is a hint only: some did read it."),
    ),
    FollowUp.UNSHARED: (N_("Watched, did not share"), N_("Saw the film and passed it on to nobody yet.")),
    FollowUp.SHARED: (N_("Shared"), N_("Passed it on. Thank them, and tell them what it did.")),
}


@dataclass(frozen=True, slots=True)
class Ready:
    """One audience: how many it would go to now, and how many had it already; `href` makes a segment of its rules."""

    kind: str
    name: str
    about: str
    people: int
    had: int
    href: str


@blueprint.get("/blasts/<slug>/follow-up")
@allowed("blasts.edit")
def follow_up(slug: str) -> ResponseReturnValue:
    """The three audiences of a blast that was sent."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        return _page(session, blast, [])


@blueprint.post("/blasts/<slug>/follow-up")
@allowed("blasts.edit")
def draft_follow_up(slug: str) -> ResponseReturnValue:
    """Make a draft for one of them, or say why not."""
    asked = request.form.get("kind", "")
    with installation().database.write() as session:
        blast, appeal = known_blast(session, slug), appeal_by_slug(session, request.form.get("appeal", ""))
        problems = follow_ups.refused(blast)
        if appeal is None or asked not in set(FollowUp):
            problems.append(Problem("follow_up.unclear", N_("Choose what is sent, and to whom.")))
        if problems or appeal is None:
            return _page(session, blast, problems), 422
        made = follow_ups.draft(session, blast, FollowUp(asked), appeal, me().id)
        record(session, me().id, "blast.create", f"blast:{made.id}", follows=blast.id)
        made_slug = made.slug
    flash(_("The draft is made. Nothing is sent before you launch it."), "good")
    return redirect(url_for("blasts.check", slug=made_slug), 303)


def _page(session: Session, blast: Blast, problems: list[Problem]) -> str:
    why_not = follow_ups.refused(blast)
    return render_template(
        "results/follow_up.html",
        blast=blast_head(blast),
        views=views(blast.slug, ".follow_up"),
        why_not=why_not,
        problems=[one for one in problems if one not in why_not],
        ready=[] if why_not else [_ready(session, blast, kind) for kind in FollowUp],
        appeals=[(one.slug, title_of(one)) for one in appeals(session)],
        appeal=blast.appeal.slug,
    )


def _ready(session: Session, blast: Blast, kind: FollowUp) -> Ready:
    included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
    fits = follow_ups.fits(session, kind, blast.id, datetime.now(UTC))
    counted = count_by_language(session, included, excluded, fits)
    before = tallies(session, follow_ups.earlier(session, kind, blast.id)).values()
    name, about = WHOM[kind]
    return Ready(
        kind,
        _(name),
        _(about),
        people=sum(people - suppressed for _language, _second, people, suppressed in counted),
        had=sum(tally.accepted + tally.uncertain + tally.waiting for tally in before),
        href=segment_url(*write_rules(follow_ups.rules_of(kind, blast.id))),
    )
