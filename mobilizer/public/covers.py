"""Public: covers. What a discreet page shows and says before its button is pressed: nothing of what it is about.

Before a film, as what is shared from it; and before whatever names a list and whose it is: what is agreed to, a record.
Programs that look at links press no button.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import request

from mobilizer.appeals.appeals import Appeal
from mobilizer.http import on_discreet_site, words
from mobilizer.languages import Language, language
from mobilizer.public.film import Film

SHOW = "show"  # what the button of a cover asks for


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


def is_covered() -> bool:
    """Whether what names somebody waits for the button of its cover: on the discreet site, until it is pressed."""
    return on_discreet_site() and not is_shown()


def is_shown() -> bool:
    """Whether this request is the press of a cover's button."""
    return request.method == "POST" and request.form.get("did") == SHOW
