"""Web: variants first. On how many people each is tried, and by what the best is told, as an organizer says it."""

from __future__ import annotations

from flask import request

from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist
from mobilizer.blasts.departure import MOST_HOURS, MOST_PEOPLE, Departure, Goal
from mobilizer.blasts.trying import LEAST
from mobilizer.web.check_page import Tried
from mobilizer.web.trial_advice import advice
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _


def read_trial(tried: Tried) -> None:
    """Note what the form says of variants."""
    tried.sample, tried.goal, tried.trial_hours = (
        request.form.get(name, "").strip() for name in ("sample", "goal", "trial_hours")
    )


def trial(tried: Tried, blast: Blast, found: Checklist) -> Departure:
    """The trial as it was typed; none, and why, where it is none to go by."""
    if not tried.sample:
        return Departure()
    sample, hours = typed_number(tried.sample), typed_number(tried.trial_hours or "0")
    told = advice(blast, found)
    if tried.first:
        tried.trial_problem = _("Choose one of both: a few people first, or variants.")
    elif tried.each:
        tried.trial_problem = _("Where each has it at an hour of their own, no variants can be tried.")
    elif told is None:
        tried.trial_problem = _("There is nothing to try here: no language of this blast has two variants.")
    elif sample is None or not LEAST <= sample <= MOST_PEOPLE:
        tried.trial_problem = _("Type on how many people each variant is tried: at least %(least)s.", least=LEAST)
    elif sample > told.most:
        tried.trial_problem = _(
            "No language has so many people: at most %(most)s a variant, or too few are left for the best one.",
            most=told.most,
        )
    elif hours is None or hours > MOST_HOURS:
        tried.trial_problem = _("Type after how many hours the best one is chosen: at most %(most)s.", most=MOST_HOURS)
    if tried.trial_problem or sample is None or hours is None:
        return Departure()
    goal = tried.goal if tried.goal in list(Goal) else Goal.CLICKS
    return Departure(sample=sample, goal=goal, after_hours=hours)
