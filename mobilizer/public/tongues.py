"""Public: which language a page speaks. The address says it, else the member's own, else the browser's."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from flask import request
from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from mobilizer.http import installation
from mobilizer.languages import MEMBER_LANGUAGES, Language, UnknownLanguage, canonical, language, parents

MEMBER = MEMBER_LANGUAGES


def nearest(tag: str | None, available: Collection[str]) -> str:
    """The available language closest to a tag: itself or one of its CLDR parents; empty when there is none."""
    if not tag:
        return ""
    try:
        return next((at for at in parents(tag) if at in available), "")
    except UnknownLanguage:
        return ""


def first_of(tags: Iterable[str | None], available: Collection[str]) -> str:
    """The first of some wishes that is available in some form; empty when none is."""
    return next((found for tag in tags if (found := nearest(tag, available))), "")


def browser_language(available: Collection[str], *otherwise: str | None) -> str:
    """What Accept-Language asks for among the available languages, else the other wishes, else the default.

    `available` must not be empty.
    """
    default = installation().settings.default_language
    return best_of(request.headers.get("Accept-Language", ""), available, *otherwise, default)


def best_of(accepted: str, available: Collection[str], *otherwise: str | None) -> str:
    """The same of a header's value, without a request."""
    # Werkzeug sorts them by quality (RFC 9110, 12.5.4).
    asked = parse_accept_header(accepted, LanguageAccept)
    wishes = [tag for tag, quality in asked if quality > 0 and tag != "*"]
    return first_of([*wishes, *otherwise, "en"], available) or sorted(available)[0]


def asked_language() -> str:
    """The page language that the address asks for (`?in=es`), for those who were given the wrong one; or empty."""
    return nearest(request.args.get("in", "")[:35], MEMBER)


def visitor_language() -> str:
    """The language of a page for somebody who may be anybody: asked for in the address, else the browser's."""
    return asked_language() or browser_language(MEMBER)


def spelled(tag: str) -> str:
    """A tag in its usual spelling, empty for what is no language."""
    try:
        return canonical(tag) if len(tag) <= 35 else ""
    except UnknownLanguage:
        return ""


def switch(said: str = "") -> list[tuple[Language, str]]:
    """Each language of the member's pages with the address in it of the page that it stands on; of what else its
    address says only `said` is said again."""
    kept = f"&{said}=1" if said else ""
    return [(language(tag), f"?in={tag}{kept}") for tag in MEMBER]
