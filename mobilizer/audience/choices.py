"""Audience: how the rows of a file are read, as a person has chosen.  (pure)"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mobilizer.audience.fitting import DayOrder, Definition


@dataclass(frozen=True, slots=True)
class Choices:
    """How to read rows: field -> column, what a blank language means, words taken as a language, extra columns.

    `attributes` maps the name of a member's attribute to a column, `fields` to what it may hold, where that is
    defined; `dates` says which of two numbers is the day. `by_country` takes the language of the country where the
    row says none. `width` is how many columns there are, 0 for any number; nobody has agreed after the day `latest`.
    """

    columns: Mapping[str, int]
    default_language: str
    languages: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, int] = field(default_factory=dict)
    by_country: bool = False
    fields: Mapping[str, Definition] = field(default_factory=dict)
    dates: DayOrder = ""
    width: int = 0
    latest: date = date.max

    @classmethod
    def of(
        cls,
        columns: Mapping[str, int],
        options: Mapping[str, Any],
        default_language: str,
        fields: Mapping[str, Definition],
        latest: date = date.max,
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
            width=options.get("width", 0),
            latest=latest,
        )
