"""Audience: a row of a file, read as a person to add: either a candidate or what is wrong with the row.  (pure)"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal
from zoneinfo import available_timezones

from mobilizer.audience.addresses import BadAddress, normalise, split_display
from mobilizer.audience.columns import names_a_field
from mobilizer.audience.exports import has_left
from mobilizer.audience.fitting import DayOrder, Definition, fitted
from mobilizer.audience.rows import MAX_CELL, MAX_COLUMNS, Row
from mobilizer.audience.spoken import language_of, spoken, territory
from mobilizer.audience.typos import likely_meant
from mobilizer.guarding import unguard
from mobilizer.languages import UnknownLanguage
from mobilizer.problems import N_, Problem

MAX_NAME = 300
MAX_ATTRIBUTE = 1000

# What is said of a person one of whose values did not fit its field.
LEFT_BLANK = "import.left_blank"

Verdict = Literal[
    "new", "updated", "unchanged", "invalid", "duplicate", "suppressed", "unsubscribed", "unknown_language", "left"
]


@dataclass(frozen=True, slots=True)
class Choices:
    """How to read rows: field -> column, what a blank language means, words taken as a language, extra columns.

    `attributes` maps the name of a member's attribute to a column, `fields` to what it may hold, where that is
    defined; `dates` says which of two numbers is the day. `by_country` takes the language of the country where the
    row says none. `width` is how many columns there are, 0 for any number.
    """

    columns: Mapping[str, int]
    default_language: str
    languages: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, int] = field(default_factory=dict)
    by_country: bool = False
    fields: Mapping[str, Definition] = field(default_factory=dict)
    dates: DayOrder = ""
    width: int = 0

    @classmethod
    def of(
        cls,
        columns: Mapping[str, int],
        options: Mapping[str, Any],
        default_language: str,
        fields: Mapping[str, Definition],
    ) -> Choices:
        """The choices that an import row keeps."""
        return cls(
            columns,
            options.get("default_language") or default_language,
            {word.strip().casefold(): tag for word, tag in options.get("languages", {}).items()},
            options.get("attributes", {}),
            bool(options.get("by_country")),
            fields,
            options.get("dates", ""),
            width=len(options.get("header", ())),
        )


@dataclass(frozen=True, slots=True)
class Candidate:
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


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that does not go in, and all that is wrong with it."""

    line: int
    verdict: Verdict
    problems: tuple[Problem, ...]


def read_row(row: Row, choices: Choices) -> Candidate | Refusal:
    """What a row says. Nothing in it can raise: whatever it holds becomes a candidate or a refusal."""
    problem = _fault(row, choices)
    if problem:
        return Refusal(row.line, "invalid", (problem,))
    cells = {name: _cell(row.cells, position) for name, position in choices.columns.items()}
    left = has_left(cells.get("status", ""))
    if left:
        return Refusal(row.line, "left" if left.severity == "warning" else "invalid", (left,))
    problems, remarks = list[Problem](), list[Problem]()
    email = _email(cells.get("email", ""), problems, remarks)
    said = _language(cells.get("language", ""), choices, problems)
    unknown = bool(problems) and problems[-1].code == "import.unknown_language"
    name = _name(cells, problems, remarks)
    country = _country(cells.get("country", ""), remarks)
    language = said or (choices.by_country and language_of(country)) or choices.default_language
    candidate = Candidate(
        line=row.line,
        email=email,
        name=name,
        language=language,
        second_language=_second(cells.get("second_language", ""), language, choices, remarks),
        country=country,
        time_zone=_time_zone(cells.get("time_zone", ""), remarks),
        attributes=_attributes(row.cells, choices, problems, remarks),
        remarks=tuple(remarks),
        says_language=said is not None,
    )
    if problems:
        verdict: Verdict = "unknown_language" if unknown and len(problems) == 1 else "invalid"
        return Refusal(row.line, verdict, tuple(problems))
    return candidate


