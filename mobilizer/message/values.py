"""Message: values. What the slots of a rendition say, for one member after another."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from mobilizer.message.content import Recipient, Tokens
from mobilizer.message.pieces import Line, Piece, Slot, clean, escape, fill, joined, placed, slots_of
from mobilizer.message.rendition import Rendition
from mobilizer.tracking import Tracking

# A picture of one pixel: how an open is told.
PIXEL = '<img src="%s', '.gif" width="1" height="1" alt="" border="0" style="display:block;width:1px;height:1px">'

# A link that nobody can see or reach by a key, numbered as none of the mail is: who follows it follows everything.
TRAP = '<a href="%s/c/', '/0" style="display:none" tabindex="-1" aria-hidden="true"></a>'

# What is known of every member, in the order of `_known`; other fields are merge tags that come from `values`.
FIELDS = (*Tokens._fields, "share_code", "name", "first_name", "list", "joined_on")
NAME = FIELDS.index("name")


class Voice:
    """Says what the slots of some lines of a rendition are for a member; what is the same for all is worked out once.

    First comes what is known as it is, then what has a fallback or is escaped, then greetings, made of the former.
    `slots` are in the order in which `say` gives their values; each slot of the lines is among them.
    """

    def __init__(self, rendition: Rendition, *lines: Line) -> None:
        named, nameless = _greetings(rendition.greeting), _greetings(rendition.greeting_nameless)
        wanted = [slot for slot in slots_of([*lines, *named.values(), *nameless.values()]) if slot not in named]
        self._language = rendition.language
        self._tags = [field for field in dict.fromkeys(slot.field for slot in wanted) if field not in FIELDS]
        fields = [*FIELDS, *self._tags]
        known = [Slot(field) for field in fields]
        made = [slot for slot in wanted if slot not in known]
        self._made = [(fields.index(slot.field), slot.fallback, slot.form == "html") for slot in made]
        self._named = [placed(line, [*known, *made]) for line in named.values()]
        self._nameless = [placed(line, [*known, *made]) for line in nameless.values()]
        self.slots = [*known, *made, *named]

    def say(self, recipient: Recipient) -> list[str]:
        """The values of `slots`: escaped where their form is HTML, never more than one line."""
        values = self._known(recipient)
        values += [
            escape(values[field] or fallback) if in_html else values[field] or fallback
            for field, fallback, in_html in self._made
        ]
        values += [fill(line, values) for line in (self._named if values[NAME] else self._nameless)]
        return values

    def _known(self, to: Recipient) -> list[str]:
        name = clean(to.name)
        joined_on = long_date(to.joined_on, self._language)
        known = [*to.tokens, to.share_code, name, name.partition(" ")[0], clean(to.list_name), joined_on]
        return known + [clean(str(to.values.get(tag, ""))) for tag in self._tags]


def with_pixel(rendition: Rendition) -> Line:
    """The HTML with the picture that tells of an open."""
    before, after = PIXEL
    way, tail = ("n", f"/{rendition.language}") if rendition.tracking is Tracking.SUMS else ("o", "")
    picture: Line = (before % f"{rendition.base_url}/{way}/", Slot("open"), tail + after)
    return _pictured(rendition, picture if way == "n" else (*_trap(rendition), *picture))


def _trap(rendition: Rendition) -> Line:
    before, after = TRAP
    return before % rendition.base_url, Slot("click"), after


def without_pixel(rendition: Rendition) -> Line:
    """The HTML without it, for where looking must not count."""
    return _pictured(rendition, ())


def _pictured(rendition: Rendition, picture: Line) -> Line:
    pieces: list[Piece] = []
    for piece in rendition.html:
        pieces += picture if isinstance(piece, Slot) and piece.field == "pixel" else (piece,)
    return joined(pieces)


def _greetings(line: Line) -> dict[Slot, Line]:
    """A greeting in both forms; in HTML what it says of a member stands apart, as everywhere."""
    in_html: list[Piece] = []
    for piece in line:
        if isinstance(piece, str):
            in_html.append(escape(piece))
        else:
            in_html += ["<bdi>", Slot(piece.field, piece.fallback, "html"), "</bdi>"]
    return {Slot("greeting"): line, Slot("greeting", form="html"): joined(in_html)}


@lru_cache(maxsize=4096)
def long_date(day: date, language: str) -> str:
    """A day as CLDR writes it out in a language: '3 de mayo de 2026'."""
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    return format_date(day, "long", locale)
