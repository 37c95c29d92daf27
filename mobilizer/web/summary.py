"""Web: the summary sheet before launch. From whom, what, to how many in which language, who gets none, how fast."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from mobilizer.appeals.editing import translation_in
from mobilizer.blasts.blasts import Blast
from mobilizer.blasts.check import Checklist, left_out
from mobilizer.blasts.departure import departure_of
from mobilizer.blasts.modes import modes_of
from mobilizer.blasts.renditions import copy_of, variants_in
from mobilizer.delivery.forecast import pace
from mobilizer.http import installation
from mobilizer.organizers.accounts import account
from mobilizer.organizers.users import User
from mobilizer.settings import Settings
from mobilizer.web.policy import me
from mobilizer.web.relays import rate_words
from mobilizer.web.tracking import TRACKING
from mobilizer.web.words import _, duration, ngettext


@dataclass(frozen=True, slots=True)
class Version:
    """One language that is sent: its subject, those of its other variants, its people, and how many of them by which
    step of the fallback chain."""

    tag: str
    subject: str
    others: tuple[tuple[str, str], ...]
    people: int
    steps: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a person reads before they say yes. `pace` and `lasts` are empty where nobody knows."""

    sender: str
    address: str
    reply_to: str
    versions: tuple[Version, ...]
    left_out: tuple[str, ...]
    pace: str
    lasts: str
    undo: str
    counted: str
    discreet: bool


def summary(session: Session, blast: Blast, found: Checklist) -> dict[str, Any]:
    """What the page of the launch has beside the check list: the sheet, and who asked for a second person."""
    return {
        "sheet": _sheet(session, blast, found),
        "asked_by": _asked_by(session, blast),
        "mine": _is_mine(blast),
        "departure": departure_of(blast.departure),
    }


def _sheet(session: Session, blast: Blast, found: Checklist) -> Sheet:
    settings = installation().settings
    rate = pace(session, settings)
    modes = modes_of(blast)
    sender, address, reply_to = _from(settings, blast, discreet=modes.discreet)
    return Sheet(
        sender=sender,
        address=address,
        reply_to=reply_to,
        versions=tuple(_versions(blast, found)),
        left_out=tuple(_left_out(session, blast, found)),
        pace=rate_words(rate) if rate else "",
        lasts=duration(max(found.people / rate, 1)) if rate else "",
        undo=duration(settings.undo_seconds) if settings.undo_seconds else "",
        counted=_(TRACKING[modes.tracking][0]),
        discreet=modes.discreet,
    )


def _from(settings: Settings, blast: Blast, *, discreet: bool) -> tuple[str, str, str]:
    """Name and address of the sender, and where answers go if elsewhere."""
    if not discreet:
        return settings.sender_name or settings.organisation, settings.sender_address, settings.reply_to
    source = translation_in(blast.appeal, blast.appeal.source_language)
    return source.discreet_sender if source else "", settings.discreet_sender_address, ""


def _versions(blast: Blast, found: Checklist) -> list[Version]:
    steps: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for speakers in found.audience:
        for (tag, step), people in speakers.gets.items():
            steps[tag][step] += people
    return [
        Version(tag, *_subjects(blast, tag), people, tuple(steps[tag].most_common()))
        for tag, people in (*found.gets.most_common(), *found.waiting.most_common())
    ]


def _subjects(blast: Blast, tag: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The subject of a language, and each other variant with its own."""
    translation, modes = translation_in(blast.appeal, tag), modes_of(blast)
    if translation is None:
        return "", ()
    first, *others = variants_in(translation, modes)
    said = tuple((one, copy_of(translation, modes, one).subject) for one in others)
    return copy_of(translation, modes, first).subject, said


def _left_out(session: Session, blast: Blast, found: Checklist) -> list[str]:
    by_lists, by_rules = left_out(session, blast, found.people)
    on_a_list = ngettext(
        "%(n)s person is on a list that is left out", "%(n)s people are on a list that is left out", by_lists
    )
    by_a_rule = ngettext(
        "%(n)s person is left out by segments, earlier blasts or the frequency cap",
        "%(n)s people are left out by segments, earlier blasts or the frequency cap",
        by_rules,
    )
    suppressed = ngettext(
        "%(n)s person is suppressed: skipped, and listed so",
        "%(n)s people are suppressed: skipped, and listed so",
        found.suppressed,
    )
    resting = ngettext(
        "%(n)s person wants fewer mails: skipped, and listed so",
        "%(n)s people want fewer mails: skipped, and listed so",
        found.resting,
    )
    counted = (
        (by_lists, on_a_list),
        (by_rules, by_a_rule),
        (found.suppressed, suppressed),
        (found.resting, resting),
    )
    return [line for people, line in counted if people] or [_("Nobody")]


def _asked_by(session: Session, blast: Blast) -> str:
    user = session.get(User, blast.asked_by_id) if blast.asked_by_id else None
    return account(installation().keyring, user).name if user else _("the command line")


def _is_mine(blast: Blast) -> bool:
    """Whether whoever looks is the one who asked: then they can't be the second person."""
    return blast.asked_by_id == me().id
