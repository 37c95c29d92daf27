"""Notices: words. The subject and the text of a notice, in its reader's language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from babel import Locale, dates, numbers
from babel.support import NullTranslations

from mobilizer.catalogs import phrases
from mobilizer.delivery.reconcile import LATE
from mobilizer.languages import isolated
from mobilizer.notices.notices import Kind
from mobilizer.problems import N_, P_, Problem

SUBJECTS = {
    Kind.HELD: N_("“%(title)s” is held"),
    Kind.FINISHED: N_("“%(title)s” is sent"),
    Kind.UNCERTAIN: N_("“%(title)s”: mails that may have arrived, or not"),
    Kind.LATE: N_("“%(title)s” was not launched: its time had passed"),
    Kind.STUCK: N_("“%(title)s” has not begun"),
}
HELD = N_("“%(title)s” has been held since %(at)s. Nobody is marked for it, and nobody will get it twice.")
WHY = N_("Why: %(reason)s")
TRIES_AGAIN = N_("It tries again by itself on %(at)s.")
WAITS = N_("It waits until someone has mended this and lets it go on.")
HELD_NO_MORE = N_("It is held no more.")
SO_FAR = N_("So far: %(final)s of %(people)s.")
FINISHED = N_("Every line of “%(title)s” is final. People: %(people)s.")
COUNTS = (
    ("accepted", N_("Accepted")),
    ("rejected", N_("Rejected")),
    ("skipped", N_("Skipped")),
    ("uncertain", N_("Uncertain")),
)
UNCERTAIN = P_(
    "The relay's answer to %(n)s mail of “%(title)s” was lost: it may have arrived, or not.",
    "The relay's answers to %(n)s mails of “%(title)s” were lost: they may have arrived, or not.",
)
DECIDE = N_("The software never sends such a mail again by itself. Please look, and decide.")
LATE_AT = N_("“%(title)s” was to be launched on %(at)s.")
STUCK = N_(
    "“%(title)s” was launched on %(at)s, and its audience is still not frozen. Nobody has got a mail yet. Perhaps no "
    "worker runs, or the work fails: the workers' log says so."
)
LINK = N_("Look here: %(link)s")
CHOOSE = N_("Which notices you get is your choice: %(link)s")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice speaks of. `at` is when it happened; `held` says whether the blast still is."""

    kind: Kind
    title: str
    link: str
    settings_link: str
    at: datetime
    reason: Problem | None
    held: bool
    retry_at: datetime | None
    counts: dict[str, int]

    @property
    def people(self) -> int:
        """Everyone the blast is for."""
        return self.counts["total"]


@dataclass(frozen=True, slots=True)
class Letter:
    """What is written."""

    subject: str
    text: str


def letter(facts: Facts, tag: str) -> Letter:
    """A notice in the language of a tag."""
    speaker = _Speaker(phrases("web", tag), Locale.parse(tag.replace("-", "_")), facts.title)
    text = "\n\n".join([*_paragraphs(speaker, facts), speaker.say(LINK, link=facts.link)])
    foot = speaker.say(CHOOSE, link=facts.settings_link)
    return Letter(speaker.words.gettext(SUBJECTS[facts.kind]) % {"title": facts.title}, f"{text}\n\n-- \n{foot}\n")


@dataclass(frozen=True, slots=True)
class _Speaker:
    words: NullTranslations
    locale: Locale
    title: str

    def say(self, sentence: str, **params: str) -> str:
        return str(self.words.gettext(sentence)) % {"title": isolated(self.title), **params}

    def count(self, forms: tuple[str, str], n: int) -> str:
        return str(self.words.ngettext(*forms, n)) % {"n": self.number(n), "title": isolated(self.title)}

    def number(self, n: int) -> str:
        return str(numbers.format_decimal(n, locale=self.locale))

    def moment(self, at: datetime) -> str:
        return f"{dates.format_datetime(at.astimezone(UTC), 'medium', locale=self.locale)} UTC"


def _paragraphs(speaker: _Speaker, facts: Facts) -> Iterator[str]:
    match facts.kind:
        case Kind.HELD:
            yield from _held(speaker, facts)
        case Kind.FINISHED:
            yield speaker.say(FINISHED, people=speaker.number(facts.people))
            yield "\n".join(f"{speaker.say(name)}: {speaker.number(facts.counts[state])}" for state, name in COUNTS)
        case Kind.UNCERTAIN:
            yield speaker.count(UNCERTAIN, facts.counts["undecided"])
            yield speaker.say(DECIDE)
        case Kind.LATE:
            yield speaker.say(LATE_AT, at=speaker.moment(facts.at))
            yield LATE.text(speaker.words)
        case Kind.STUCK:
            yield speaker.say(STUCK, at=speaker.moment(facts.at))


def _held(speaker: _Speaker, facts: Facts) -> Iterator[str]:
    yield speaker.say(HELD, at=speaker.moment(facts.at))
    if facts.reason:
        yield speaker.say(WHY, reason=facts.reason.text(speaker.words))
    if not facts.held:
        yield speaker.say(HELD_NO_MORE)
    else:
        yield speaker.say(TRIES_AGAIN, at=speaker.moment(facts.retry_at)) if facts.retry_at else speaker.say(WAITS)
    people, final = speaker.number(facts.people), speaker.number(facts.counts["final"])
    yield speaker.say(SO_FAR, people=people, final=final)
