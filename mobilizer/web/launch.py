"""Web: the check list before launch, proofs, and the launch itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

from mobilizer import jobs
from mobilizer.appeals.completeness import complete_languages, completeness
from mobilizer.appeals.media import BadMedia
from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.lists import MemberList
from mobilizer.blasts import launching
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import CheckLine, Checklist, LanguageAudience
from mobilizer.blasts.check import check as check_blast
from mobilizer.delivery.proof import send_proof
from mobilizer.http import installation
from mobilizer.languages import CaughtBy, language
from mobilizer.message.compile import CompileError
from mobilizer.organizers.audit import record
from mobilizer.problems import Problem
from mobilizer.transport.outcomes import Accepted, Deferred, Rejected, Trouble
from mobilizer.web.appeal_head import words_url
from mobilizer.web.blast_head import blast_head, known_blast
from mobilizer.web.limits import limiter, whence
from mobilizer.web.policy import allowed, me, permitted
from mobilizer.web.screens import blasts as blueprint
from mobilizer.web.typed_number import typed_number
from mobilizer.web.words import _, number, problem

PROOFS = "30 per hour"
MEDIA = ("poster", "video", "captions")
TONES = {"ok": "good", "warning": "warn", "error": "bad"}


@dataclass(frozen=True, slots=True)
class Point:
    """One line of the check list on the page: its tone, its sentence, and where it is mended."""

    tone: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Speakers:
    """The people of one language: what they get, and the steps of the fallback chain that chose it."""

    tag: str
    people: int
    gets: tuple[tuple[str, str, int], ...]
    written: float | None


@dataclass(slots=True)
class Tried:
    """What was typed on the page and didn't go through."""

    people: str = ""
    people_problem: str = ""
    address: str = ""
    address_problem: str = ""
    language: str = ""
    problems: list[Problem] = field(default_factory=list)


@blueprint.errorhandler(RedisError)
def _no_counter(_error: RedisError) -> ResponseReturnValue:
    # Proofs go to any address: those that can't be counted are not sent.
    abort(503)


@blueprint.get("/blasts/<slug>/check")
@allowed("blasts.see")
def check(slug: str) -> ResponseReturnValue:
    """The check list, the audience by language, a proof."""
    return _page("blasts/check.html", slug, Tried())


@blueprint.get("/blasts/<slug>/launch")
@allowed("blasts.see")
def launch(slug: str) -> ResponseReturnValue:
    """The last look before launch."""
    return _page("blasts/launch.html", slug, Tried())


@blueprint.post("/blasts/<slug>/launch")
@allowed("blasts.launch")
def go(slug: str) -> ResponseReturnValue:
    """Launch what was seen, if its people were counted rightly. A second click finds it launched, and shows it."""
    here, typed = installation(), request.form.get("people", "")
    with here.database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(url_for("blasts.progress", slug=slug), 303)
        checked = check_blast(session, here, blast, _today())
    if not checked.ready or typed_number(typed) != checked.people:
        wrong = _("That is not the number of people. It goes to %(people)s.", people=number(checked.people))
        return _page(
            "blasts/launch.html", slug, Tried(people=typed, people_problem=wrong if checked.ready else "")
        ), 422
    try:
        launched = _launch(slug)
    except CompileError as error:
        return _page("blasts/launch.html", slug, Tried(people=typed, problems=list(error.problems))), 422
    except BadMedia as error:
        return _page("blasts/launch.html", slug, Tried(people=typed, problems=[error.problem])), 422
    if launched is None:
        with here.database.read() as session:
            if not blast_head(known_blast(session, slug)).open:
                return redirect(url_for("blasts.progress", slug=slug), 303)
        changed = _("The blast or its appeal has changed since you looked. Look again, then launch.")
        return _page("blasts/launch.html", slug, Tried(people_problem=changed)), 409
    jobs.enqueue(here, jobs.Work.LAUNCH, launched)
    return redirect(url_for("blasts.progress", slug=slug), 303)


