"""Web: the report. All of a blast's results on one page to print or hand on: sums only, and no way to a person."""

from __future__ import annotations

from collections.abc import Sequence

from flask import redirect, render_template
from flask.typing import ResponseReturnValue

from mobilizer.delivery.troubles import refused
from mobilizer.engagement.crowds import CROWD, posted
from mobilizer.engagement.machine_acts import machine_acts
from mobilizer.engagement.over_time import over_time
from mobilizer.engagement.own_visits import OWN
from mobilizer.engagement.results import LanguageResults, results, together
from mobilizer.engagement.tree import tree
from mobilizer.engagement.winners import trials
from mobilizer.http import installation
from mobilizer.organizers.sums import FEW
from mobilizer.web.bars import kinds
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.over_time import HEIGHT, WIDTH, charted, day_name, hour_name
from mobilizer.web.policy import allowed
from mobilizer.web.rates import funnel
from mobilizer.web.reasons import provider_name, reason_text
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.share_tree import spread_of
from mobilizer.web.trial_advice import goal_choices


@blueprint.get("/blasts/<slug>/results/report")
@allowed("results.see")
def report(slug: str) -> ResponseReturnValue:
    """One page of it all."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED or blast.launched_at is None:
            return redirect(place_of(blast), 303)
        found, spans = results(session, blast.id), over_time(session, blast.id, blast.launched_at)
        return render_template(
            "results/report.html",
            blast=blast_head(blast),
            launched_at=blast.launched_at,
            finished_at=blast.finished_at,
            total=found.total,
            kinds=[(kind, name, getattr(found.total, kind)) for kind, name in kinds(found.total.waiting > 0)],
            funnel=funnel(found.total),
            came=[(one.language, funnel(one)) for one in not_few(found.languages)],
            machines=sum(
                one.opens + one.clicks + one.visits
                for one in machine_acts(session, blast.id)
                if one.rule not in (OWN, CROWD)
            ),
            posted=posted(session, blast.id),
            hours=charted(spans.hours, hour_name),
            days=charted(spans.days, day_name),
            spread=spread_of(tree(session, blast.id)),
            causes=[
                (reason_text(one.reason, one.code), provider_name(one.provider), one)
                for one in refused(session, blast.id)
            ],
            trials=trials(session, blast),
            goals=goal_choices(),
            few=FEW,
            forgotten=blast.forgotten_at,
            width=WIDTH,
            height=HEIGHT,
            views=views(slug, ".report"),
        )


def not_few(languages: Sequence[LanguageResults]) -> list[LanguageResults]:
    """The languages, with those of fewer than FEW people together as all the others: they have no name. Where those are
    still few, the next larger one is with them, so that taking the rest from the whole tells of nobody either."""
    most_first = sorted(languages, key=lambda one: -one.people)
    few = [one for one in most_first if one.people < FEW]
    told = most_first[: len(most_first) - len(few)]
    while few and told and sum(one.people for one in few) < FEW:
        few.append(told.pop())
    return [*told, together(few)] if few else told
