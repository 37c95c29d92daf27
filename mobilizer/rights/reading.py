"""Rights: reading. How a member's record is said on a page: in which of our languages, days and moments as there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from babel.dates import format_date, format_datetime

from mobilizer.languages import language


def ways_to_say(tag: str) -> dict[str, Any]:
    """What the page of a record says a day, a moment (in UTC) and a language with, in the language of `tag`."""
    locale = tag.replace("-", "_")

    def day(at: datetime) -> str:
        return str(format_date(at, "long", locale=locale))

    def moment(at: datetime) -> str:
        return f"{format_datetime(at, 'medium', locale=locale)} UTC"

    return {"day": day, "moment": moment, "own_name": lambda at: language(at).own_name}
