"""Ground: languages, as CLDR knows them. Tags (BCP 47), own names, direction, script, fallback."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from babel import Locale, UnknownLocaleError
from babel.core import get_global, parse_locale
from babel.localedata import exists
from babel.units import format_unit

# Languages of the organizer's interface and of the member's pages: a new one is one word here and one catalog.
INTERFACE_LANGUAGES = ("en", "es", "fr", "pt", "ar")
MEMBER_LANGUAGES = (
    *INTERFACE_LANGUAGES,
    *("de", "it", "nl", "pl", "ru", "uk", "tr", "he", "hi", "zh-Hans"),
)


# Addresses of public pages name languages: what is remembered of them must have an end.
MEMORY = 4096
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{1,8}){0,4}")


class UnknownLanguage(ValueError):
    """No such language in CLDR."""


@dataclass(frozen=True, slots=True)
class Language:
    """One language. `tag` is BCP 47 ('pt-BR'); `direction` is 'ltr' or 'rtl'; `script` is ISO 15924 ('Arab')."""

    tag: str
    own_name: str
    direction: str
    script: str

    def name_in(self, tag: str) -> str:
        """This language's name as said in another language."""
        return _locale(self.tag).get_display_name(_locale(tag)) or self.own_name


@lru_cache(MEMORY)
def language(tag: str) -> Language:
    """The language of a tag. Raises UnknownLanguage."""
    locale = _locale(tag)
    own_name = locale.get_display_name(locale) or tag
    return Language(
        tag=canonical(tag),
        own_name=own_name[:1].upper() + own_name[1:],
        direction="rtl" if locale.character_order == "right-to-left" else "ltr",
        script=locale.script or _likely_script(locale),
    )


@lru_cache(MEMORY)
def canonical(tag: str) -> str:
    """A tag in its usual spelling: 'PT_br' is 'pt-BR', 'zh_cn' is 'zh-CN'. Raises UnknownLanguage."""
    locale = _locale(tag)
    return "-".join(part for part in (locale.language, locale.script, locale.territory) if part)


@lru_cache(MEMORY)
def parents(tag: str) -> tuple[str, ...]:
    """The tag itself, then the wider ones by CLDR: 'pt-BR' -> ('pt-BR', 'pt').

    A language of several scripts ends with its usual one: plain 'zh' is what 'zh-Hans' is.
    """
    chain = [canonical(tag)]
    exceptions = get_global("parent_exceptions")
    while True:
        at = chain[-1].replace("-", "_")
        up = exceptions.get(at) or at.rpartition("_")[0] or _in_its_usual_script(at)
        if up == "root" or not up or canonical(up) in chain:
            return tuple(chain)
        chain.append(canonical(up))


def _in_its_usual_script(bare: str) -> str:
    spelled_out = f"{bare}_{_likely_script(_locale(bare))}"
    return spelled_out if exists(spelled_out) else ""


def isolated(name: str) -> str:
    """A name as it stands in a sentence that may run the other way (Unicode TR9: first strong isolate)."""
    return f"\u2068{name}\u2069"


def measured(number: float, unit: str, locale: Locale) -> str:
    """A number of a CLDR unit in words: '90 days', '٩٠ يومًا', '2 分钟' (`duration-day`, `duration-minute`).

    Where a language's long form is its short one, CLDR says so by leaving it out (UTS 35, "Lateral inheritance"), and
    Babel names the unit itself.
    """
    said = format_unit(number, unit, "long", locale=locale)
    return format_unit(number, unit, "short", locale=locale) if unit in said else said


def member_language(*wishes: str | None) -> str:
    """The language of the member's pages that comes nearest to the first wish it can; English where none does."""
    tags = (tag for wish in wishes if wish for tag in parents(wish))
    return next((tag for tag in tags if tag in MEMBER_LANGUAGES), MEMBER_LANGUAGES[0])


def fallback_chain(tag: str, fallbacks: Mapping[str, str]) -> tuple[str, ...]:
    """The tag itself, then what it falls back to, step by step: as `fallbacks` says of a tag, else as CLDR says.

    No language comes twice. Raises UnknownLanguage.
    """
    chain = [canonical(tag)]
    while True:
        wider = parents(chain[-1])[1:2]
        up = fallbacks.get(chain[-1]) or (wider[0] if wider else "")
        if not up or up in chain:
            return tuple(chain)
        chain.append(canonical(up))


class CaughtBy(StrEnum):
    """Which step of the fallback chain found a member's language."""

    EXACT = "exact"
    PARENT = "parent"
    SECOND = "second"
    CHAIN = "chain"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Choice:
    """The language a member gets, and the step that caught it."""

    language: str
    caught_by: CaughtBy


def choose(
    first: str,
    second: str | None,
    available: Iterable[str],
    chain: Iterable[str],
    default: str,
    fallbacks: Mapping[str, str] = MappingProxyType({}),
) -> Choice:
    """The language of a mail for a member: their own, other forms of it, their second, a fallback chain, the default.

    `available` are the languages the appeal is complete in; `default` must be one of them. `fallbacks` says what the
    organisation lets a language fall back to; the forms of one's own language come before the second language, the
    others behind it and ahead of the blast's own chain.
    """
    offered = set(available)
    for tag, step in _steps(first, second, chain, fallbacks):
        if tag in offered:
            return Choice(tag, step)
    return Choice(default, CaughtBy.DEFAULT)


def _steps(
    first: str, second: str | None, chain: Iterable[str], fallbacks: Mapping[str, str]
) -> Iterator[tuple[str, CaughtBy]]:
    own, *wider = _known(first, fallbacks) or [first]
    yield own, CaughtBy.EXACT
    yield from ((tag, CaughtBy.PARENT) for tag in wider if _same(tag, own))
    if second:
        yield from ((tag, CaughtBy.SECOND) for tag in _known(second, fallbacks) if _same(tag, second))
    yield from ((tag, CaughtBy.CHAIN) for tag in wider if not _same(tag, own))
    yield from ((tag, CaughtBy.CHAIN) for tag in chain)


def _same(one: str, other: str) -> bool:
    """Whether two tags are forms of one language: pt-AO and pt-BR are."""
    return one.partition("-")[0] == canonical(other).partition("-")[0]


def _known(tag: str, fallbacks: Mapping[str, str]) -> list[str]:
    """The tag and what it falls back to; nothing for a tag that CLDR has dropped: its speakers still fall back."""
    try:
        return list(fallback_chain(tag, fallbacks))
    except UnknownLanguage:
        return []


@lru_cache(MEMORY)
def _locale(tag: str) -> Locale:
    try:
        if not _TAG.fullmatch(tag.strip()):
            # Babel would also take "en.whatever" and "en@whatever" for English.
            raise ValueError("not the form of a language code")
        return Locale.parse(tag.strip().replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        raise UnknownLanguage(f"“{tag[:40]}” is not a language code; try one like “es” or “pt-BR”.") from None


def _likely_script(locale: Locale) -> str:
    likely = get_global("likely_subtags")
    for key in (f"{locale.language}_{locale.territory}", locale.language):
        if key in likely:
            return parse_locale(likely[key])[2] or "Latn"
    return "Latn"
