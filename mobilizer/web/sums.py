"""Web: sums. The only numbers that a viewer sees: lists and blasts as a whole, and nobody to be found in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select

from mobilizer.audience.queries import ListSummary, lists
from mobilizer.blasts.blasts import Blast
from mobilizer.engagement.results import Results, results
from mobilizer.http import installation
from mobilizer.organizers.sums import FEW, Cell, Kept, Parts, alone, parts
from mobilizer.problems import N_
from mobilizer.web.appeal_head import title_of
from mobilizer.web.asked import number_asked
from mobilizer.web.bars import KINDS
from mobilizer.web.blast_head import NOT_LAUNCHED, known_blast
from mobilizer.web.policy import allowed
from mobilizer.web.words import _, number

blueprint = Blueprint("sums", __name__)

PAGE = 20
# What people did: field of the results, name. None of these is a part of another.
DEEDS = (
    ("clickers", N_("Clicked")),
    ("watchers", N_("Watched")),
    ("shares", N_("Shared")),
    ("joins", N_("Friends joined")),
    ("unsubscribes", N_("Unsubscribed")),
)


@dataclass(frozen=True, slots=True)
class ListSums:
    """A list: its members in all and by language, and how many have left it."""

    name: str
    members: Parts
    languages: tuple[str, ...]
    unsubscribed: Cell


@dataclass(frozen=True, slots=True)
class BlastLine:
    """A blast in the list of them."""

    id: int
    slug: str
    title: str
    language: str
    state: str
    launched_at: datetime | None


@blueprint.get("/sums")
@allowed("sums.see")
def index() -> ResponseReturnValue:
    """Every list, and every blast that was launched, newest first."""
    before = number_asked("before")
    asked = select(Blast).where(Blast.state.not_in(NOT_LAUNCHED)).order_by(Blast.id.desc()).limit(PAGE + 1)
    if before is not None:
        asked = asked.where(Blast.id < before)
    with installation().database.read() as session:
        every = [_list(one) for one in lists(session)] if before is None else []
        lines = [_line(blast) for blast in session.scalars(asked)]
    older = lines[PAGE - 1].id if len(lines) > PAGE else None
    return render_template("sums/index.html", lists=every, blasts=lines[:PAGE], older=older, before=before, few=_few())


@blueprint.get("/sums/<slug>")
@allowed("sums.see")
def show(slug: str) -> ResponseReturnValue:
    """One blast: what became of its mails, and what people did, in all and by language."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if blast.state in NOT_LAUNCHED:
            abort(404)
        line, found = _line(blast), results(session, blast.id)
    outcomes = parts([getattr(found.total, kind) for kind in KINDS])
    names, rows, last = _by_language(found)
    return render_template(
        "sums/show.html",
        blast=line,
        people=outcomes.total,
        outcomes=[(_(name), cell) for name, cell in zip(KINDS.values(), outcomes.cells, strict=True)],
        deeds=list(zip(names, last, strict=True))[1:],
        # By language only where that does not add up to what is kept back above.
        table=(names, rows, last) if isinstance(outcomes.cells[0], int) else None,
        few=_few(),
    )


def shown(cell: Cell) -> Markup:
    """A number, “< 5” for fewer, or a dash for what is kept back."""
    if cell is Kept.BACK:
        return Markup('<bdi class="muted">–</bdi>')
    return Markup('<bdi dir="ltr">{}</bdi>').format(_few() if cell is Kept.FEW else number(cell))


blueprint.add_app_template_filter(shown, "cell")


def _few() -> str:
    return f"< {number(FEW)}"


def _list(one: ListSummary) -> ListSums:
    counts = [people for _tag, people in one.languages]
    return ListSums(one.name, parts(counts), tuple(tag for tag, _people in one.languages), alone(one.unsubscribed))


def _line(blast: Blast) -> BlastLine:
    return BlastLine(
        blast.id, blast.slug, title_of(blast.appeal), blast.appeal.source_language, blast.state, blast.launched_at
    )


def _by_language(found: Results) -> tuple[list[str], list[tuple[str, list[Cell]]], list[Cell]]:
    """Names of the columns, a row for each language, and the last row; each column is a whole by itself."""
    names = {"accepted": KINDS["accepted"], **dict(DEEDS)}
    columns = [parts([getattr(one, field) for one in found.languages]) for field in names]
    rows = [(one.language, [column.cells[place] for column in columns]) for place, one in enumerate(found.languages)]
    return [_(name) for name in names.values()], rows, [column.total for column in columns]
