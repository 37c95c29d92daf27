"""Blasts: the check list before launch. Each line says green, amber or red, why, and where to mend it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import partial

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal
from mobilizer.appeals.completeness import complete_languages, completeness
from mobilizer.appeals.glossary import kept_terms, terms
from mobilizer.appeals.media import BadMedia
from mobilizer.appeals.parity import parity
from mobilizer.appeals.states import State, outdated, state_of
from mobilizer.audience.audience import count_by_language
from mobilizer.blasts import lifecycle
from mobilizer.blasts.blast_checks import captions, colours, own_page, sender, thanks
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.checklist import CheckLine, green
from mobilizer.blasts.fallbacks import fallbacks_of
from mobilizer.blasts.mail_checks import Mail, check_mails
from mobilizer.blasts.mode_checks import mode_checks
from mobilizer.blasts.modes import modes_of
from mobilizer.blasts.narrowing import CannotChoose, Chosen, Whom, narrowing_of, unnarrowed
from mobilizer.blasts.renditions import compile_language, sample_recipient, variants_in
from mobilizer.blasts.waiting import WAITS, Languages, given, sent_languages
from mobilizer.installation import Installation
from mobilizer.languages import CaughtBy, language
from mobilizer.message.compile import CompileError
from mobilizer.problems import N_, P_, Problem, counted

LONG_NAME = "ن" * 60

# What somebody above in the house has to add; the condition is the one that narrows the blast's lists, or None.
More = Callable[[Session, Blast, ColumnElement[bool] | None], Iterable[CheckLine]]


@dataclass(slots=True)
class LanguageAudience:
    """The people who speak a language, and what they get: the language, by which step, and how complete it is."""

    language: str
    own_name: str
    people: int
    gets: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Checklist:
    """All lines, the audience by language, and the number of people that launching asks for: those that each language
    is sent to, and those that wait for one."""

    lines: list[CheckLine]
    audience: list[LanguageAudience]
    people: int
    suppressed: int
    resting: int
    gets: Counter[str]
    waiting: Counter[str]

    @property
    def ready(self) -> bool:
        """Whether nothing forbids launch."""
        return all(line.level != "error" for line in self.lines)


def check(
    session: Session,
    installation: Installation,
    blast: Blast,
    today: date,
    whom: Whom = unnarrowed,
    more: Sequence[More] = (),
    rests: ColumnElement[bool] | None = None,
) -> Checklist:
    """Check a blast and its appeal as they are now; `whom` says how the blast is narrowed, `more` looks at what is
    above in the house, and `rests` is whether a Member wants fewer mails than this."""
    narrowed: list[CheckLine] = []
    audience: list[LanguageAudience] = []
    suppressed = resting = 0
    try:
        chosen = whom(session, blast)
        only = chosen.where if chosen else None
        audience, suppressed = _audience(session, blast, only)
        resting = _resting(session, blast, only, rests)
        narrowed = _about_narrowing(session, blast, chosen)
        narrowed += [line for looked in more for line in looked(session, blast, only)]
    except CannotChoose as error:
        narrowed = [_error(error.problem)]
    gets, waiting = Counter[str](), Counter[str]()
    for speakers in audience:
        for (language_given, step), count in speakers.gets.items():
            (waiting if step == WAITS else gets)[language_given] += count
    people = sum(speakers.people for speakers in audience)
    lines = [
        *narrowed,
        *_about_people(audience, people, Skipped(suppressed, resting), bool(blast.narrowing)),
        *_about_translations(session, blast),
        *_about_messages(session, installation, blast, today),
        *captions(blast.appeal),
        *thanks(blast),
        *colours(session, installation.settings),
        *sender(installation.settings),
        *mode_checks(installation.settings, blast),
    ]
    return Checklist(lines, audience, people, suppressed, resting, gets, waiting)


@dataclass(frozen=True, slots=True)
class Skipped:
    """People whose mail is not sent: the suppressed, and of the others those who want fewer."""

    suppressed: int
    resting: int


def _resting(
    session: Session, blast: Blast, only: ColumnElement[bool] | None, rests: ColumnElement[bool] | None
) -> int:
    """How many want fewer mails than this, and are not suppressed."""
    if rests is None:
        return 0
    counts = _counts(session, blast, rests if only is None else and_(only, rests))
    return sum(people - suppressed for _, _, people, suppressed in counts)


def _counts(session: Session, blast: Blast, only: ColumnElement[bool] | None) -> list[tuple[str, str | None, int, int]]:
    included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
    return count_by_language(session, included, excluded, only)


def _audience(session: Session, blast: Blast, only: ColumnElement[bool] | None) -> tuple[list[LanguageAudience], int]:
    offered = sent_languages(blast)
    counts = _counts(session, blast, only)
    languages = Languages(offered, blast.waits, blast.chain, blast.default_language, fallbacks_of(session, blast))
    found: dict[str, LanguageAudience] = {}
    suppressed_people = 0
    for tag, second, people, suppressed in counts:
        choice, otherwise = given(languages, tag, second)
        speakers = found.setdefault(tag, LanguageAudience(tag, _own_name(tag), 0))
        speakers.people += people
        speakers.gets[choice.language, WAITS if otherwise else choice.caught_by.value] += people
        suppressed_people += suppressed
    return sorted(found.values(), key=lambda speakers: -speakers.people), suppressed_people


def left_out(session: Session, blast: Blast, people: int) -> tuple[int, int]:
    """How many of the lists that a blast of so many people goes to don't get it: for a list that is left out, and for
    what narrows it."""
    included, excluded = (lifecycle.lists_of(session, blast.id, included=which) for which in (True, False))
    on_lists = _people(session, included, excluded) if blast.narrowing else people
    everyone = _people(session, included, []) if excluded else on_lists
    return everyone - on_lists, on_lists - people


def _people(session: Session, included: list[int], excluded: list[int]) -> int:
    return sum(people for _, _, people, _ in count_by_language(session, included, excluded))


def _about_narrowing(session: Session, blast: Blast, chosen: Chosen | None) -> list[CheckLine]:
    """How many the frequency cap spares."""
    if chosen is None or chosen.spared is None:
        return []
    cap = narrowing_of(blast.narrowing)
    spared = sum(people for _, _, people, _ in _counts(session, blast, and_(chosen.fits, chosen.spared)))
    forms = P_(
        "The frequency cap leaves out %(count)d person (blasts: %(most)d, days: %(days)d).",
        "The frequency cap leaves out %(count)d people (blasts: %(most)d, days: %(days)d).",
    )
    return [CheckLine("ok", counted("audience.capped", forms, spared, "warning", most=cap.most, days=cap.days))]


def _about_people(audience: list[LanguageAudience], people: int, skipped: Skipped, narrowed: bool) -> list[CheckLine]:
    if not people:
        message = N_("Nobody would get this: choose a list that has members.")
        if narrowed:
            message = N_("Nobody would get this: nobody on its lists fits its segments and is not left out.")
        return [_error(Problem("audience.empty", message))]
    forms = P_("%(count)d person will get exactly one mail.", "%(count)d people will get exactly one mail each.")
    mailed = people - skipped.suppressed - skipped.resting
    lines = [CheckLine("ok", counted("audience.people", forms, mailed, "warning"))]
    if skipped.suppressed:
        forms = P_("%(count)d person is suppressed and skipped.", "%(count)d people are suppressed and skipped.")
        lines.append(CheckLine("warning", counted("audience.suppressed", forms, skipped.suppressed, "warning")))
    if skipped.resting:
        forms = P_(
            "%(count)d person wants fewer mails (paused, or had the one of the month) and is skipped.",
            "%(count)d people want fewer mails (paused, or had the one of the month) and are skipped.",
        )
        lines.append(CheckLine("ok", counted("audience.resting", forms, skipped.resting, "warning")))
    for speakers in audience:
        for (gets, step), count in speakers.gets.items():
            if step != CaughtBy.EXACT:
                lines.append(_fallback(speakers, gets, step, count))
    return lines


def _fallback(speakers: LanguageAudience, gets: str, step: str, count: int) -> CheckLine:
    """Who falls back to what. A wider form of one's language is fine; a language nobody asked for is worth a look."""
    forms = P_(
        "%(count)d person who speaks %(language)s gets it in %(gets)s.",
        "%(count)d people who speak %(language)s get it in %(gets)s.",
    )
    names = {"language": speakers.own_name, "gets": language(gets).own_name}
    if step == WAITS:
        forms = P_(
            "%(count)d person who speaks %(language)s waits until %(gets)s is approved.",
            "%(count)d people who speak %(language)s wait until %(gets)s is approved.",
        )
    level = "warning" if step in (CaughtBy.CHAIN, CaughtBy.DEFAULT, WAITS) else "ok"
    return CheckLine(level, counted(f"audience.{step}", forms, count, "warning", **names))


