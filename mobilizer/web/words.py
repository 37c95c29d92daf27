"""Web: the words, numbers and dates of a page in the organizer's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from babel import Locale, dates, numbers, units
from babel.lists import format_list
from flask import Flask, g, request, session
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from mobilizer.http import install_words, speak, words
from mobilizer.languages import INTERFACE_LANGUAGES, UnknownLanguage, canonical, language
from mobilizer.problems import Problem

LANGUAGE_KEY = "language"


def _(text: str, **params: object) -> str:
    """A sentence in the page's language, with %(name)s filled in."""
    said: str = words().gettext(text)
    return said % params if params else said


def ngettext(one: str, many: str, n: int, **params: object) -> str:
    """A sentence that counts, in the plural form that `n` needs; %(n)s is the number as people write it."""
    said: str = words().ngettext(one, many, n)
    return said % {"n": number(n), **params}


def choose_language(own: str | None) -> None:
    """Let the page speak: the user's language, else what this browser chose, else what it asks for."""
    wanted = own or session.get(LANGUAGE_KEY) or request.accept_languages.best_match(INTERFACE_LANGUAGES)
    speak("web", wanted if wanted in INTERFACE_LANGUAGES else INTERFACE_LANGUAGES[0])


def number(value: float | None) -> str:
    """1234 as 1,234 or 1.234, by the page's language; nothing for None."""
    return "" if value is None else str(numbers.format_decimal(value, locale=locale()))


def percent(part: float, whole: float | None = None) -> str:
    """A share: `percent(3, 4)` or `percent(0.75)` is 75%; a dash where there is no whole."""
    if whole is not None and not whole:
        return "–"
    share = part / whole if whole is not None else part
    # What is not all never reads "100%", and what is not nothing never reads "0%".
    small = 0 < share < 0.1 or 0.99 <= share < 1
    kept = max(Decimal("0.001"), min(Decimal("0.999"), round(Decimal(share), 3))) if small else round(Decimal(share), 2)
    return str(numbers.format_percent(kept.normalize(), locale=locale(), decimal_quantization=False))


def date(value: datetime | None) -> Markup:
    """A day, as `<time>`; nothing for None."""
    return _time(value, lambda at: dates.format_date(at, "medium", locale=locale()))


def moment(value: datetime | None) -> Markup:
    """A day and a time in UTC, as `<time>`; nothing for None."""

    def said(at: datetime) -> str:
        day = dates.format_date(at, "medium", locale=locale())
        hour = dates.format_time(at, "short", tzinfo=UTC, locale=locale())
        return f"{locale().datetime_formats['medium'].format(hour, day)} UTC"

    return _time(value, said)


def size(octets: int) -> str:
    """How much data: "100 MB", "64 kB"."""
    value, unit = (octets // 1_000_000, "megabyte") if octets >= 1_000_000 else (octets // 1000, "kilobyte")
    return units.format_unit(value, f"digital-{unit}", "short", locale=locale())


def duration(seconds: float | None) -> str:
    """About how long: "3 minutes"; nothing for None."""
    return "" if seconds is None else dates.format_timedelta(int(seconds), threshold=1.5, locale=locale())


def own_name(tag: str) -> Markup:
    """A language by its own name, marked up as being in that language; an unknown tag as it is."""
    try:
        spoken = language(tag)
    except UnknownLanguage:
        return Markup("<bdi>{}</bdi>").format(tag)
    return Markup('<bdi lang="{}" dir="{}">{}</bdi>').format(spoken.tag, spoken.direction, spoken.own_name)


def language_name(tag: str) -> str:
    """A language's name in the page's language; an unknown tag as it is."""
    try:
        name = language(tag).name_in(page_language())
    except UnknownLanguage:
        return tag
    return name[:1].upper() + name[1:]


def country_name(code: str | None) -> str:
    """A country's name in the page's language; an unknown code as it is."""
    return str(locale().territories.get((code or "").upper(), code or ""))


def problem(found: Problem) -> str:
    """A problem's sentence in the page's language."""
    return found.text(words())


def page_language() -> str:
    """The tag that the page speaks."""
    return str(g.get("language", INTERFACE_LANGUAGES[0]))


def together(names: Iterable[str]) -> Markup:
    """Names as one says them in the page's language, each apart from the direction around it: "a, b, and c"."""
    apart = [Markup("<bdi>{}</bdi>").format(name) for name in names]
    return Markup(format_list(apart, locale=locale()))  # noqa: S704 - each part is escaped, the words between are CLDR's


def add_filters(app: Flask, **filters: Callable[..., object]) -> None:
    """Give templates filters that speak the page's language.

    They are declared to want the context, which they don't use: else Jinja works out `"admin"|label("role")` when it
    compiles the template, once for all, in the language of whoever came first.
    """
    for name, say in filters.items():
        app.jinja_env.filters[name] = pass_context(partial(_leave_context, say))


def _leave_context(say: Callable[..., object], _context: Context, *args: object, **named: object) -> object:
    return say(*args, **named)


def install_formats(app: Flask) -> None:
    """Give templates the words and formats of this module."""
    install_words(app.jinja_env)
    add_filters(
        app,
        number=number,
        percent=percent,
        date=date,
        size=size,
        datetime=moment,
        moment=moment,
        duration=duration,
        own_name=own_name,
        language_name=language_name,
        country_name=country_name,
        problem=problem,
        together=together,
    )
    app.jinja_env.globals.update(
        language=language, canonical=canonical, page_language=page_language, INTERFACE_LANGUAGES=INTERFACE_LANGUAGES
    )


def locale() -> Locale:
    return Locale.parse(page_language().replace("-", "_"))


def _time(value: datetime | None, said: Any) -> Markup:
    if value is None:
        return Markup()
    at = value.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), said(at))
