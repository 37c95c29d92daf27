"""Audience: what is told of the consent of everyone in a file. Without it nobody is brought onto a list.  (pure)"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.problems import N_, Problem

MAX_SOURCE = 200
EXAMPLE = "2026-03-08"
EARLIEST = date(1990, 1, 1)

MAX_TOLD = 240  # letters of a source with its date
MAX_WORDING = 2000

_TOLD = ("consent_source", "consent_date")


def consent_problems(options: Mapping[str, Any], uploaded: datetime) -> list[Problem]:
    """What is wrong with the source and the date of a consent: `consent_source` and `consent_date` (ISO 8601)."""
    source, day = (str(options.get(name, "")).strip() for name in _TOLD)
    # Somewhere it is tomorrow already.
    return [*_source(source), *_date(day, (uploaded + timedelta(days=1)).date())]


class Consent(NamedTuple):
    """What a row itself tells of a person's consent: how and on which day (ISO 8601) they agreed, to which words in
    which language. What is empty is told for everyone in the file."""

    how: str = ""
    joined: str = ""
    wording: str = ""
    wording_language: str = ""


def consent_of(told: Consent, latest: date) -> tuple[Consent, bool]:
    """What counts of what a row tells of consent, and whether that is all of it. Nobody has agreed after `latest`."""
    day = told.joined[:10]
    how = told.how if len(told.how) <= MAX_TOLD and "@" not in told.how else ""
    joined = "" if not day or _date(day, latest) else day
    spoken = told.wording_language if told.wording and _is_tag(told.wording_language) else ""
    good = Consent(how, joined, told.wording[:MAX_WORDING], spoken)
    return good, (how, joined) == (told.how, day)


def _is_tag(said: str) -> bool:
    try:
        return canonical(said) == said
    except UnknownLanguage:
        return False


def consent_line(options: Mapping[str, Any]) -> str:
    """How members came, kept with each of them: "March in Lisbon, 2026-03-08"; empty where nothing was told."""
    return ", ".join(part for name in _TOLD if (part := str(options.get(name, "")).strip()))


def _source(said: str) -> list[Problem]:
    if not said:
        message = N_("Say where these people agreed to get mail: a petition, a march, a form on your website.")
        return [Problem("consent.no_source", message, where="consent_source")]
    if len(said) > MAX_SOURCE:
        message = N_("Where they agreed is said at too great a length (letters: at most %(most)d).")
        return [Problem("consent.long_source", message, {"most": MAX_SOURCE}, where="consent_source")]
    if "@" in said:
        message = N_("Say where these people agreed without anybody's address: it is kept with each of them.")
        return [Problem("consent.address", message, where="consent_source")]
    return []


def _date(said: str, latest: date) -> list[Problem]:
    try:
        day = date.fromisoformat(said)
    except ValueError:
        message = N_("Say when these people agreed to get mail, as a date like %(example)s; of several days, the last.")
        return [Problem("consent.no_date", message, {"example": EXAMPLE}, where="consent_date")]
    if not EARLIEST <= day <= latest:
        message = N_("The day on which they agreed is not between %(first)s and today. Look at the year.")
        return [Problem("consent.wrong_date", message, {"first": EARLIEST.isoformat()}, where="consent_date")]
    return []