def _about_translations(session: Session, blast: Blast) -> list[CheckLine]:
    appeal: Appeal = blast.appeal
    lines = []
    complete, sent = complete_languages(appeal), sent_languages(blast)
    if blast.default_language not in complete:
        message = N_("The last language of the fallback chain, %(language)s, has no complete translation.")
        name = language(blast.default_language).own_name
        lines.append(_error(Problem("translation.default", message, {"language": name}), blast.default_language))
    elif blast.default_language not in sent:
        message = N_(
            "The last language of the fallback chain, %(language)s, is waited for: let the chain end with one that is "
            "sent now, or approve it."
        )
        name = language(blast.default_language).own_name
        lines.append(_error(Problem("translation.default_waits", message, {"language": name}), blast.default_language))
    for state in completeness(appeal):
        tag = state.language
        if state.missing:
            forms = P_(
                "%(language)s will not be sent: %(count)d field is empty.",
                "%(language)s will not be sent: %(count)d fields are empty.",
            )
            lacking = counted("translation.incomplete", forms, len(state.missing), "warning", language=_own_name(tag))
            lines.append(CheckLine("warning", lacking, tag, state.missing[0]))
        elif tag not in sent:
            message = N_("%(language)s is sent later, once it is approved.")
            lines.append(CheckLine("warning", Problem("translation.late", message, {"language": _own_name(tag)}), tag))
        else:
            lines.append(_about_state(appeal, tag))
    glossary = terms(session)
    lost = [problem for one in appeal.translations for problem in kept_terms(glossary, appeal, one)]
    found = map(_parity_line, [*parity(appeal), *lost])
    different = [line for line in found if not line.language or line.language in sent]
    if not any(line.level == "error" for line in different):
        different.append(green("parity", N_("Every language has the same placeholders, links and video.")))
    return lines + different


