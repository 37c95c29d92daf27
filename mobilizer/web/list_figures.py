"""Web: how a list does. Growth by language as a chart with its table, sources, and health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from babel import dates
from flask import render_template
from flask.typing import ResponseReturnValue

from mobilizer.delivery.recount import place
from mobilizer.engagement.list_figures import FIGURES, Growth, list_figures
from mobilizer.http import installation
from mobilizer.web.chart import line
from mobilizer.web.lists import blueprint, known_list
from mobilizer.web.policy import allowed
from mobilizer.web.words import _, locale

LINES = 5  # languages that have a line of their own; with more nobody can tell them apart
WIDTH, HEIGHT = 640, 200
BY_IMPORT = "import:"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the chart: a language's tag, or none for all the others together; and its points."""

    tag: str
    people: tuple[int, ...]
    points: str


@blueprint.get("/lists/<slug>/figures")
@allowed("lists.see")
def figures(slug: str) -> ResponseReturnValue:
    """How a list does."""
    to, now = known_list(slug), datetime.now(UTC)
    with installation().database.read() as session:
        counted = FIGURES.of(place(session, to.id), lambda: list_figures(session, to.id, now))
    grown, came, well = counted.value.growth, counted.value.sources, counted.value.health
    lines = _lines(grown)
    return render_template(
        "lists/figures.html",
        list=to,
        lines=lines,
        top=max((line.people[-1] for line in lines), default=0),
        months=[dates.format_skeleton("yMMM", month, locale=locale()) for month in grown.months],
        width=WIDTH,
        height=HEIGHT,
        sources=[(_source(source), people) for source, people in came],
        health=well,
        as_of=now - timedelta(seconds=counted.age) if counted.age else None,
    )


def _lines(grown: Growth) -> list[Line]:
    """The languages that are spoken most, and what is left of the others."""
    every = list(grown.languages.items())
    shown = every if len(every) <= LINES else every[: LINES - 1]
    rest = [people for _tag, people in every[len(shown) :]]
    together = [("", tuple(map(sum, zip(*rest, strict=True))))] if rest else []
    top = max((people[-1] for _tag, people in (*shown, *together)), default=0)
    return [Line(tag, people, line(people, top, WIDTH, HEIGHT)) for tag, people in (*shown, *together)]


def _source(source: str) -> str:
    """A source in words."""
    number = source.removeprefix(BY_IMPORT)
    if source.startswith(BY_IMPORT) and number.isdecimal():
        return _("Import %(number)s", number=number)
    return source or _("Not said")
