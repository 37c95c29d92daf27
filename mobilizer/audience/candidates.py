"""Audience: a row of a file, read as a person to add: either a candidate or what is wrong with the row.  (pure)"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from operator import itemgetter
from typing import Literal, NamedTuple

from mobilizer.audience.addresses import BadAddress, normalise, split_display
from mobilizer.audience.choices import Choices
from mobilizer.audience.columns import names_a_field
from mobilizer.audience.consent import Consent, consent_of
from mobilizer.audience.exports import has_left, said_so
from mobilizer.audience.fitting import Definition, fitted
from mobilizer.audience.rows import MAX_CELL, MAX_COLUMNS, Row
from mobilizer.audience.spoken import language_of, spoken, territory
from mobilizer.audience.tags import MAX_NAME as MAX_TAG
from mobilizer.audience.tags import MOST_AT_ONCE, name_problem, split_names
from mobilizer.audience.time_zones import time_zones
from mobilizer.audience.typos import likely_meant
from mobilizer.guarding import unguard
from mobilizer.languages import MEMORY, UnknownLanguage
from mobilizer.problems import N_, Problem

MAX_NAME = 300
MAX_ATTRIBUTE = 1000
MAX_KNOWN = 500  # letters of cells that are worth remembering

NAMES = ("name", "first_name", "last_name")
_FAULTS = {
    "no_end": Problem(
        "import.no_end", N_("This row has a quotation mark that is never closed. Close it, or take it out.")
    ),
    "nul": Problem(
        "import.nul", N_("This row has characters that no text has (NUL). Save the file again as “CSV UTF-8”.")
    ),
    "too_long": Problem(
        "import.cell_too_long",
        N_("A cell of this row is far too long (letters: more than %(most)d). Look for cells that ran into one."),
        {"most": MAX_CELL},
    ),
    "too_wide": Problem(
        "import.row_too_wide",
        N_("This row has far too many cells (more than %(most)d). Look for rows that ran into one."),
        {"most": MAX_COLUMNS},
    ),
}

# What is said of a person one of whose values did not fit its field.
LEFT_BLANK = "import.left_blank"

Verdict = Literal[
    "new",
    "updated",
    "unchanged",
    "invalid",
    "duplicate",
    "suppressed",
    "unsubscribed",
    "unknown_language",
    "left",
    "leaves",
]


class Candidate(NamedTuple):
    """A person that a row speaks of; `email` is normalised. `remarks` are what was mended or left out on the way.

    `says_language`: the row itself says the language, it is not what was taken for want of a better.
    """

    line: int
    email: str
    name: str
    language: str
    second_language: str | None
    country: str | None
    time_zone: str | None
    attributes: dict[str, str]
    remarks: tuple[Problem, ...] = ()
    says_language: bool = False
    tags: tuple[str, ...] = ()
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that does not go in, and all that is wrong with it. `leaver` is the normalised address of a person of whom
    it says that they have left."""

    line: int
    verdict: Verdict
    problems: tuple[Problem, ...]
    leaver: str = ""


class Told(NamedTuple):
    """What the cells say that hold one of few words: all but the address, the name and a person's own columns."""

    left: Problem | None
    said_so: bool
    language: str
    says_language: bool
    second_language: str | None
    country: str | None
    time_zone: str | None
    tags: tuple[str, ...]
    consent: Consent | None
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]
    plain: bool


