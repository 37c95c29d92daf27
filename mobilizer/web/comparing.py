"""Web: blasts side by side. The same shares of each, with their ranges, so that chance is not taken for success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.results import LanguageResults, results
from mobilizer.http import installation
from mobilizer.web.appeal_head import title_of
from mobilizer.web.blast_head import NOT_LAUNCHED
from mobilizer.web.policy import allowed
from mobilizer.web.rates import Step, funnel
from mobilizer.web.screens import results as blueprint
from mobilizer.web.words import language_name

MOST = 4  # side by side; the page says so in words
OFFERED = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """A blast that may be compared."""

    id: int
    slug: str
    title: str
    language: str
    launched_at: datetime | None


@blueprint.get("/results/compare")
@allowed("results.see")
def compare() -> ResponseReturnValue:
    """The blasts of the query side by side, in all or in one language; else the two latest."""
    with installation().database.read() as session:
        offered = _offered(session)
        asked = request.args.getlist("blast")
        chosen = [one for one in offered if one.slug in asked] or offered[:2]
        found = {one.id: results(session, one.id) for one in chosen[:MOST]}
    spoken = list(dict.fromkeys(each.language for one in found.values() for each in one.languages))
    tag = request.args.get("language", "") if request.args.get("language", "") in spoken else ""
    columns = [(one, funnel(_part(found[one.id].languages, tag) or found[one.id].total)) for one in chosen[:MOST]]
    return render_template(
        "results/compare.html",
        offered=offered,
        columns=columns,
        rows=_rows([steps for _one, steps in columns]),
        languages=sorted(((each, language_name(each)) for each in spoken), key=lambda pair: pair[1]),
        tag=tag,
        too_many=len(chosen) > MOST,
    )


def _offered(session: Session) -> list[Choice]:
    """The blasts that were launched, the latest first."""
    asked = select(Blast).where(Blast.state.not_in(NOT_LAUNCHED)).order_by(Blast.id.desc()).limit(OFFERED)
    return [
        Choice(one.id, one.slug, title_of(one.appeal), one.appeal.source_language, one.launched_at)
        for one in session.scalars(asked)
    ]


def _part(languages: Sequence[LanguageResults], tag: str) -> LanguageResults | None:
    """The results in one language: nobody where the blast had none in it. None of all languages."""
    return next((one for one in languages if one.language == tag), LanguageResults(tag)) if tag else None


def _rows(columns: list[list[Step]]) -> list[tuple[str, list[Step], bool]]:
    """(name, the step of each blast, whether their shares may well be the same) for each step."""
    return [(steps[0].name, list(steps), _alike(steps)) for steps in zip(*columns, strict=True)]


def _alike(steps: Sequence[Step]) -> bool:
    ranges = [step.range for step in steps]
    return len(ranges) > 1 and all(
        one is not None and other is not None and one.meets(other) for one in ranges for other in ranges
    )
