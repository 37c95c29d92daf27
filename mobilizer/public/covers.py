"""Public: covers. What a discreet page shows and says in place of a film: nothing of what it is about."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mobilizer.appeals.appeals import Appeal
from mobilizer.http import words
from mobilizer.languages import Language, language
from mobilizer.public.film import Film


@dataclass(frozen=True, slots=True)
class Cover:
    """The words of a cover, and of the page's title and of what is shared from it, before play is pressed and after."""

    language: Language
    title: str
    summary: str


def cover_of(appeal: Appeal, tag: str) -> Cover:
    """The cover of an appeal in one of its languages; it says no more than "Play" where that has no discreet words."""
    said = next(translation for translation in appeal.translations if translation.language == tag)
    return Cover(language(tag), said.discreet_subject or words().gettext("Play"), said.discreet_preheader)


def covered(film: Film, cover: Cover) -> Film:
    """A film as it is passed on: links carry their words in their addresses, which others may see."""
    return replace(film, title=cover.title, share_text=cover.summary, share_texts={})