@blueprint.post("/blasts/<slug>/proof")
@allowed("blasts.proof")
@limiter.limit(PROOFS, key_func=whence)
def proof(slug: str) -> ResponseReturnValue:
    """Send one proof to any address; it is never counted."""
    here, tag = installation(), request.form.get("language", "")
    tried = Tried(address=request.form.get("address", "").strip(), language=tag)
    with here.database.read() as session:
        blast = known_blast(session, slug)
        blast_id, offered = blast.id, complete_languages(blast.appeal)
    if tag not in offered:
        abort(400)
    try:
        answer = send_proof(here, blast_id, tag, normalise(tried.address), me().name)
    except BadAddress as error:
        tried.address_problem = problem(error.problem)
        return _page("blasts/check.html", slug, tried), 422
    except CompileError as error:
        tried.problems = list(error.problems)
        return _page("blasts/check.html", slug, tried), 422
    except BadMedia as error:
        tried.problems = [error.problem]
        return _page("blasts/check.html", slug, tried), 422
    except Trouble as trouble:
        flash(_("The relay could not be reached: %(reason)s Nothing was sent.", reason=trouble.reason), "bad")
        return redirect(_to_proof(slug), 303)
    with here.database.write() as session:
        record(session, me().id, "blast.proof", f"blast:{blast_id}", language=tag)
    _tell(answer, tag)
    return redirect(_to_proof(slug), 303)


def _launch(slug: str) -> int | None:
    """The id of the blast that this very request launched, or None. Raises CompileError, BadMedia."""
    here = installation()
    seen = launching.Seen(_seen("seen_blast"), _seen("seen_appeal"))
    with here.database.write() as session:
        blast = known_blast(session, slug)
        blast_id = blast.id
        if not launching.launch(session, here.settings, blast, seen):
            return None
        record(session, me().id, "blast.launch", f"blast:{blast_id}")
    return blast_id


def _seen(name: str) -> int:
    text = request.form.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _tell(answer: object, tag: str) -> None:
    if isinstance(answer, Accepted):
        flash(_("The proof in %(language)s is on its way.", language=language(tag).own_name), "good")
    elif isinstance(answer, Rejected | Deferred):
        flash(_("The relay refused the proof: %(reply)s", reply=answer.reply), "bad")
    else:
        flash(_("The proof may or may not have been sent: the relay gave no clear answer."), "warn")


def _page(template: str, slug: str, tried: Tried) -> ResponseReturnValue:
    here = installation()
    with here.database.read() as session:
        blast = known_blast(session, slug)
        if not blast_head(blast).open:
            return redirect(url_for("blasts.progress", slug=slug), 303)
        checked = check_blast(session, here, blast, _today())
        offered = complete_languages(blast.appeal)
        return render_template(
            template,
            blast=blast_head(blast),
            seen=launching.seen(blast),
            checked=checked,
            points=_points(blast, checked),
            red=sum(1 for line in checked.lines if line.level == "error"),
            amber=sum(1 for line in checked.lines if line.level == "warning"),
            speakers=_speakers(blast, checked.audience),
            own_people=_in_own_language(checked),
            offered=[(tag, language(tag).own_name) for tag in offered],
            chain=[*blast.chain, blast.default_language],
            lists=_list_names(session, blast),
            tried=tried,
        )


def _points(blast: Blast, checked: Checklist) -> dict[str, list[Point]]:
    points: dict[str, list[Point]] = {"bad": [], "warn": [], "good": []}
    for line in checked.lines:
        tone = TONES[line.level]
        points[tone].append(Point(tone, problem(line.problem), _mend(blast, line) if tone != "good" else ""))
    return points


def _mend(blast: Blast, line: CheckLine) -> str:
    """Where a line of the check list is mended, for those who may."""
    if not permitted("appeals.write"):
        return ""
    appeal = blast.appeal
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
            gets=tuple((gets, step, people) for (gets, step), people in one.gets.most_common()),
            written=written.get(one.language),
        )
        for one in audience
    ]


def _in_own_language(checked: Checklist) -> int:
    own = {CaughtBy.EXACT.value, CaughtBy.PARENT.value}
    return sum(people for one in checked.audience for (_gets, step), people in one.gets.items() if step in own)


def _list_names(session: Session, blast: Blast) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {"in": [], "out": []}
    for target in blast.targets:
        names["in" if target.included else "out"].append(session.get_one(MemberList, target.list_id).name)
    return names


def _today() -> date:
    return datetime.now(UTC).date()


def _to_proof(slug: str) -> str:
    return url_for("blasts.check", slug=slug, _anchor="proof")
