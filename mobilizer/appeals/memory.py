"""Appeals: the memory. How the same words, or nearly the same, were translated in other appeals."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.differences import likeness, words
from mobilizer.appeals.editing import translation_in

MOST_APPEALS = 60  # the newest
MOST_EACH = 4
NEAR = 0.6
_PARAGRAPHS = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What stood in the source text of another appeal, how it was translated there, and how like our source it is:
    1.0 is the same."""

    source: str
    target: str
    likeness: float
    slug: str


@dataclass(frozen=True, slots=True)
class _Pair:
    source: str
    target: str
    slug: str
    words: frozenset[str]


def suggestions(session: Session, appeal: Appeal, tag: str, fields: Collection[str]) -> dict[str, list[Suggestion]]:
    """For these fields of a translation, what other appeals have: the likest first. A text is also looked for by its
    paragraphs, where both languages have the same number of them."""
    source = translation_in(appeal, appeal.source_language)
    if source is None or not fields:
        return {}
    found = {}
    known = _known(session, appeal, tag, fields)
    for name in fields:
        like = _like(_units(getattr(source, name)), known.get(name, ()))
        if like:
            found[name] = like
    return found


def _known(session: Session, appeal: Appeal, tag: str, fields: Iterable[str]) -> dict[str, list[_Pair]]:
    theirs, ours = aliased(Translation), aliased(Translation)
    asked = (
        select(Appeal.slug, theirs, ours)
        .join(theirs, (theirs.appeal_id == Appeal.id) & (theirs.language == Appeal.source_language))
        .join(ours, (ours.appeal_id == Appeal.id) & (ours.language == tag))
        .where(Appeal.id != appeal.id, Appeal.source_language == appeal.source_language)
        .order_by(Appeal.id.desc())
        .limit(MOST_APPEALS)
    )
    known: dict[str, list[_Pair]] = {name: [] for name in fields}
    for slug, said, translated in session.execute(asked):
        for name, pairs in known.items():
            pairs += _pairs(getattr(said, name), getattr(translated, name), slug)
    return known


def _pairs(source: str, target: str, slug: str) -> Iterator[_Pair]:
    if not (source and target):
        return
    ours, theirs = _units(source), _units(target)
    alike = len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True) if alike else ((source, target),):
        yield _Pair(one, other, slug, words(one))


def _units(text: str) -> list[str]:
    return [part for part in _PARAGRAPHS.split(text.strip()) if part.strip()]


def _like(units: Iterable[str], pairs: Collection[_Pair]) -> list[Suggestion]:
    found: dict[tuple[str, str], Suggestion] = {}
    for unit in units:
        wanted = words(unit)
        for pair in pairs:
            if pair.source != unit and 2 * len(wanted & pair.words) < len(wanted | pair.words):
                continue
            like = 1.0 if pair.source == unit else likeness(unit, pair.source)
            if like >= NEAR:
                found.setdefault((unit, pair.target), Suggestion(pair.source, pair.target, like, pair.slug))
    return sorted(found.values(), key=lambda one: -one.likeness)[:MOST_EACH]
