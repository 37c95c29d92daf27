"""Web: the overview, what needs me now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.brand import brand_of
from mobilizer.audience import headcounts
from mobilizer.audience.queries import ListSummary, languages_of_members, lists
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.delivery import heartbeats
from mobilizer.delivery.progress import Tally, progress
from mobilizer.http import installation
from mobilizer.problems import Problem
from mobilizer.web.brand import brand_css
from mobilizer.web.held import full_disk
from mobilizer.web.keeping import lacks_sender
from mobilizer.web.needs import needs
from mobilizer.web.policy import allowed, anyone, permitted

blueprint = Blueprint("overview", __name__)

IN_MOTION = (
    BlastState.LEAVING,
    BlastState.LAUNCHING,
    BlastState.SENDING,
    BlastState.PAUSED,
    BlastState.HELD,
    BlastState.SCHEDULED,
)
WAITING = (BlastState.DRAFT, BlastState.READY, BlastState.ASKED)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class BlastLine:
    """A blast as the overview shows it."""

    slug: str
    title: str
    title_language: str
    state: str
    held_for: Problem | None
    tally: Tally | None
    seconds_left: float | None


@blueprint.get("/")
@allowed("overview.see")
def index() -> ResponseReturnValue:
    """What is in motion, what waits, what the last blast did, who our members are; for who sees sums only, these."""
    if permitted("sums.see") and not permitted("results.see"):
        return redirect(url_for("sums.index"), 303)
    with installation().database.read() as session:
        sees_blasts = permitted("blasts.see")
        every: list[ListSummary] = lists(session) if permitted("lists.see") else []
        return render_template(
            "overview.html",
            needs=needs(session) if sees_blasts else [],
            in_motion=_blasts(session, IN_MOTION) if sees_blasts else [],
            waiting=_blasts(session, WAITING, counted=False) if sees_blasts else [],
            last=next(iter(_blasts(session, (BlastState.SENT,), most=1)), None) if sees_blasts else None,
            lists=every,
            as_of=headcounts.as_of(session),
            languages=languages_of_members(session) if permitted("lists.see") else [],
            appeals=session.scalar(select(func.count()).select_from(Appeal)) or 0,
            full_disk=full_disk(),
            unset=permitted("settings.sending") and lacks_sender(installation().settings),
            workers=heartbeats.alive(session, "worker"),
            reconcilers=heartbeats.alive(session, "reconciler"),
        )


@blueprint.get("/brand.css")
@anyone
def brand() -> Response:
    """The organisation's hue as custom properties."""
    here = installation()
    with here.database.read() as session:
        hue = brand_of(session, here.settings.brand_colour).button
    answer = Response(brand_css(hue), mimetype="text/css")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def _blasts(
    session: Session, states: tuple[BlastState, ...], most: int = SHOWN, counted: bool = True
) -> list[BlastLine]:
    asked = (
        select(Blast)
        .where(Blast.state.in_(states))
        .order_by(Blast.launched_at.desc().nulls_last(), Blast.id.desc())
        .limit(most)
    )
    return [_line(session, blast, counted) for blast in session.scalars(asked)]


def _line(session: Session, blast: Blast, counted: bool) -> BlastLine:
    source = blast.appeal.source_language
    titles = {translation.language: translation.title for translation in blast.appeal.translations}
    going = progress(session, blast) if counted else None
    return BlastLine(
        slug=blast.slug,
        title=titles.get(source) or blast.slug,
        title_language=source,
        state=blast.state,
        held_for=blast.held_for,
        tally=going.overall if going else None,
        seconds_left=going.seconds_left() if going else None,
    )