def clean(text: str) -> str:
    """Words on one line: no control characters, line breaks and tabs as one blank, no blanks round it."""
    spaced = re.sub(r"[\r\n\t\v\f\x1c-\x1f\x85\u2028\u2029]+", " ", text)
    return "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cs")).strip("\ufeff\u200b \u00a0")


def _cell(cells: Sequence[str], position: int) -> str:
    return unguard(cells[position]) if position < len(cells) else ""


def _fault(row: Row, choices: Choices) -> Problem | None:
    """What keeps a row from being read at all."""
    if row.fault == "no_end":
        message = N_("This row has a quotation mark that is never closed. Close it, or take it out.")
        return Problem("import.no_end", message)
    if row.fault == "nul":
        message = N_("This row has characters that no text has (NUL). Save the file again as “CSV UTF-8”.")
        return Problem("import.nul", message)
    if row.fault == "too_long":
        message = N_(
            "A cell of this row is far too long (letters: more than %(most)d). Look for cells that ran into one."
        )
        return Problem("import.cell_too_long", message, {"most": MAX_CELL})
    if row.fault == "too_wide":
        message = N_("This row has far too many cells (more than %(most)d). Look for rows that ran into one.")
        return Problem("import.row_too_wide", message, {"most": MAX_COLUMNS})
    if choices.width and any(cell.strip() for cell in row.cells[choices.width :]):
        message = N_(
            "This row has more cells than there are columns (%(cells)d, not %(columns)d). Put quotation marks round a "
            "cell that has a delimiter in it."
        )
        return Problem("import.too_many_cells", message, {"cells": len(row.cells), "columns": choices.width})
    position = choices.columns["email"]
    if position >= len(row.cells):
        message = N_("This row ends before the column of addresses. Look for a missing cell.")
        return Problem("import.too_few_cells", message, where="email")
    used = (*choices.columns.items(), *choices.attributes.items())
    for name, at in used:
        if at < len(row.cells) and "\ufffd" in row.cells[at]:
            message = N_("Some letters cannot be read. Choose another encoding, or save the file again as UTF-8.")
            return Problem("import.unreadable_letters", message, where=name)
    return None


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


def _name(cells: Mapping[str, str], problems: list[Problem], remarks: list[Problem]) -> str:
    parts = [cells.get(part, "") for part in ("name", "first_name", "last_name")]
    raw = " ".join(part.strip() for part in parts if part.strip()) or split_display(cells.get("email", ""))[0]
    name = clean(raw)
    if len(name) > MAX_NAME:
        message = N_("The name is too long (letters: %(length)d, at most: %(most)d). Look for cells that ran into one.")
        params = {"length": len(name), "most": MAX_NAME}
        problems.append(Problem("import.name_too_long", message, params, where="name"))
    elif re.search(r"[\r\n]", raw.strip()):
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
    return {zone.casefold(): zone for zone in available_timezones()}


def _attributes(
    cells: Sequence[str], choices: Choices, problems: list[Problem], remarks: list[Problem]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, at in choices.attributes.items():
        value = clean(_cell(cells, at))
        if len(value) > MAX_ATTRIBUTE:
            message = N_("The cell is too long (letters: %(length)d, at most: %(most)d). Make it shorter.")
            params = {"length": len(value), "most": MAX_ATTRIBUTE}
            problems.append(Problem("import.attribute_too_long", message, params, where=name))
        elif value and (kept := _typed(value, name, choices, remarks)):
            found[name] = kept
    return found


def _typed(value: str, name: str, choices: Choices, remarks: list[Problem]) -> str:
    """A value as its field wants it; empty where it does not fit: the person is worth more than one of their fields."""
    wanted = choices.fields.get(name)
    fit = fitted(value, wanted, choices.dates) if wanted else value
    if isinstance(fit, str):
        return fit
    remarks.append(replace(fit, severity="warning", where=name))
    message = N_("The field “%(field)s” was left blank.")
    remarks.append(Problem(LEFT_BLANK, message, {"field": name}, "warning", name))
    return ""
