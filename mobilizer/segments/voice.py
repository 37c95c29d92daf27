"""Segments: the voice that says a rule's values, in one language and with the names that lists and blasts have now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from babel import Locale, dates, numbers
from sqlalchemy import select
from sqlalchemy.orm import Session

from mobilizer.audience.fields import definitions
from mobilizer.audience.fitting import Definition
from mobilizer.audience.lists import MemberList
from mobilizer.audience.tagging import tag_names
from mobilizer.blasts.blasts import Blast, Rendition
from mobilizer.languages import isolated, language, measured
from mobilizer.segments.kinds import Kind
from mobilizer.tracking import Tracking


@dataclass(frozen=True, slots=True)
class Names:
    """What the lists, blasts and tags that there are now are called, by number; the fields that are defined, by key.

    `worded` are the blasts whose words are frozen, `uncounted` those in which nobody knows who did what.
    """

    lists: Mapping[int, str] = field(default_factory=dict)
    blasts: Mapping[int, str] = field(default_factory=dict)
    fields: Mapping[str, Definition] = field(default_factory=dict)
    tags: Mapping[int, str] = field(default_factory=dict)
    worded: frozenset[int] = frozenset()
    uncounted: frozenset[int] = frozenset()

    def field(self, key: str, tag: str) -> str:
        """What a field is called in a language."""
        return self.fields.get(key, Definition(key)).name_in(tag)


def names(session: Session) -> Names:
    """The names of every list and tag, the slugs of every blast, and every field."""
    lists = session.execute(select(MemberList.id, MemberList.name))
    blasts = session.execute(select(Blast.id, Blast.slug))
    by_number = {row.id: row.name for row in lists}, {row.id: row.slug for row in blasts}
    worded = frozenset(session.scalars(select(Rendition.blast_id).distinct()))
    in_the_dark = Blast.frozen_tracking.in_((Tracking.OFF, Tracking.SUMS))
    uncounted = frozenset(session.scalars(select(Blast.id).where(in_the_dark)))
    return Names(*by_number, definitions(session), tag_names(session), worded, uncounted)


@dataclass(frozen=True, slots=True)
class Voice:
    """Says values in the language of a locale; `words` translates the names of standings."""

    locale: Locale
    names: Names
    standing: Callable[[str], str] = str
    isolates: bool = False

    def say(self, kind: Kind, value: Any) -> str:
        """A value of a kind, in words."""
        match kind.name:
            case "language":
                said = str(Locale.parse(value.replace("-", "_")).get_display_name(self.locale) or language(value).tag)
            case "country":
                said = str(self.locale.territories.get(value, value))
            case "list":
                said = self.names.lists.get(value, str(value))
            case "blast":
                said = self.names.blasts.get(value, str(value))
            case "name":
                said = self.names.field(value, self.locale.language)
            case "tags":
                said = ", ".join(self.names.tags.get(each, str(each)) for each in value)
            case "standing":
                said = self.standing(value)
            case _:
                said = self._plain(kind, value)
        return isolated(said) if self.isolates else said

    def _plain(self, kind: Kind, value: Any) -> str:
        match value:
            case date():
                return dates.format_date(value, "medium", locale=self.locale)
            case tuple():
                return ", ".join(value)
            case int() if kind.name == "days":
                return measured(value, "duration-day", self.locale)
            case int() if kind.name == "share":
                return numbers.format_percent(value / 100, locale=self.locale)
            case int() | float() if kind.name in ("number", "people"):
                return numbers.format_decimal(value, locale=self.locale)
            case _:
                return str(value)
