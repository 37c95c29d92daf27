"""Web: results. What became of every mail, and what came back, language by language."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from mobilizer.blasts.blasts import Blast
from mobilizer.delivery.progress import undecided
from mobilizer.engagement.events import POINTS
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.results import LanguageResults
from mobilizer.engagement.results import results as results_of
from mobilizer.engagement.viewings import curves
from mobilizer.engagement.winners import trials
from mobilizer.http import installation
from mobilizer.problems import N_
from mobilizer.tracking import Tracking
from mobilizer.web import (  # noqa: F401 - their views are on the same blueprint
    comparing,
    deliveries,
    following,
    link_map,
    over_time,
    report,
    results_file,
    share_tree,
    sharers,
    shares_file,
    troubles,
)
from mobilizer.web.asked import number_asked
from mobilizer.web.bars import KINDS, Bar, bar, kinds
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.blasts import PAGE, blast_lines
from mobilizer.web.needs import needs
from mobilizer.web.policy import allowed
from mobilizer.web.rates import funnel, opened
from mobilizer.web.reasons import reason_text
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.tracking import TRACKING
from mobilizer.web.trial_advice import goal_choices
from mobilizer.web.words import _

# What the rules of engagement.machines look at.
RULES = {
    "head": N_("It asked whether the page is there, and not for the page"),
    "prefetch": N_("A program fetched it before anybody asked"),
    "bot": N_("It says itself that it is a program, or is known as one"),
    "nameless": N_("It says nothing of what browsers say of themselves"),
    "apple": N_("Apple's mail fetches every picture, whether anybody looks or not"),
    "early": N_("It came before the mail can have been in anybody's hands"),
    "burst": N_("It followed several links faster than a hand can"),
    "sweep": N_("It followed the links one by one, in their order"),
    "trap": N_("It followed a link that nobody can see"),
    "own": N_("Members who tried their own link"),
    "crowd": N_("It came by a share link that was posted in public"),
    "": N_("Long ago: only the sum is kept"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some got none: how many, and where they are listed."""

    state: str
    text: str
    people: int
    href: str


@blueprint.get("/results")
@allowed("results.see")
def index() -> ResponseReturnValue:
    """Every blast that was launched, newest first."""
    before = number_asked("before")
    asked = select(Blast).where(Blast.state.not_in(NOT_LAUNCHED)).order_by(Blast.id.desc()).limit(PAGE + 1)
    if before is not None:
        asked = asked.where(Blast.id < before)
    with installation().database.read() as session:
        lines = blast_lines(session, session.scalars(asked).all())
        first = needs(session) if before is None else []  # on the first page only
        bars = {line.id: bar("", {kind: getattr(line.tally, kind) for kind in KINDS}) for line in lines}
    older = lines[PAGE - 1].id if len(lines) > PAGE else None
    return render_template(
        "results/index.html", needs=first, blasts=lines[:PAGE], bars=bars, older=older, before=before
    )


@blueprint.get("/blasts/<slug>/results")
@allowed("results.see")
def show(slug: str) -> ResponseReturnValue:
    """One blast's results."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            return redirect(place_of(blast), 303)
        found = results_of(session, blast.id)
        return render_template(
            "results/show.html",
            blast=blast_head(blast),
            launched_at=blast.launched_at,
            finished_at=blast.finished_at,
            found=found,
            undecided=undecided(session, [blast.id]).get(blast.id, 0),
            total=_bar(found.total),
            bars=[_bar(one) for one in found.languages],
            mode="" if found.total.tracking is Tracking.PSEUDONYMOUS else _(TRACKING[found.total.tracking][1]),
            kinds=kinds(with_waiting=found.total.waiting > 0),
            funnel=funnel(found.total, blast.id),
            came=[(one.language, funnel(one, blast.id)) for one in found.languages],
            curves=curves(session, blast.id),
            points=POINTS,
            opened=opened(found.total, blast.id),
            machines=[(_(RULES.get(one.rule, one.rule)), one) for one in machine_acts(session, blast.id)],
            reasons=_reasons(slug, found.total),
            views=views(slug, ".show"),
            trials=trials(session, blast),
            goals=goal_choices(),
        )


def _bar(one: LanguageResults) -> Bar:
    return bar(one.language, {kind: getattr(one, kind) for kind in KINDS})


def _reasons(slug: str, total: LanguageResults) -> list[Reason]:
    ordered = sorted(total.reasons.items(), key=lambda item: -item[1])
    return [
        Reason(
            state,
            reason_text(reason),
            people,
            url_for("results.deliveries", slug=slug, state=state, reason=reason),
        )
        for (state, reason), people in ordered
    ]
