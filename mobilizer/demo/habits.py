"""Demo: habits. What an organisation that has worked with its members for a while has made: a field, tags, segments and
a glossary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from mobilizer.appeals.glossary import Wanted, put_term
from mobilizer.audience.fields import define
from mobilizer.audience.fitting import Definition
from mobilizer.audience.tagging import put_on
from mobilizer.demo.people import Person
from mobilizer.segments import keeping
from mobilizer.segments.tree import read_rules

CITY = Definition("city", "text", (), {"en": "City", "es": "Ciudad", "fr": "Ville", "pt": "Cidade", "ar": "المدينة"})
EVERY_WHICH = {"Volunteer": 17, "Translates": 45}  # every so-manieth member has the tag
TERMS = (
    Wanted(
        "embrace",
        "en",
        "What the film is about; never “hug”.",
        translations={"es": "abrazo", "fr": "étreinte", "pt": "abraço", "ar": "عناق"},
    ),
    Wanted(
        "skater",
        "en",
        "She skates on ice.",
        translations={"es": "patinadora", "fr": "patineuse", "pt": "patinadora", "ar": "متزلّجة"},
    ),
)


def write_habits(session: Session, ids: Sequence[int], people: Sequence[Person], past: int, organizer: int) -> None:
    """Define, tag and save. `past` is the blast that was sent."""
    define(session, CITY)
    wanted = {
        member: [name for name, which in EVERY_WHICH.items() if place % which == 0]
        for place, member in enumerate(ids)
        if people[place].suppressed is None
    }
    put_on(session, {member: names for member, names in wanted.items() if names})
    for name, rules in _segments(past).items():
        keeping.create(session, name, read_rules(rules), organizer)
    for term in TERMS:
        put_term(session, term)


def _segments(past: int) -> dict[str, list[dict[str, Any]]]:
    """By name, in the words of tree.read_rules."""
    watched = {"rule": "did_in_blast", "act": "watch", "blast": past}
    shared = {"rule": "did_in_blast", "act": "share", "blast": past}
    return {
        "Spanish, joined lately": [
            {"rule": "language_family", "language": "es"},
            {"rule": "joined_within", "days": 90},
        ],
        "Watched, did not share": [watched, {"not": shared}],
        "In Lisbon or Madrid": [
            {
                "any": [
                    {"rule": "field_is", "name": "city", "text": "Lisbon"},
                    {"rule": "field_is", "name": "city", "text": "Madrid"},
                ]
            }
        ],
    }
