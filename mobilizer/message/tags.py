"""Message: merge tags, `{{ first_name }}` or `{{ first_name | "friend" }}`. They name a value and decide nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from mobilizer.problems import N_, Problem

# What came of a member's sharing, each a whole sentence: "3 people watched because of you."
THANKS = ("friends_watched", "friends_joined")

# `organisation` is the same for all and is filled in at compilation; the others are each member's own.
KNOWN = frozenset({"name", "first_name", "country", "list", "organisation", *THANKS})

_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_QUOTES = {'"': '"', "'": "'", "“": "”", "«": "»", "„": "“", "”": "”"}
_INSIDE = re.compile(rf"\s*(?P<name>{_NAME})\s*(?:\|(?P<fallback>.*))?", re.DOTALL)
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")


@dataclass(frozen=True, slots=True)
class Tag:
    """One merge tag: the value it names, what to say where a member has none, and its place in the text."""

    name: str
    fallback: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class BadTag:
    """Braces that are not a merge tag, as they were written."""

    written: str


def tags_in(text: str) -> tuple[Tag, ...]:
    """The well-formed merge tags of a text, in order."""
    return tuple(found for found in _scan(text) if isinstance(found, Tag))


def bad_tags(text: str) -> tuple[BadTag, ...]:
    """Whatever has braces in it and still is no merge tag: unclosed, a quote missing, a bit of some program."""
    return tuple(found for found in _scan(text) if isinstance(found, BadTag))


def unknown_tags(text: str, known: Collection[str] = KNOWN) -> tuple[str, ...]:
    """The names of merge tags that nothing will fill, each once, in order."""
    return tuple(dict.fromkeys(tag.name for tag in tags_in(text) if tag.name not in known))


def tag_problems(text: str, where: str = "", known: Collection[str] = KNOWN) -> list[Problem]:
    """What is wrong with the merge tags of a text; `where` names its field. Empty: nothing."""
    problems = [
        Problem(
            "tags.unknown",
            N_("There is no merge tag “%(tag)s”. You can use: %(known)s."),
            {"tag": name, "known": ", ".join(sorted(known))},
            where=where,
        )
        for name in unknown_tags(text, known)
    ]
    return problems + [
        Problem(
            "tags.syntax",
            N_('“%(written)s” is not a merge tag. Write it like {{ first_name }} or {{ first_name | "friend" }}.'),
            {"written": bad.written},
            where=where,
        )
        for bad in dict.fromkeys(bad_tags(text))
    ]


def split(text: str) -> tuple[str | Tag, ...]:
    """A text as its plain pieces and its merge tags, in order; bad tags stay plain text."""
    pieces: list[str | Tag] = []
    at = 0
    for tag in tags_in(text):
        pieces += [text[at : tag.start], tag]
        at = tag.end
    return (*pieces, text[at:])


def impersonal(text: str, organisation: str) -> str:
    """A text without its merge tags: what everybody may read knows nobody's name."""
    return "".join(
        part if isinstance(part, str) else (organisation if part.name == "organisation" else part.fallback)
        for part in split(text)
    ).strip()


def _scan(text: str) -> Iterator[Tag | BadTag]:
    at = 0
    # Not beyond the last closing braces: every opening one there would look for its own to the very end.
    for match in _BRACES.finditer(text, 0, text.rfind("}}") + 2):
        yield from _strays(text[at : match.start()])
        yield _tag(match)
        at = match.end()
    yield from _strays(text[at:])


def _tag(match: re.Match[str]) -> Tag | BadTag:
    inside = _INSIDE.fullmatch(match.group(1))
    fallback = _unquoted(inside["fallback"]) if inside else None
    if inside is None or fallback is None:
        return BadTag(_short(match.group()))
    return Tag(inside["name"], fallback, match.start(), match.end())


def _unquoted(fallback: str | None) -> str | None:
    """The words of a quoted fallback, '' where there is none at all, None where the quotes don't pair."""
    if fallback is None:
        return ""
    fallback = fallback.strip()
    closing = _QUOTES.get(fallback[:1])
    if closing is None or len(fallback) < 2 or not fallback.endswith(closing) or closing in fallback[1:-1]:
        return None
    return fallback[1:-1]


def _strays(text: str) -> Iterator[BadTag]:
    for stray in _STRAY.finditer(text):
        yield BadTag(_short(text[stray.start() : stray.start() + 24]))


def _short(written: str) -> str:
    return written if len(written) <= 60 else written[:59] + "…"
