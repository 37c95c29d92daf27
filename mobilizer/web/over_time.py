"""Web: results over time. Lines of what people did, by hour and by day, each chart with its table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from babel import dates
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mobilizer.engagement.events import EventKind
from mobilizer.engagement.over_time import Span, over_time
from mobilizer.engagement.results import results
from mobilizer.http import installation
from mobilizer.problems import N_
from mobilizer.web.blast_head import NOT_LAUNCHED, blast_head, known_blast, place_of
from mobilizer.web.chart import line
from mobilizer.web.policy import allowed
from mobilizer.web.result_views import views
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import _, locale, own_name

WIDTH, HEIGHT = 640, 180
NAMES = {
    EventKind.CLICK: N_("Clicks"),
    EventKind.WATCH: N_("Viewings"),
    EventKind.SHARE: N_("Shares"),
    EventKind.JOIN: N_("Friends joined"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What was done, added up, and the points of its line."""

    name: str
    acts: int
    points: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines over some hours or days, on a scale up to `top`; `rows` are the same as a table: when, the acts of each
    line, and last those of machines, which have no line."""

    lines: tuple[Line, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    top: int


@blueprint.get("/blasts/<slug>/results/time")
@allowed("results.see")
def by_time(slug: str) -> ResponseReturnValue:
    """All languages, or one."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED or blast.launched_at is None:
            return redirect(place_of(blast), 303)
        tags = [one.language for one in results(session, blast.id).languages]
        tag = request.args.get("language", "") if request.args.get("language", "") in tags else ""
        found = over_time(session, blast.id, blast.launched_at, tag)
        head, forgotten = blast_head(blast), blast.forgotten_at
    return render_template(
        "results/time.html",
        blast=head,
        hours=charted(found.hours, hour_name),
        days=charted(found.days, day_name),
        tongues=tongues(tags, tag, lambda one: url_for(".by_time", slug=slug, language=one or None)),
        forgotten=forgotten,
        width=WIDTH,
        height=HEIGHT,
        views=views(slug, ".by_time"),
    )


def tongues(
    tags: Sequence[str], here: str, to: Callable[[str], str], *, all_of_them: bool = True
) -> list[tuple[str, str, bool]]:
    """(name, address, is here) of each language, and of all together where that makes sense."""
    every = [("", _("All languages"))] if all_of_them else []
    return [(name, to(tag), tag == here) for tag, name in (*every, *((tag, own_name(tag)) for tag in tags))]


def charted(spans: Sequence[Span], name: Callable[[datetime], str]) -> Chart:
    """Some hours or days as lines of one scale, and as a table."""
    top = max(acts for span in spans for acts in span.acts.values())
    columns = {kind: [span.acts[kind] for span in spans] for kind in NAMES}
    lines = [Line(_(NAMES[kind]), sum(acts), line(acts, top, WIDTH, HEIGHT)) for kind, acts in columns.items()]
    rows = tuple((name(span.start), (*(span.acts[kind] for kind in NAMES), span.machines)) for span in spans)
    return Chart(tuple(lines), rows, top)


def hour_name(at: datetime) -> str:
    """A day and an hour, UTC."""
    day = dates.format_skeleton("MMMd", at, tzinfo=UTC, locale=locale())
    return f"{day}, {dates.format_time(at, 'short', tzinfo=UTC, locale=locale())}"


def day_name(at: datetime) -> str:
    """A day."""
    return str(dates.format_skeleton("MMMd", at, tzinfo=UTC, locale=locale()))
