"""Appeals: the glossary, how an organisation says its own terms in each language, and which are never translated."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import FIELDS
from mobilizer.db import Base, Id
from mobilizer.languages import UnknownLanguage, canonical, parents
from mobilizer.problems import N_, Problem

MOST_TERMS = 500
MOST_LETTERS = 100
MOST_NOTE = 300


class Term(Base):
    """A term in one language; `translations` by tag. One that is `kept` stands as it is in every language."""

    __tablename__ = "terms"

    id: Mapped[Id]
    language: Mapped[str]
    words: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    kept: Mapped[bool] = mapped_column(default=False)
    translations: Mapped[dict[str, Any]] = mapped_column(default=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A term as a form says it."""

    words: str
    language: str
    note: str = ""
    kept: bool = False
    translations: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A term that a source text uses, and how it is said in the language beside it: '' if nobody has said so yet."""

    words: str
    said: str
    note: str
    kept: bool


def terms(session: Session) -> Sequence[Term]:
    """The whole glossary, by language and term."""
    return session.scalars(select(Term).order_by(Term.language, Term.words)).all()


def put_term(session: Session, wanted: Wanted, number: int | None = None) -> list[Problem]:
    """Add a term, or change the one of a number; or say why it can't be so."""
    words, note = " ".join(wanted.words.split()), " ".join(wanted.note.split())
    said = {tag: " ".join(text.split()) for tag, text in (wanted.translations or {}).items()}
    said = {tag: text for tag, text in said.items() if text}
    if not words or any(len(text) > MOST_LETTERS for text in (words, *said.values())) or len(note) > MOST_NOTE:
        message = N_("A term needs some words (letters at most: %(most)d).")
        return [Problem("glossary.unfit", message, {"most": MOST_LETTERS}, where="words")]
    try:
        tag = canonical(wanted.language)
        said = {canonical(other): text for other, text in said.items()}
    except UnknownLanguage:
        return [Problem("glossary.language", N_("Choose the language of the term."), where="language")]
    there = terms(session)
    same = [one for one in there if one.language == tag and one.words.casefold() == words.casefold()]
    if any(one.id != number for one in same):
        message = N_("“%(term)s” is in the glossary already.")
        return [Problem("glossary.twice", message, {"term": words}, where="words")]
    if number is None and len(there) >= MOST_TERMS:
        message = N_("The glossary is full (terms at most: %(most)d).")
        return [Problem("glossary.full", message, {"most": MOST_TERMS}, where="words")]
    row = session.get_one(Term, number) if number is not None else Term()
    row.words, row.language, row.note, row.kept, row.translations = words, tag, note, wanted.kept, said
    session.add(row)
    session.flush()
    return []


def hits(glossary: Iterable[Term], source_language: str, source: str, tag: str) -> list[Hit]:
    """The terms that a source text uses, in the glossary's order, with what they are called in another language."""
    found = []
    for term in glossary:
        if term.language in parents(source_language) and _as_words(term.words).search(source):
            said = next((term.translations[one] for one in parents(tag) if one in term.translations), "")
            found.append(Hit(term.words, term.words if term.kept else said, term.note, term.kept))
    return found


def kept_terms_missing(found: Iterable[Hit], words: str) -> list[str]:
    """The terms that have to stand in a translation as they are, and don't."""
    return [hit.words for hit in found if hit.kept and hit.words not in words]


def kept_terms(glossary: Collection[Term], appeal: Appeal, translation: Translation) -> list[Problem]:
    """Where a translation has lost a term that stands as it is in every language; places as parity.py names them."""
    source = next((one for one in appeal.translations if one.language == appeal.source_language), translation)
    problems = []
    for field in FIELDS if source is not translation else ():
        said, own = getattr(source, field.name), getattr(translation, field.name)
        found = hits(glossary, source.language, said, translation.language) if own else []
        for term in kept_terms_missing(found, own):
            message = N_("“%(term)s” is not translated, says the glossary, but it is missing here.")
            where = f"translations.{translation.language}.{field.name}"
            problems.append(Problem("appeal.term_missing", message, {"term": term}, "warning", where))
    return problems


@lru_cache(MOST_TERMS)
def _as_words(term: str) -> re.Pattern[str]:
    """Finds a term as whole words, in small or capital letters."""
    before, after = (r"\b" if edge.isalnum() and edge.isascii() else "" for edge in (term[:1], term[-1:]))
    return re.compile(before + re.escape(term) + after, re.IGNORECASE)
