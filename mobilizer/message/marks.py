"""Message: marks. While templates run, a slot is a word that Markdown, Jinja2 and premailer all leave alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup
from markupsafe import escape as escape_html

from mobilizer.message.pieces import Form, Line, Piece, Slot, escape, joined
from mobilizer.message.tags import split


class Marks:
    """Hands out marks for slots and finds them again. `seed` (hexadecimal) makes them unlike any word of the copy.

    `fixed` are values that are the same for every member: they are filled in at once. `otherwise` is what is said where
    a member has none and the words themselves have no fallback.
    """

    def __init__(self, seed: str, fixed: Mapping[str, str], otherwise: Mapping[str, str] | None = None) -> None:
        self._prefix = f"mz{seed}q"
        self._fixed = fixed
        self._otherwise = otherwise or {}
        self._slots: list[Slot] = []
        self._pattern = re.compile(rf"{self._prefix}(\d+)z")
        self._in_html = re.compile(rf"<[^>]*>|{self._prefix}\d+z")

    def mark(self, field: str, fallback: str = "", form: Form = "plain") -> str:
        """The mark of a slot: small letters and digits, so nothing escapes, encodes or breaks it."""
        slot = Slot(field, fallback or self._otherwise.get(field, ""), form)
        if slot not in self._slots:
            self._slots.append(slot)
        return f"{self._prefix}{self._slots.index(slot)}z"

    def plain(self, text: str, form: Form = "plain") -> str:
        """Words with marks in place of their merge tags."""
        pieces = split(text)
        return "".join(p if isinstance(p, str) else self.mark(p.name, p.fallback, form) for p in pieces)

    def attribute(self, text: str) -> Markup:
        """The same, escaped, for an HTML attribute or a title."""
        return escape_html(self.plain(text, "html"))

    def html(self, text: str) -> Markup:
        """The same for HTML text: a member's value stands apart, so that its direction does not spill over."""
        return self.isolated(self.attribute(text))

    def isolated(self, html: str) -> Markup:
        """Every mark of HTML text in a <bdi> of its own; those inside an element's tag (a link) stay as they are."""
        # Of Markup, re.sub would escape what it puts in.
        return Markup(self._in_html.sub(_in_bdi, str(html)))  # noqa: S704 - escaped or cleaned before

    def line(self, rendered: str) -> Line:
        """The rendered text, cut at its marks."""
        pieces: list[Piece] = []
        at = 0
        for match in self._pattern.finditer(rendered):
            pieces += [rendered[at : match.start()], self._piece(self._slots[int(match[1])])]
            at = match.end()
        return joined([*pieces, rendered[at:]])

    def _piece(self, slot: Slot) -> Piece:
        if slot.field not in self._fixed:
            return slot
        value = self._fixed[slot.field] or slot.fallback
        return escape(value) if slot.form == "html" else value


def _in_bdi(match: re.Match[str]) -> str:
    return match.group() if match.group().startswith("<") else f"<bdi>{match.group()}</bdi>"
