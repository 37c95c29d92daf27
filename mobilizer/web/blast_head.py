"""Web: what every page of a blast shows at its top: its title, its state, and its path from check to results."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, url_for
from sqlalchemy.orm import Session

from mobilizer.appeals.editing import translation_in
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.web.appeal_head import title_of
from mobilizer.web.policy import permitted
from mobilizer.web.words import _

# Where a blast stands before anybody is written down: the page that says so.
PLACES = {
    BlastState.DRAFT: "blasts.check",
    BlastState.READY: "blasts.check",
    BlastState.ASKED: "blasts.launch",
    BlastState.SCHEDULED: "blasts.scheduled",
    BlastState.LEAVING: "blasts.leaving",
}
NOT_LAUNCHED = frozenset(PLACES)
Step = tuple[str, str | None, bool]


@dataclass(frozen=True, slots=True)
class BlastHead:
    """A blast as its pages show it. `open` means that it can still be changed and launched, `tracking` is what it was
    launched with (tracking.py); empty before."""

    slug: str
    title: str
    language: str
    appeal: str
    state: str
    open: bool
    tracking: str
    steps: tuple[Step, ...]


def known_blast(session: Session, slug: str) -> Blast:
    """The blast of a slug, or the page that says nothing is here."""
    return lifecycle.by_slug(session, slug) or abort(404)


def place_of(blast: Blast) -> str:
    """Where a blast stands: its check list before launch, what it waits for then, its progress after."""
    return url_for(PLACES.get(BlastState(blast.state), "blasts.progress"), slug=blast.slug)


def blast_head(blast: Blast) -> BlastHead:
    """What the pages of a blast show."""
    before = blast.state in NOT_LAUNCHED
    return BlastHead(
        slug=blast.slug,
        title=title_of(blast.appeal),
        language=blast.appeal.source_language,
        appeal=blast.appeal.slug,
        state=blast.state,
        open=blast.state in (BlastState.DRAFT, BlastState.READY),
        tracking=blast.frozen_tracking,
        steps=_before(blast) if before else _after(blast),
    )


def _before(blast: Blast) -> tuple[Step, ...]:
    appeal = blast.appeal
    source = translation_in(appeal, appeal.source_language)
    steps: list[Step] = []
    if permitted("appeals.write"):
        words = url_for("appeals.words", slug=appeal.slug, tag=appeal.source_language)
        steps.append((_("Write"), words, source is not None and bool(source.body)))
    steps.append((_("Translate"), url_for("appeals.languages", slug=appeal.slug), len(appeal.translations) > 1))
    steps.append((_("Preview"), url_for("appeals.preview_start", slug=appeal.slug), False))
    steps.append((_("Check"), url_for("blasts.check", slug=blast.slug), False))
    steps.append((_("Launch"), url_for("blasts.launch", slug=blast.slug), False))
    return tuple(steps)


def _after(blast: Blast) -> tuple[Step, ...]:
    steps: list[Step] = [(_("Progress"), url_for("blasts.progress", slug=blast.slug), False)]
    if permitted("results.see"):
        steps.append((_("Results"), url_for("results.show", slug=blast.slug), False))
    if permitted("members.see"):
        steps.append((_("Each mail"), url_for("results.deliveries", slug=blast.slug), False))
    return tuple(steps)
