"""Segments: the kinds of value that a rule is told, how each is read from JSON, and what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

from babel import Locale

from mobilizer.audience.lists import Standing
from mobilizer.audience.time_zones import time_zones
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.tiers import Tier
from mobilizer.languages import UnknownLanguage, canonical
from mobilizer.problems import N_, Problem

LONGEST_TEXT = 200
MOST_CHOICES = 50
LARGEST = 10**15  # below it both databases and JSON keep numbers exactly
LONGEST_DAYS = 3650
HIGHEST_DRAW = 10**9


class Act(StrEnum):
    """What a person may have done with a mail, as engagement.events calls it."""

    OPEN = EventKind.OPEN.value
    CLICK = EventKind.CLICK.value
    WATCH = EventKind.WATCH.value
    SHARE = EventKind.SHARE.value


class Unfit(ValueError):
    """A value that is not of its kind; `problem` says what to give instead."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message)
        self.problem = Problem("segment.bad_value", message, params)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: its name, its word on a page, and how it is read from JSON (raises Unfit)."""

    name: str
    label: str
    read: Callable[[object], Any]


def told(kind: Kind) -> Any:
    """A field of a rule that holds a value of a kind."""
    return field(metadata={"kind": kind})


def written(value: object) -> object:
    """A value as JSON has it: what its kind reads again."""
    match value:
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case _:
            return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or "\0" in value:
        raise Unfit(N_("Write a text here, of %(most)d letters at most."), most=LONGEST_TEXT)
    return value.strip()


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CHOICES:
        raise Unfit(N_("Write what it may be, %(most)d choices at most."), most=MOST_CHOICES)
    return tuple(dict.fromkeys(map(_text, value)))


def _rows(value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_CHOICES:
        raise Unfit(N_("Choose at least one, %(most)d at most."), most=MOST_CHOICES)
    return tuple(dict.fromkeys(map(ROW, value)))


def _whole(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Unfit(N_("Give a whole number from %(least)d to %(most)d."), least=least, most=most)
        return value

    return read


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Unfit(N_("Give a number."))
    if not -LARGEST < value < LARGEST:  # nor is what is not a number
        raise Unfit(N_("This number is too large."))
    return value


def _date(value: object) -> date:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Unfit(N_("Give a date like 2026-01-31."))


def _language(value: object) -> str:
    try:
        return canonical(_text(value))
    except UnknownLanguage:
        raise Unfit(N_("Choose a language, like “es” or “pt-BR”.")) from None


def _one_of(choices: Callable[[], Sequence[str] | frozenset[str]], message: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices():
            raise Unfit(message)
        return value

    return read


@cache
def _countries() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").territories) if re.fullmatch(r"[A-Z]{2}", code))


ROW = _whole(1, 2**32 - 1)
LANGUAGE = Kind("language", N_("Language"), _language)
COUNTRY = Kind("country", N_("Country"), _one_of(_countries, N_("Choose a country.")))
ZONE = Kind("zone", N_("Time zone"), _one_of(time_zones, N_("Choose a time zone.")))
LIST = Kind("list", N_("List"), ROW)
TAGS = Kind("tags", N_("Tags"), _rows)
BLAST = Kind("blast", N_("Blast"), ROW)
MEMBER = Kind("member", N_("Number of the member"), ROW)
STANDING = Kind("standing", N_("Standing"), _one_of(lambda: tuple(Standing), N_("Choose a standing.")))
ACT = Kind("act", N_("What they did"), _one_of(lambda: tuple(Act), N_("Choose what they did.")))
DATE = Kind("date", N_("Date"), _date)
DAYS = Kind("days", N_("Days"), _whole(1, LONGEST_DAYS))
SHARE = Kind("share", N_("Share in percent"), _whole(1, 99))
PEOPLE = Kind("people", N_("How many people"), _whole(1, 10**7))
DRAW = Kind("draw", N_("Number of the draw"), _whole(1, HIGHEST_DRAW))
TIER = Kind("tier", N_("Tier"), _one_of(lambda: tuple(Tier), N_("Choose a tier.")))
NAME = Kind("name", N_("Name of the field"), _text)
TEXT = Kind("text", N_("Text"), _text)
TEXTS = Kind("texts", N_("Choices, one a line"), _texts)
NUMBER = Kind("number", N_("Number"), _number)
