"""Message: values. What each slot says for one member."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from mobilizer.message.content import Recipient
from mobilizer.message.pieces import Slot, clean, escape, fill
from mobilizer.message.rendition import Rendition

# A picture of one pixel: how an open is told. Its slot holds the whole element, so that a view in the browser has none.
PIXEL = '<img src="%s/o/%s.gif" width="1" height="1" alt="" border="0" style="display:block;width:1px;height:1px">'


def values_for(rendition: Rendition, recipient: Recipient, *, pixel: bool = True) -> Callable[[Slot], str]:
    """What a slot says for this member: escaped where its form is HTML, never more than one line."""
    tokens = recipient.tokens
    name = clean(recipient.name)
    known = {
        "click": tokens.click,
        "unsubscribe": tokens.unsubscribe,
        "preferences": tokens.preferences,
        "view": tokens.view,
        "share_code": recipient.share_code,
        "name": name,
        "first_name": name.partition(" ")[0],
        "list": clean(recipient.list_name),
    }

    def value_of(slot: Slot) -> str:
        if slot.field in known:
            value = known[slot.field]
        elif slot.field == "pixel":
            return PIXEL % (rendition.base_url, tokens.open) if pixel else ""
        elif slot.field == "greeting":
            return _greeting(slot)
        elif slot.field == "joined_on":
            value = long_date(recipient.joined_on, rendition.language)
        else:
            value = clean(recipient.values.get(slot.field, ""))
        value = value or slot.fallback
        return escape(value) if slot.form == "html" else value

    def _greeting(slot: Slot) -> str:
        line = rendition.greeting if name else rendition.greeting_nameless
        if slot.form == "plain":
            return fill(line, value_of)
        isolated = (
            escape(piece) if isinstance(piece, str) else f"<bdi>{escape(value_of(piece))}</bdi>" for piece in line
        )
        return "".join(isolated)

    return value_of


@lru_cache(maxsize=4096)
def long_date(day: date, language: str) -> str:
    """A day as CLDR writes it out in a language: '3 de mayo de 2026'."""
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_date(day, "long", locale)
