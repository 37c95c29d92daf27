"""Web: the waves of a blast that are held. Who waits for what, and the buttons that let them go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.media import BadMedia
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.waiting import approved
from mobilizer.delivery import late, waves
from mobilizer.delivery.waves import HeldWave, Kind
from mobilizer.engagement import winners
from mobilizer.engagement.winners import Trial, trials
from mobilizer.http import installation
from mobilizer.message.compile import CompileError
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.web.appeal_head import words_url
from mobilizer.web.blast_head import known_blast
from mobilizer.web.check_page import why_not
from mobilizer.web.policy import allowed, me
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.words import _, ngettext, problem


@dataclass(frozen=True, slots=True)
class Held:
    """A held wave on the page. `ready` is whether its button does what it says; `mend` leads to what it waits for."""

    n: int
    kind: str
    language: str
    people: int
    opens_at: datetime | None
    stopped_for: Problem | None
    falls_back: tuple[tuple[str, int], ...]
    ready: bool
    mend: str
    trial: Trial | None


def held_waves(session: Session, blast: Blast) -> list[Held]:
    """The waves of a blast that are held, for its page."""
    held = waves.held(session, blast.id)
    tried = {one.n: one for one in trials(session, blast)} if any(wave.variants for wave in held) else {}
    return [_held(blast, wave, tried.get(wave.n)) for wave in held]


@blueprint.post("/blasts/<slug>/waves/<int:n>/release")
@allowed("blasts.launch")
def release(slug: str, n: int) -> ResponseReturnValue:
    """Send to a wave that is held: now, whatever it waits for; one that waits for a language once that is approved."""
    return _act(slug, n, "release", _release)


@blueprint.post("/blasts/<slug>/waves/<int:n>/fall-back")
@allowed("blasts.launch")
def fall_back(slug: str, n: int) -> ResponseReturnValue:
    """Let the people of a wave wait for their language no longer: they get what they fall back to."""
    return _act(slug, n, "fall_back", _fall_back)


def _held(blast: Blast, wave: HeldWave, trial: Trial | None) -> Held:
    ready = wave.kind != Kind.LANGUAGE or approved(blast.appeal, wave.language)
    mend = "" if ready else words_url(blast.appeal, wave.language, "")
    return Held(
        n=wave.n,
        kind=wave.kind,
        language=wave.language,
        people=wave.people,
        opens_at=wave.opens_at,
        stopped_for=wave.stopped_for,
        falls_back=wave.falls_back,
        ready=ready and trial is None,
        mend=mend,
        trial=trial,
    )


@blueprint.post("/blasts/<slug>/waves/<int:n>/choose")
@allowed("blasts.launch")
def choose(slug: str, n: int) -> ResponseReturnValue:
    """Choose a variant for those who are held for the best one: they get it now."""
    variant = request.form.get("variant", "")

    def act(session: Session, blast: Blast, wave: HeldWave) -> bool:
        return wave.kind == Kind.WINNER and winners.choose(session, blast, wave.language, variant, me().id)

    return _act(slug, n, "", act)


def _act(slug: str, n: int, verb: str, act: Callable[[Session, Blast, HeldWave], bool]) -> ResponseReturnValue:
    try:
        with installation().database.write() as session:
            blast = known_blast(session, slug)
            wave = next((one for one in waves.held(session, blast.id) if one.n == n), None)
            done = wave is not None and act(session, blast, wave)
            if done and verb:
                record(session, me().id, f"blast.{verb}", f"blast:{blast.id}", wave=n)
    except (CompileError, BadMedia) as error:
        flash(" ".join(problem(one) for one in why_not(error)), "bad")
        return redirect(url_for("blasts.progress", slug=slug), 303)
    if done and wave:
        said = ngettext("%(n)s person is held no longer.", "%(n)s people are held no longer.", wave.people)
        flash(said, "good")
    else:
        flash(_("Nothing was changed: the blast has moved on meanwhile."), "warn")
    return redirect(url_for("blasts.progress", slug=slug), 303)


def _release(session: Session, blast: Blast, wave: HeldWave) -> bool:
    if wave.kind == Kind.WINNER:
        abort(400)  # in which variant?
    return late.let_go(session, installation().settings, blast, wave)


def _fall_back(session: Session, blast: Blast, wave: HeldWave) -> bool:
    if wave.kind != Kind.LANGUAGE:
        abort(400)
    return late.give_up(session, blast.id, wave.language)