def _about_state(appeal: Appeal, tag: str) -> CheckLine:
    """Whether a complete language says what the source text says now, and whether a second person has read it."""
    translation = next(one for one in appeal.translations if one.language == tag)
    name = _own_name(tag)
    match state_of(appeal, translation):
        case State.OUT_OF_DATE:
            message = N_(
                "%(language)s is out of date: its source text has changed since. Translate what changed, "
                "or say that it still fits."
            )
            return _error(
                Problem("translation.outdated", message, {"language": name}), tag, *list(outdated(translation))[:1]
            )
        case State.REVIEWED:
            return green("translation.reviewed", N_("%(language)s is complete and reviewed."), language=name)
        case _ if tag == appeal.source_language:
            return green("translation.complete", N_("%(language)s is complete."), language=name)
    message = N_("%(language)s is complete, but nobody has reviewed it.")
    return CheckLine("warning", Problem("translation.complete", message, {"language": name}, "warning"), tag)


def _parity_line(problem: Problem) -> CheckLine:
    """A difference between languages; its place is `translations.<tag>.<field>`, or `poster` or `video` of them all."""
    start, _, place = problem.where.partition(".")
    tag, _, name = place.partition(".")
    return CheckLine(problem.severity, problem, tag, name if start == "translations" else start)


def _about_messages(session: Session, installation: Installation, blast: Blast, today: date) -> list[CheckLine]:
    """Compile each language and variant as it would be sent, and look at what came out."""
    lines: list[CheckLine] = []
    mails: list[Mail] = []
    settings = installation.settings
    recipient = sample_recipient(installation.keyring, blast.id, "someone@example.org", LONG_NAME, today)
    now = datetime.combine(today, time(), UTC)
    modes, complete = modes_of(blast), complete_languages(blast.appeal)
    sent = [one for one in blast.appeal.translations if one.language in complete]
    for translation, variant in [(one, variant) for one in sent for variant in variants_in(one, modes)]:
        tag = translation.language
        try:
            rendition = compile_language(settings, blast.appeal, blast.slug, tag, modes=modes, variant=variant)
        except BadMedia as error:
            lines.append(_error(error.problem, tag, "poster"))
        except CompileError as error:
            lines += [_error(problem, tag, problem.where) for problem in error.problems]
        else:
            here = partial(own_page, session, settings)
            mails.append(Mail(settings, translation, language(tag), rendition, recipient, now, here, variant))
    return [*lines, *check_mails(mails)]


def _own_name(tag: str) -> str:
    return language(tag).own_name


def _error(problem: Problem, language: str = "", field: str = "") -> CheckLine:
    return CheckLine("error", problem, language, field)
