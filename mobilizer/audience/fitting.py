"""Audience: what people write as a number, a date or a choice, made to fit the field it is meant for.  (pure)

What can be read in two ways is not guessed at: a sum read a thousand times too large is worse than one that is blank.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from mobilizer.audience.columns import plain_name
from mobilizer.problems import N_, Problem

MOST_LETTERS = 200
NUMERIC = r"^-?[0-9]{1,15}(\.[0-9]{1,15})?$"
DATED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
SHOWN = 60  # letters of what does not fit

DayOrder = Literal["", "dmy", "mdy"]

_BLANKS = re.compile(r"[\s\u00a0\u202f\u066c'’]")
# Other signs for minus, the decimal mark and the comma of Arabic digits.
_SIGNS = str.maketrans({"\u2212": "-", "\u066b": ".", "\u060c": ","})
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DECIMAL = re.compile(r"(-?[0-9]{1,15})[.,]([0-9]{1,15})")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*(?:(?!\1)[.,]([0-9]{1,15}))?")
_YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ][0-9:.]+(?:Z|[+-][0-9:]+)?)?")
_ADDRESS = re.compile(r"[\w.+-][@\uff20][\w-]+\.\w")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})(?: [0-9:]+)?")


class FieldKind(StrEnum):
    """What a field may hold."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Definition:
    """A field of members. `labels` has its name by language tag. A retired one is offered nowhere; its values stay."""

    key: str
    kind: str = FieldKind.TEXT.value
    choices: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    retired: bool = False

    def name_in(self, tag: str) -> str:
        """What the field is called in a language: its key, where that has no label."""
        return self.labels.get(tag) or self.key


def fitted(text: str, wanted: Definition, order: DayOrder = "") -> str | Problem:
    """A value as it is kept: 1234.5 for a number, 2026-01-31 for a date, a choice as it is spelled; or what is wrong.

    `order` says which of two numbers before a year is the day. `text` has no blanks round it and is not empty.
    """
    match wanted.kind:
        case "number":
            return _number(text)
        case "date":
            return _date(text, order)
        case "choice":
            return _choice(text, wanted.choices)
        case _:
            return _text(text)


def _text(text: str) -> str | Problem:
    if not _ADDRESS.search(text):
        return text
    message = N_("Here is an e-mail address. Fields are kept in the clear, addresses never are.")
    return Problem("field.address", message)


def _number(text: str) -> str | Problem:
    plain = _BLANKS.sub("", _western(text))
    if _WHOLE.fullmatch(plain):
        return str(int(plain))
    grouped = _GROUPED.fullmatch(plain)
    decimal = _DECIMAL.fullmatch(plain)
    if grouped and decimal and not plain.lstrip("-").startswith("0"):
        message = N_("“%(value)s” can be read as two different numbers. Write one like 1250 or 12.50.")
        return Problem("field.two_numbers", message, {"value": text[:SHOWN]})
    if decimal:
        return _spelled(decimal[1], decimal[2])
    if grouped:
        fraction = grouped[2] or ""
        whole = plain[: len(plain) - len(fraction) - 1] if fraction else plain
        return _spelled(re.sub("[.,]", "", whole), fraction)
    message = N_("“%(value)s” is not a number. Write one like 1250 or 12.50.")
    return Problem("field.no_number", message, {"value": text[:SHOWN]})


def _spelled(whole: str, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    sign = "-" if whole.startswith("-") and (fraction or int(whole)) else ""
    return f"{sign}{abs(int(whole))}" + (f".{fraction}" if fraction else "")


def _date(text: str, order: DayOrder) -> str | Problem:
    plain = _western(text)
    found: set[str] = set()
    if match := _YEAR_FIRST.fullmatch(plain):
        found = _days((match[1], match[2], match[3]))
    elif match := _YEAR_LAST.fullmatch(plain):
        day_first, month_first = (match[4], match[3], match[1]), (match[4], match[1], match[3])
        # With points between, the day comes first everywhere.
        told = "dmy" if match[2] == "." else order
        found = _days(*{"dmy": (day_first,), "mdy": (month_first,)}.get(told, (day_first, month_first)))
    if len(found) == 1:
        return found.pop()
    if found:
        message = N_(
            "“%(value)s” can be read as two different days. Say which comes first, or write it like 2026-01-31."
        )
        return Problem("field.two_dates", message, {"value": text[:SHOWN]})
    message = N_("“%(value)s” is not a date. Write one like 2026-01-31.")
    return Problem("field.no_date", message, {"value": text[:SHOWN]})


def _days(*readings: tuple[str, str, str]) -> set[str]:
    """The days that there are among (year, month, day)."""
    found = set()
    for reading in readings:
        try:
            found.add(date(*map(int, reading)).isoformat())
        except ValueError:
            continue
    return found


def _choice(text: str, choices: tuple[str, ...]) -> str | Problem:
    found = text if text in choices else _by_plain_name(choices).get(plain_name(text))
    if found:
        return found
    message = N_("“%(value)s” is none of the choices: %(choices)s.")
    shown = ", ".join(choices)
    said = shown if len(shown) <= MOST_LETTERS else f"{shown[: MOST_LETTERS - 1]}…"
    return Problem("field.no_choice", message, {"value": text[:SHOWN], "choices": said})


@lru_cache(256)
def _by_plain_name(choices: tuple[str, ...]) -> Mapping[str, str]:
    return {name: choice for choice in choices if (name := plain_name(choice))}


def _western(text: str) -> str:
    """Digits of any script as 0 to 9, and one sign for each meaning."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text).translate(_SIGNS)