class Reader:
    """Reads rows by a person's choices. Nothing in a row can raise: whatever it holds becomes a candidate or a refusal.

    Languages, countries and time zones come again and again: what a row says of them is looked up by their cells.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        columns = choices.columns
        self._email = columns["email"]
        self.few = [name for name in columns if name != "email" and name not in NAMES]
        self._few_of = _picked([columns[name] for name in self.few])
        self._names_of = _picked([columns[part] for part in NAMES if part in columns])
        self._own_of = _picked(list(choices.attributes.values()))
        self._used = (*columns.items(), *choices.attributes.items())
        self._least = 1 + max(at for _, at in self._used)
        self._most = choices.width or sys.maxsize
        self.told = lru_cache(MEMORY)(self._tell)

    def read(self, row: Row) -> Candidate | Refusal:
        """What a row says."""
        line, cells, fault = row
        whole = "".join(cells)
        if fault or "\ufffd" in whole or not self._least <= len(cells) <= self._most:
            problem = self._fault(row)
            if problem:
                return Refusal(line, "invalid", (problem,))
            cells = [*cells, *[""] * self._least]
        few = self._few_of(cells)
        told = self.told(few) if len(whole) <= MAX_KNOWN else self._tell(few)
        if told.left:
            leaver = _address(cells[self._email]) if told.said_so else ""
            return Refusal(line, "left" if told.left.severity == "warning" else "invalid", (told.left,), leaver)
        problems, remarks = list[Problem](), list[Problem]()
        cell = unguard(cells[self._email])
        email = _email(cell, problems, remarks)
        problems += told.problems
        name = _name(self._names_of(cells), cell, problems, remarks)
        remarks += told.remarks
        attributes = _attributes(self._own_of(cells), self._choices, problems, remarks)
        if problems:
            verdict: Verdict = "unknown_language" if told.problems and len(problems) == 1 else "invalid"
            return Refusal(line, verdict, tuple(problems))
        return Candidate(
            line,
            email,
            name,
            told.language,
            told.second_language,
            told.country,
            told.time_zone,
            attributes,
            tuple(remarks),
            told.says_language,
            told.tags,
            told.consent,
        )

    def own(self, cells: tuple[str, ...]) -> dict[str, str] | None:
        """What the cells of a person's own columns say; None where something has to be said of them."""
        problems, remarks = list[Problem](), list[Problem]()
        found = _attributes(cells, self._choices, problems, remarks)
        return None if problems or remarks else found

    def leaver(self, row: Row) -> str:
        """The address of a person of whom a row says that they have left; empty of everybody else."""
        at = self._choices.columns["status"]
        if at >= len(row.cells) or not said_so(unguard(row.cells[at])):
            return ""
        says = self.read(row)
        return says.leaver if isinstance(says, Refusal) else ""

    def _fault(self, row: Row) -> Problem | None:
        """What keeps a row from being read at all."""
        if row.fault:
            return _FAULTS[row.fault]
        if any(cell.strip() for cell in row.cells[self._most :]):
            message = N_(
                "This row has more cells than there are columns (%(cells)d, not %(columns)d). Put quotation marks "
                "round a cell that has a delimiter in it."
            )
            numbers = {"cells": len(row.cells), "columns": self._most}
            return Problem("import.too_many_cells", message, numbers)
        if self._email >= len(row.cells):
            message = N_("This row ends before the column of addresses. Look for a missing cell.")
            return Problem("import.too_few_cells", message, where="email")
        for name, at in self._used:
            if at < len(row.cells) and "\ufffd" in row.cells[at]:
                message = N_("Some letters cannot be read. Choose another encoding, or save the file again as UTF-8.")
                return Problem("import.unreadable_letters", message, where=name)
        return None

    def _tell(self, few: tuple[str, ...]) -> Told:
        choices = self._choices
        cells = {name: unguard(cell) for name, cell in zip(self.few, few, strict=True)}
        problems, remarks = list[Problem](), list[Problem]()
        said = _language(cells.get("language", ""), choices, problems)
        left, country = has_left(cells.get("status", "")), _country(cells.get("country", ""), remarks)
        language = said or (choices.by_country and language_of(country)) or choices.default_language
        told = Told(
            left=left,
            said_so=said_so(cells.get("status", "")),
            language=language,
            says_language=said is not None,
            country=country,
            second_language=_second(cells.get("second_language", ""), language, choices, remarks),
            time_zone=_time_zone(cells.get("time_zone", ""), remarks),
            tags=_tags(cells.get("tags", ""), remarks),
            consent=self._consent(cells, remarks),
            problems=tuple(problems),
            remarks=(),
            plain=False,
        )
        return told._replace(remarks=tuple(remarks), plain=not (left or problems or remarks))

    def _consent(self, cells: Mapping[str, str], remarks: list[Problem]) -> Consent | None:
        """What a row itself tells of consent; what can't be so is left to what is told of everyone, and said."""
        said = (clean(cells.get(name, "")) for name in ("consent", "joined", "wording", "wording_language"))
        told, whole = consent_of(Consent(*said), self._choices.latest)
        if not whole:
            message = N_(
                "What this row says of how and when they agreed was left out; what is told of everyone in the file "
                "holds."
            )
            remarks.append(Problem("import.consent_left_out", message, severity="warning", where="consent"))
        return told if any(told) else None


