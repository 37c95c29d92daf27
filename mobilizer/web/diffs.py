"""Web: the difference of two texts on a page, safe in either direction and readable without colours."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask
from markupsafe import Markup, escape

from mobilizer.appeals.differences import Piece, differences
from mobilizer.languages import language
from mobilizer.web.words import _, page_language

LONGEST_SAME = 160  # letters of what both have; more is left out in the middle


def diff(old: str, new: str, tag: str) -> Markup:
    """Both texts as one, what went struck out and what came underlined, in the direction of their language.

    A stretch that both have in common is shortened where it is long.
    """
    spoken = language(tag)
    return Markup('<div class="diff pre" lang="{}" dir="{}">{}</div>').format(
        spoken.tag, spoken.direction, _marked(differences(old, new))
    )


def install_diffs(app: Flask) -> None:
    """Give templates `diff(old, new, tag)`."""
    app.jinja_env.globals.update(diff=diff)


def _marked(pieces: Iterable[Piece]) -> Markup:
    marks = {"removed": ("del", _("taken out:")), "added": ("ins", _("put in:"))}
    mark = Markup('<{0}><span class="visually-hidden" lang="{1}">{2} </span><bdi>{3}</bdi></{0}>')
    here = page_language()
    return Markup().join(
        mark.format(marks[piece.kind][0], here, marks[piece.kind][1], piece.text)
        if piece.kind != "same"
        else escape(_shortened(piece.text))
        for piece in pieces
    )


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_SAME:
        return text
    half = LONGEST_SAME // 3
    return f"{text[:half].rstrip()} … {text[-half:].lstrip()}"
