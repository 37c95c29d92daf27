"""Audience: what people write in a "language" column ("Español", "spa", "es_MX", "Spanish"), understood as a tag."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from babel import Locale
from babel.core import get_global
from babel.languages import get_territory_language_info
from babel.localedata import locale_identifiers

from mobilizer.languages import MEMBER_LANGUAGES, MEMORY, UnknownLanguage, canonical

# Languages whose names for other languages are understood; every language's name for itself is understood too.
NAMED_IN = MEMBER_LANGUAGES

# No language or country has a longer name.
LONGEST = 100

# Usual words that CLDR does not list as a name.
_ALSO = {
    "castellano": "es",
    "castilian": "es",
    "brazilian": "pt-BR",
    "brasileiro": "pt-BR",
    "mandarin": "zh",
    "farsi": "fa",
    "tagalog": "fil",
    "bahasa": "id",
    "flemish": "nl-BE",
    "simplified chinese": "zh-Hans",
    "traditional chinese": "zh-Hant",
}
_CODE = re.compile(r"[a-z]{2,3}(?:[-_][a-z0-9]{2,8})*(?:\.[a-z0-9-]+)?", re.IGNORECASE)
_WITH_PLACE = re.compile(r"(?P<language>[^()]+?)\s*\((?P<place>[^()]+)\)")


@lru_cache(MEMORY)
def spoken(words: str) -> str:
    """The BCP 47 tag of a language, from its code in any spelling or its name in a usual language.

    Raises languages.UnknownLanguage.
    """
    said = words.strip()
    tag = _understood(said) if len(said) <= LONGEST else None
    if tag:
        return tag
    raise UnknownLanguage(f"“{said[:40]}” is not a language that we know; try a code like “es” or “pt-BR”.")


@lru_cache(MEMORY)
def territory(words: str) -> str | None:
    """The ISO 3166 code of a country, from its code or its name in a usual language; None if unknown."""
    said = words.strip()
    if len(said) > LONGEST:
        return None
    if re.fullmatch(r"[A-Za-z]{2}", said) and said.upper() in Locale("en").territories:
        return said.upper()
    alias = get_global("territory_aliases").get(said.upper()) if said.isascii() else None
    return alias[0] if alias and len(alias) == 1 else _territories().get(_key(said))


@lru_cache(MEMORY)
def language_of(country: str | None) -> str | None:
    """The tag of the official language that most people of a country speak, by CLDR; None for no or an unknown one."""
    there = get_territory_language_info(country) if country else {}
    official = [
        (facts["population_percent"], code)
        for code, facts in there.items()
        if facts["official_status"] in ("official", "de_facto_official")
    ]
    return next((tag for _, code in sorted(official, reverse=True) if (tag := _by_code(code))), None)


def _understood(said: str) -> str | None:
    return (_by_code(said) if _CODE.fullmatch(said) else None) or _with_place(said) or _named(said)


def _by_code(said: str) -> str | None:
    head, _, rest = said.split(".")[0].replace("_", "-").partition("-")
    # CLDR's aliases lead from ISO 639-2 and -3 codes and from old ones ('spa', 'iw') to the tag in use.
    head = get_global("language_aliases").get(head.lower(), head.lower()).replace("_", "-")
    try:
        return canonical(f"{head}-{rest}" if rest else head)
    except UnknownLanguage:
        return None


def _with_place(said: str) -> str | None:
    match = _WITH_PLACE.fullmatch(said)
    named = _named(match["language"]) if match else None
    place = (_scripts().get(_key(match["place"])) or territory(match["place"])) if match else None
    return _by_code(f"{named}-{place}") if named and place else named


def _named(words: str) -> str | None:
    """The tag of a language's name: first as the usual languages say it, then as it calls itself."""
    key = _key(words)
    codes = _usual_names().get(key) or _own_names().get(key) or []
    return next((tag for code in codes if (tag := _by_code(code))), None)


@cache
def _usual_names() -> dict[str, list[str]]:
    named = [(name, code) for tag in NAMED_IN for code, name in Locale.parse(tag, sep="-").languages.items()]
    return _keyed([*_ALSO.items(), *named])


@cache
def _own_names() -> dict[str, list[str]]:
    # Reads the data of every locale, which takes seconds: asked only for what nothing else knows.
    codes = [code for code in locale_identifiers() if len(code) <= 3]
    return _keyed((own, code) for code in codes if (own := Locale.parse(code).languages.get(code)))


def _keyed(named: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, code in named:
        names.setdefault(_key(name), []).append(code)
    return names


@cache
def _scripts() -> dict[str, str]:
    """Names of scripts as they stand behind a language's: "Simplified" is Hans, ISO 15924."""
    names: dict[str, str] = {}
    for tag in NAMED_IN:
        for code, name in Locale.parse(tag, sep="-").scripts.items():
            names.setdefault(_key(name), code)
    return names


@cache
def _territories() -> dict[str, str]:
    names: dict[str, str] = {}
    for tag in NAMED_IN:
        for code, name in Locale.parse(tag, sep="-").territories.items():
            if len(code) == 2 and code.isalpha():
                names.setdefault(_key(name), code)
    return names


def _key(name: str) -> str:
    """A name without capitals, accents, dots and double blanks: "ESPAÑOL " and "espanol" are one word."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w]+", " ", plain).split())