def _picked(positions: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """What takes the cells at some positions."""
    if len(positions) > 1:
        return itemgetter(*positions)
    return lambda cells: tuple([cells[at] for at in positions])


def read_row(row: Row, choices: Choices) -> Candidate | Refusal:
    """What one row says; for many of them see Reader."""
    return Reader(choices).read(row)


def clean(text: str) -> str:
    """Words on one line: no control characters, line breaks and tabs as one blank, no blanks round it."""
    if text.isprintable():
        return text.strip(" ")
    spaced = re.sub(r"[\r\n\t\v\f\x1c-\x1f\x85\u2028\u2029]+", " ", text)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs")).strip("\ufeff\u200b \u00a0")


def _address(cell: str) -> str:
    """The normal form of a cell's address, empty where it has none."""
    try:
        return normalise(unguard(cell))
    except BadAddress:
        return ""


def _email(cell: str, problems: list[Problem], remarks: list[Problem]) -> str:
    try:
        email = normalise(cell)
    except BadAddress as error:
        problems.append(_HEADER_AGAIN if names_a_field(cell) == "email" else error.problem)
        return ""
    domain = email.rpartition("@")[2]
    meant = likely_meant(domain)
    if meant:
        message = N_("“%(domain)s” looks like a typing error: did they mean “%(meant)s”? It was taken as it is.")
        remarks.append(Problem("import.typo", message, {"domain": domain, "meant": meant}, "warning", "email"))
    return email


_HEADER_AGAIN = Problem(
    "import.header_again",
    N_("This row has the names of the columns once more. Take it out: nobody is in it."),
    where="email",
)


def _language(cell: str, choices: Choices, problems: list[Problem]) -> str | None:
    words = clean(cell)
    chosen = choices.languages.get(words.casefold())
    if chosen or not words:
        return chosen
    try:
        return spoken(words)
    except UnknownLanguage:
        message = N_("“%(language)s” is not a language that we know. Write a code like “es”, or a name like “Spanish”.")
        params = {"language": words[:60]}
        problems.append(Problem("import.unknown_language", message, params, where="language"))
        return None


def _second(cell: str, first: str, choices: Choices, remarks: list[Problem]) -> str | None:
    problems: list[Problem] = []
    found = _language(cell, choices, problems)
    for problem in problems:
        message = N_("“%(language)s” is not a language that we know; the second language was left out.")
        remarks.append(Problem("import.unknown_second", message, problem.params, "warning", "second_language"))
    return found if found != first else None


def _name(parts: Sequence[str], email: str, problems: list[Problem], remarks: list[Problem]) -> str:
    raw = " ".join([said for part in parts if (said := unguard(part).strip())]) or split_display(email)[0]
    name = clean(raw)
    if len(name) > MAX_NAME:
        message = N_("The name is too long (letters: %(length)d, at most: %(most)d). Look for cells that ran into one.")
        params = {"length": len(name), "most": MAX_NAME}
        problems.append(Problem("import.name_too_long", message, params, where="name"))
    elif not raw.isprintable() and re.search(r"[\r\n]", raw.strip()):
        message = N_("The name had a line break in it, which was taken out.")
        remarks.append(Problem("import.name_mended", message, severity="warning", where="name"))
    return name


def _country(cell: str, remarks: list[Problem]) -> str | None:
    words = clean(cell)
    code = territory(words) if words else None
    if words and not code:
        message = N_("“%(country)s” is not a country that we know; it was left out. Write a code like “MX”.")
        remarks.append(Problem("import.unknown_country", message, {"country": words[:60]}, "warning", "country"))
    return code


def _tags(cell: str, remarks: list[Problem]) -> tuple[str, ...]:
    """The tags that a cell names; what can't be one is left out, and said."""
    names = split_names(clean(cell))
    good = [name for name in names if name_problem(name) is None][:MOST_AT_ONCE]
    if len(good) < len(names):
        message = N_(
            "Some tags were left out: one has %(letters)d letters at most and no @, and a person gets %(most)d at once."
        )
        params = {"letters": MAX_TAG, "most": MOST_AT_ONCE}
        remarks.append(Problem("import.tags_left_out", message, params, "warning", "tags"))
    return tuple(good)


def _time_zone(cell: str, remarks: list[Problem]) -> str | None:
    words = clean(cell).replace(" ", "_")
    zone = _zones().get(words.casefold()) if words else None
    if words and not zone:
        message = N_(
            "“%(zone)s” is not a time zone that we know; it was left out. Write one like “America/Mexico_City”."
        )
        remarks.append(Problem("import.unknown_zone", message, {"zone": words[:60]}, "warning", "time_zone"))
    return zone


@cache
def _zones() -> dict[str, str]:
    return {zone.casefold(): zone for zone in time_zones()}


def _attributes(
    cells: Sequence[str], choices: Choices, problems: list[Problem], remarks: list[Problem]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, cell in zip(choices.attributes, cells, strict=True):
        value = clean(unguard(cell))
        if len(value) > MAX_ATTRIBUTE:
            message = N_("The cell is too long (letters: %(length)d, at most: %(most)d). Make it shorter.")
            params = {"length": len(value), "most": MAX_ATTRIBUTE}
            problems.append(Problem("import.attribute_too_long", message, params, where=name))
        elif value and (kept := _typed(value, name, choices, remarks)):
            found[name] = kept
    return found


def _typed(value: str, name: str, choices: Choices, remarks: list[Problem]) -> str:
    """A value as its field wants it; empty where it does not fit: the person is worth more than one of their fields."""
    fit = fitted(value, choices.fields.get(name) or Definition(name), choices.dates)
    if isinstance(fit, str):
        return fit
    remarks.append(replace(fit, severity="warning", where=name))
    message = N_("The field “%(field)s” was left blank.")
    remarks.append(Problem(LEFT_BLANK, message, {"field": name}, "warning", name))
    return ""
