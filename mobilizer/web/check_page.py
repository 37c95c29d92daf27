"""Web: what the pages before launch show. The check list with the way to mend each point, and who gets what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from mobilizer.appeals.completeness import complete_languages, completeness
from mobilizer.appeals.media import BadMedia
from mobilizer.audience.lists import MemberList
from mobilizer.blasts import launching
from mobilizer.blasts.blasts import Blast, BlastState
from mobilizer.blasts.check import Checklist, LanguageAudience
from mobilizer.blasts.checklist import CheckLine
from mobilizer.blasts.modes import modes_of
from mobilizer.blasts.renditions import variants_in
from mobilizer.delivery.opening import MOST_BOUNCES, MOST_COMPLAINTS
from mobilizer.delivery.testers import testers
from mobilizer.http import installation
from mobilizer.languages import CaughtBy, language
from mobilizer.message.compile import CompileError
from mobilizer.problems import Problem
from mobilizer.segments.checking import checked as whole_list
from mobilizer.web.appeal_head import words_url
from mobilizer.web.blast_head import blast_head, known_blast, place_of
from mobilizer.web.narrowing_form import narrowing_lines
from mobilizer.web.policy import permitted
from mobilizer.web.time_zones import own_zone, zones
from mobilizer.web.trial_advice import advice, goal_choices
from mobilizer.web.words import problem

OPEN = (BlastState.DRAFT, BlastState.READY)
MEDIA = ("poster", "video", "captions")
TONES = {"ok": "good", "warning": "warn", "error": "bad"}


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the check list on the page: its tone, its sentence, and where it is mended."""

    tone: str
    text: str
    href: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Speakers:
    """The people of one language: what they get, the steps of the fallback chain that chose it, how far it is."""

    tag: str
    people: int
    gets: tuple[tuple[str, int], ...]
    steps: tuple[str, ...]
    written: float | None


@dataclass(slots=True)
class Tried:
    """What was typed on the page and didn't go through, and why."""

    people: str = ""
    people_problem: str = ""
    later_people: str = ""
    later_people_problem: str = ""
    day: str = ""
    hour: str = ""
    zone: str = ""
    when_problem: str = ""
    each: str = ""
    past: str = ""
    first: str = ""
    first_of: str = ""
    after_hours: str = ""
    first_problem: str = ""
    sample: str = ""
    goal: str = ""
    trial_hours: str = ""
    trial_problem: str = ""
    most_bounces: float = MOST_BOUNCES
    most_complaints: float = MOST_COMPLAINTS
    address: str = ""
    address_problem: str = ""
    language: str = ""
    tester: str = ""
    tester_problem: str = ""
    problems: list[Problem] = field(default_factory=list)


# What a template is told beside what every page before launch has.
More = Callable[[Session, Blast, Checklist], Mapping[str, Any]]


def _nothing(*_: object) -> Mapping[str, Any]:
    return {}


def checked(session: Session, blast: Blast) -> Checklist:
    """The check list as it is today."""
    return whole_list(session, installation(), blast, datetime.now(UTC).date())


def why_not(error: CompileError | BadMedia) -> list[Problem]:
    """Why a mail can't be made."""
    return [error.problem] if isinstance(error, BadMedia) else list(error.problems)


def page(
    template: str, slug: str, tried: Tried, status: int = 200, more: More = _nothing, states: Collection[str] = OPEN
) -> ResponseReturnValue:
    """A page of a blast in one of `states`, with what `more` tells it; of another, the way to where it stands."""
    with installation().database.read() as session:
        blast = known_blast(session, slug)
        shown = blast_head(blast)
        if blast.state not in states:
            return redirect(place_of(blast), 303)
        found = checked(session, blast)
        levels = Counter(line.level for line in found.lines)
        return render_template(
            template,
            blast=shown,
            seen=launching.seen(blast),
            checked=found,
            points=_points(blast, found),
            red=levels["error"],
            amber=levels["warning"],
            speakers=_speakers(blast, found.audience),
            own_people=_in_own_language(found),
            offered=proof_choices(blast),
            chain=list(dict.fromkeys([*blast.chain, blast.default_language])),
            lists=_list_names(session, blast),
            narrowing=narrowing_lines(session, blast),
            held_for=blast.held_for,
            at=blast.scheduled_at,
            zones=zones(),
            own_zone=tried.zone or own_zone(),
            tried=tried,
            advice=advice(blast, found),
            goals=goal_choices(),
            testers=testers(session, installation().keyring) if permitted("blasts.proof") else [],
            **more(session, blast, found),
        ), status


def proof_choices(blast: Blast) -> list[tuple[str, str]]:
    """What a proof may be of: each language, then its other variants, as "en:b"."""
    complete, found = complete_languages(blast.appeal), []
    for one in (one for one in blast.appeal.translations if one.language in complete):
        own = language(one.language).own_name
        found.append((one.language, own))
        found += [(f"{one.language}:{v}", f"{own} ({v.upper()})") for v in variants_in(one, modes_of(blast))[1:]]
    return found


def _points(blast: Blast, found: Checklist) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {"bad": [], "warn": [], "good": []}
    for line in found.lines:
        tone = TONES[line.level]
        # A difference between translations says "here": the page says which language that is.
        here = line.language if line.problem.code.startswith("appeal.") else ""
        points[tone].append(Point(tone, problem(line.problem), _mend(blast, line) if tone != "good" else "", here))
    return points


def _mend(blast: Blast, line: CheckLine) -> str:
    """Where a line of the check list is mended, for those who may."""
    if line.field == "domain" and permitted("settings.relays"):
        return url_for("settings.domain")
    if not permitted("appeals.write"):
        return ""
    appeal = blast.appeal
    if line.field == "colours":
        return url_for("brand.show")
    tag = line.language or appeal.source_language
    if line.field in MEDIA:
        return url_for("appeals.words", slug=appeal.slug, tag=tag, _anchor="media")
    if line.language and any(one.language == tag for one in appeal.translations):
        return words_url(appeal, tag, line.field)
    return url_for("blasts.edit", slug=blast.slug) if line.problem.code.startswith("audience.") else ""


def _speakers(blast: Blast, audience: list[LanguageAudience]) -> list[Speakers]:
    written = {state.language: state.done / state.total for state in completeness(blast.appeal)}
    return [
        Speakers(
            tag=one.language,
            people=one.people,
            gets=tuple(_given(one).most_common()),
            steps=tuple(dict.fromkeys(step for (_gets, step), _people in one.gets.most_common())),
            written=written.get(one.language),
        )
        for one in audience
    ]


def _given(one: LanguageAudience) -> Counter[str]:
    given: Counter[str] = Counter()
    for (gets, _step), people in one.gets.items():
        given[gets] += people
    return given


def _in_own_language(found: Checklist) -> int:
    own = {CaughtBy.EXACT.value, CaughtBy.PARENT.value}
    return sum(people for one in found.audience for (_gets, step), people in one.gets.items() if step in own)


def _list_names(session: Session, blast: Blast) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {"in": [], "out": []}
    for target in blast.targets:
        names["in" if target.included else "out"].append(session.get_one(MemberList, target.list_id).name)
    return names
