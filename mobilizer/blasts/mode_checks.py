"""Blasts: what is checked of a blast's modes: what is counted, and whether a discreet one has all that hides it."""

from __future__ import annotations

from collections.abc import Iterator

from mobilizer.appeals.fields import FIELDS
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.checklist import CheckLine, green, red
from mobilizer.blasts.modes import modes_of, stricter_lists
from mobilizer.blasts.waiting import sent_languages
from mobilizer.languages import language
from mobilizer.problems import N_
from mobilizer.settings import Settings
from mobilizer.tracking import Tracking

COUNTED = {
    Tracking.PSEUDONYMOUS: N_("Opens and clicks are counted by member, under a number that only we know."),
    Tracking.SUMS: N_("Opens and clicks are counted in sums: no link but the one to unsubscribe says whose it is."),
    Tracking.OFF: N_("Opens and clicks are not counted: links lead straight to where they go."),
}


def mode_checks(settings: Settings, blast: Blast) -> Iterator[CheckLine]:
    """What is counted, and what a discreet blast still lacks."""
    modes = modes_of(blast)
    yield green(f"tracking.{modes.tracking}", COUNTED[modes.tracking])
    for one in stricter_lists(blast):
        yield green("modes.list", N_("The list “%(list)s” is stricter than this blast, and decides."), list=one.name)
    if not modes.discreet:
        return
    lacking = [*_words(blast), *_addresses(settings)]
    hidden = N_("It is discreet: mails and pages don’t say what it is about until play is pressed.")
    yield from lacking or [green("discreet", hidden)]


def _words(blast: Blast) -> Iterator[CheckLine]:
    sent = sent_languages(blast)
    for translation in blast.appeal.translations:
        empty = [field.name for field in FIELDS if field.discreet and not getattr(translation, field.name)]
        if empty and translation.language in sent:
            message = N_("%(language)s lacks words of a discreet mail: its sender, its subject or its preheader.")
            name = language(translation.language).own_name
            yield red("discreet.words", message, translation.language, empty[0], language=name)


def _addresses(settings: Settings) -> Iterator[CheckLine]:
    if not settings.discreet_base_url:
        message = N_("A discreet mail leads to a domain that says nothing: set MOBILIZER_DISCREET_BASE_URL.")
        yield red("discreet.site", message)
    if not settings.discreet_sender_address:
        message = N_("A discreet mail comes from an address that says nothing: set MOBILIZER_DISCREET_SENDER_ADDRESS.")
        yield red("discreet.sender", message)
