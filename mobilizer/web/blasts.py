"""Web: blasts. All of them, a new one, and whom it goes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.editing import appeal_by_slug, appeals
from mobilizer.appeals.states import State, states
from mobilizer.audience.queries import ListSummary, lists
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.fallbacks import working
from mobilizer.blasts.lifecycle import Plan
from mobilizer.delivery.listing import tallies
from mobilizer.delivery.progress import Tally
from mobilizer.http import installation
from mobilizer.languages import language
from mobilizer.organizers.audit import record
from mobilizer.problems import N_, Problem
from mobilizer.slugs import free_slug, is_slug
from mobilizer.tracking import Tracking
from mobilizer.web import launch, leaving, progress, proofs, schedule, uncertain, waves  # noqa: F401 - their views are on the same blueprint
from mobilizer.web.appeal_head import title_of
from mobilizer.web.asked import number_asked
from mobilizer.web.blast_head import blast_head, known_blast, place_of
from mobilizer.web.narrowing_form import (
    NarrowingForm,
    filled_narrowing,
    follow_up_lines,
    narrowing_choices,
    narrowing_problems,
    read_narrowing,
    read_uses,
)
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.tracking import read_tracking, tracking_choices
from mobilizer.web.words import _

PAGE = 20
CHAIN_STEPS = 3
TAKEN = frozenset({"new"})


@dataclass(frozen=True, slots=True)
class Line:
    """One blast among the others; its tally is empty before launch."""

    id: int
    slug: str
    title: str
    language: str
    state: str
    launched_at: datetime | None
    tally: Tally


@dataclass(slots=True)
class Form:
    """What the form of a blast holds: slugs, tags and, for each list id, 'in', 'out' or nothing.

    `forged`: it says of a list what no page of ours lets anybody say.
    """

    appeal: str = ""
    slug: str = ""
    default_language: str = ""
    chain: list[str] = field(default_factory=list)
    uses: dict[int, str] = field(default_factory=dict)
    narrowing: NarrowingForm = field(default_factory=NarrowingForm)
    waits: list[str] = field(default_factory=list)
    tracking: Tracking = Tracking.PSEUDONYMOUS
    discreet: bool = False
    forged: bool = False

    def plan(self) -> Plan:
        """Whom it goes to, as the lifecycle wants it."""
        return Plan(
            included=tuple(i for i, use in self.uses.items() if use == "in"),
            excluded=tuple(i for i, use in self.uses.items() if use == "out"),
            chain=tuple(dict.fromkeys(tag for tag in self.chain if tag)),
            default_language=self.default_language,
            narrowing=self.narrowing.narrowing(),
            waits=tuple(dict.fromkeys(self.waits)),
            tracking=self.tracking,
            discreet=self.discreet,
        )


@blueprint.get("/blasts")
@allowed("blasts.see")
def index() -> ResponseReturnValue:
    """Every blast, newest first."""
    before = number_asked("before")
    asked = select(Blast).order_by(Blast.id.desc()).limit(PAGE + 1)
    if before is not None:
        asked = asked.where(Blast.id < before)
    with installation().database.read() as session:
        lines = blast_lines(session, session.scalars(asked).all())
    older = lines[PAGE - 1].id if len(lines) > PAGE else None
    return render_template("blasts/index.html", blasts=lines[:PAGE], older=older, before=before)


@blueprint.get("/blasts/<slug>")
@allowed("blasts.see")
def show(slug: str) -> ResponseReturnValue:
    """Where a blast stands: its check list before launch, the time of one that leaves later, then its progress."""
    with installation().database.read() as session:
        return redirect(place_of(known_blast(session, slug)), 303)


@blueprint.get("/blasts/new")
@allowed("blasts.edit")
def new() -> ResponseReturnValue:
    """The form for a new blast; the appeal may be chosen already."""
    with installation().database.read() as session:
        every = appeals(session)
        chosen = next((one for one in every if one.slug == request.args.get("appeal")), every[0] if every else None)
        wanted = _default_language(session, chosen)
        form = Form(appeal=chosen.slug if chosen else "", default_language=wanted)
        return _form(session, form, every)


@blueprint.post("/blasts/new")
@allowed("blasts.edit")
def create() -> ResponseReturnValue:
    """Make a draft, or say what has to be mended."""
    form = _read()
    with installation().database.write() as session:
        appeal = appeal_by_slug(session, form.appeal)
        problems = _problems(session, form, appeal) + _slug_problems(session, form.slug)
        if problems or appeal is None:
            return _form(session, form, appeals(session), problems), 422
        slug = form.slug or free_slug(appeal.slug, lambda wanted: _taken(session, wanted))
        made = lifecycle.create(session, appeal, slug, form.plan(), me().id)
        record(session, me().id, "blast.create", f"blast:{made.id}")
    return redirect(url_for("blasts.check", slug=slug), 303)


@blueprint.get("/blasts/<slug>/edit")
@allowed("blasts.edit")
def edit(slug: str) -> ResponseReturnValue:
    """The form of a blast that is not launched yet."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(url_for("blasts.show", slug=slug), 303)
        return _form(session, _filled(blast), [blast.appeal], blast=blast)


