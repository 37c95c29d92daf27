"""Web: a few people first. How many, and when the others follow, as an organizer says it."""

from __future__ import annotations

from flask import request

from mobilizer.blasts.departure import MOST_HOURS, MOST_PEOPLE, MOST_PERCENT, Departure
from mobilizer.web.check_page import Tried
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _

PEOPLE = "people"


def read_first(tried: Tried) -> None:
    """Note what the form says of the first few."""
    tried.first, tried.first_of, tried.after_hours = (
        request.form.get(name, "").strip() for name in ("first", "first_of", "after_hours")
    )


def first_few(tried: Tried) -> Departure:
    """How many go first, as it was typed; nobody, and why, where that is no number to go by."""
    if not tried.first:
        return Departure()
    number, hours = typed_number(tried.first), typed_number(tried.after_hours or "0")
    most = MOST_PEOPLE if tried.first_of == PEOPLE else MOST_PERCENT
    if number is None or not 1 <= number <= most:
        tried.first_problem = _("Type how many go first: from 1 to %(most)s.", most=most)
    elif hours is None or hours > MOST_HOURS:
        tried.first_problem = _("Type after how many hours the others follow: at most %(most)s.", most=MOST_HOURS)
    if tried.first_problem or number is None or hours is None:
        return Departure()
    if tried.first_of == PEOPLE:
        return Departure(people=number, after_hours=hours)
    return Departure(percent=number, after_hours=hours)
