"""Web: what stands in and beside each field of an appeal's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.comments import Comment, comments
from mobilizer.appeals.editing import translation_in
from mobilizer.appeals.fields import FIELDS, Field
from mobilizer.appeals.glossary import Hit, hits, kept_terms, terms
from mobilizer.appeals.memory import Suggestion, suggestions
from mobilizer.appeals.parity import parity_of
from mobilizer.appeals.states import outdated
from mobilizer.problems import Problem
from mobilizer.web.words import problem

LONG_LINES, SHORT_LINES = 14, 3


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed that is not saved: by field; and the fields that another has changed meanwhile."""

    words: Mapping[str, str]
    crossed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """One field on the page. `theirs` is what somebody else saved meanwhile, where it differs; `was` is what the
    source text said when it was translated, where that is another text now."""

    field: Field
    text: str
    source: str
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    theirs: str | None
    was: str | None
    hits: tuple[Hit, ...]
    suggestions: tuple[Suggestion, ...]
    comments: tuple[Comment, ...]

    @property
    def lines(self) -> int:
        """Height of the box; 1 is a single line."""
        if not self.field.multiline:
            return 1
        return LONG_LINES if self.field.max_length > 1000 else SHORT_LINES

    @property
    def open(self) -> bool:
        """Whether there is something in it to look at."""
        return bool(self.text or self.source or self.problems or self.theirs or self.comments)

    @property
    def waiting(self) -> int:
        """How many comments are not resolved."""
        return sum(1 for one in self.comments if one.resolved_at is None)


def remarks_of(session: Session, appeal: Appeal, translation: Translation) -> list[Problem]:
    """What is to be looked at in a translation as it is saved; `where` is the field."""
    found = [*parity_of(appeal, translation), *kept_terms(terms(session), appeal, translation)]
    prefix = f"translations.{translation.language}."
    return [replace(one, where=one.where.removeprefix(prefix)) for one in found]


def rows(
    session: Session,
    appeal: Appeal,
    translation: Translation,
    typed: Typed | None,
    problems: Sequence[Problem],
) -> list[Row]:
    """The fields as the page shows them. `typed` is what was not saved because of `problems`."""
    tag = translation.language
    is_source = tag == appeal.source_language
    source = translation_in(appeal, appeal.source_language)
    remarks = [] if typed is not None else remarks_of(session, appeal, translation)
    was, glossary, said = outdated(translation), terms(session), comments(session, translation)
    wanting = [] if is_source else [f.name for f in FIELDS if f.name in was or not getattr(translation, f.name)]
    earlier = suggestions(session, appeal, tag, wanting)
    found = []
    for field in FIELDS:
        kept, name = getattr(translation, field.name), field.name
        words = getattr(source, name) if source else ""
        found.append(
            Row(
                field=field,
                text=typed.words.get(name, kept) if typed else kept,
                source=words,
                problems=tuple(problem(one) for one in problems if one.where == name),
                remarks=tuple(problem(one) for one in remarks if one.where == name),
                theirs=kept if typed and name in typed.crossed else None,
                was=was.get(name),
                hits=() if is_source else tuple(hits(glossary, appeal.source_language, words, tag)),
                suggestions=tuple(earlier.get(name, ())),
                comments=tuple(one for one in said if one.field == name),
            )
        )
    return found