@blueprint.post("/blasts/<slug>/edit")
@allowed("blasts.edit")
def change(slug: str) -> ResponseReturnValue:
    """Change whom it goes to; whoever is about to launch the old plan is told."""
    form = _read()
    with installation().database.write() as session:
        blast = session.scalar(select(Blast).where(Blast.slug == slug).with_for_update()) or known_blast(session, slug)
        if not blast_head(blast).open:
            flash(_("It has been launched meanwhile and can't be changed any more."), "bad")
            return redirect(url_for("blasts.show", slug=slug), 303)
        form.narrowing.following(blast)
        problems = _problems(session, form, blast.appeal)
        if problems:
            return _form(session, form, [blast.appeal], problems, blast), 422
        lifecycle.change(session, blast, form.plan())
        record(session, me().id, "blast.change", f"blast:{blast.id}")
    flash(_("Saved."), "good")
    return redirect(url_for("blasts.check", slug=slug), 303)


def blast_lines(session: Session, blasts: Sequence[Blast]) -> list[Line]:
    """Blasts as lines of a table, each with its tally."""
    counted = tallies(session, [blast.id for blast in blasts])
    return [
        Line(
            id=blast.id,
            slug=blast.slug,
            title=title_of(blast.appeal),
            language=blast.appeal.source_language,
            state=blast.state,
            launched_at=blast.launched_at,
            tally=counted[blast.id],
        )
        for blast in blasts
    ]


def _default_language(session: Session, appeal: Appeal | None) -> str:
    """Where the chain of a new blast ends: the organisation's default where the appeal has it, else its own."""
    usual = working(session).default or installation().settings.default_language
    if appeal is None or any(one.language == usual for one in appeal.translations):
        return usual
    return appeal.source_language


def _read() -> Form:
    uses, forged = read_uses(request.form, "list-")
    return Form(
        appeal=request.form.get("appeal", ""),
        slug=request.form.get("slug", "").strip(),
        default_language=request.form.get("default_language", ""),
        chain=request.form.getlist("chain")[:CHAIN_STEPS],
        uses=uses,
        forged=forged,
        narrowing=read_narrowing(request.form),
        waits=request.form.getlist("waits"),
        tracking=read_tracking(request.form.get("tracking", Tracking.PSEUDONYMOUS)),
        discreet="discreet" in request.form,
    )


def _filled(blast: Blast) -> Form:
    uses = {target.list_id: "in" if target.included else "out" for target in blast.targets}
    chain = list(blast.chain)
    return Form(
        appeal=blast.appeal.slug,
        slug=blast.slug,
        default_language=blast.default_language,
        chain=chain,
        uses=uses,
        narrowing=filled_narrowing(blast),
        waits=list(blast.waits),
        tracking=Tracking(blast.tracking),
        discreet=blast.discreet,
    )


def _form(
    session: Session, form: Form, every: list[Appeal], problems: list[Problem] | None = None, blast: Blast | None = None
) -> str:
    known: list[ListSummary] = lists(session)
    tags = dict.fromkeys(one.language for appeal in every for one in appeal.translations)
    return render_template(
        "blasts/edit.html",
        form=form,
        chain=[*form.chain, *[""] * CHAIN_STEPS][:CHAIN_STEPS],
        appeals=[(one.slug, title_of(one)) for one in every],
        lists=known,
        narrowing=form.narrowing,
        choices=narrowing_choices(session, form.narrowing),
        followed=follow_up_lines(session, form.narrowing.follows, form.narrowing.follow_up),
        languages=[(tag, language(tag).own_name) for tag in tags],
        modes=tracking_choices(),
        late=[(tag, language(tag).own_name) for tag in _late(every, form.waits)],
        problems={problem.where: problem for problem in problems or []},
        blast=blast_head(blast) if blast else None,
    )


def _late(every: list[Appeal], chosen: list[str]) -> list[str]:
    """Languages that can be waited for: those that nobody has approved, and what was chosen before."""
    open_ones = (
        tag
        for appeal in every
        for tag, state in states(appeal).items()
        if state != State.REVIEWED and tag != appeal.source_language
    )
    return list(dict.fromkeys([*open_ones, *chosen]))


def _problems(session: Session, form: Form, appeal: Appeal | None) -> list[Problem]:
    problems = []
    if appeal is None:
        problems.append(Problem("blast.no_appeal", N_("Choose the appeal that is sent."), where="appeal"))
    known = {one.id for one in lists(session)}
    plan = form.plan()
    if form.forged:
        message = N_("Something here can't be read. Choose the lists again, then save.")
        problems.append(Problem("blast.forged_lists", message, where="lists"))
    elif not plan.included:
        problems.append(Problem("blast.no_list", N_("Choose at least one list to send to."), where="lists"))
    elif not {*plan.included, *plan.excluded} <= known:
        message = N_("One of the lists is gone. Look at the choice again.")
        problems.append(Problem("blast.list_gone", message, where="lists"))
    written = {one.language for one in appeal.translations} if appeal else set()
    if appeal and not {*plan.chain, *plan.waits, plan.default_language} <= written:
        message = N_("The chain may only hold languages that the appeal is written in.")
        problems.append(Problem("blast.bad_chain", message, where="chain"))
    return problems + narrowing_problems(session, form.narrowing)


def _slug_problems(session: Session, slug: str) -> list[Problem]:
    if slug and not is_slug(slug):
        message = N_("Use small letters from a to z, digits and single hyphens, like “love-always-wins”.")
        return [Problem("blast.bad_slug", message, where="slug")]
    if slug and _taken(session, slug):
        message = N_("There is a blast called “%(slug)s” already. Choose another short name.")
        return [Problem("blast.slug_taken", message, {"slug": slug}, where="slug")]
    return []


def _taken(session: Session, slug: str) -> bool:
    return slug in TAKEN or lifecycle.by_slug(session, slug) is not None
