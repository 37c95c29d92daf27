"""Pseudo-locales: every phrase of a catalog longer and marked, so that eyes and tests see what is not translated."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser

from babel.support import NullTranslations

OPEN, CLOSE = "⟦", "⟧"
LONGER = 0.4  # German and Tamil need about so much more room than English
_FILLED_IN = re.compile(r"%\(\w+\)[#0 +-]*\d*(?:\.\d+)?[a-zA-Z]|%%|\{\{.*?\}\}|\{\w+\}|https?://\S+")
_ACCENTS = str.maketrans("aceinouyAEINOU", "àçéîñöúýÂÉÎÑÖÛ")
_MARKED = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
_WORD = re.compile(r"[^\W\d_]{2,}")


def longer(text: str) -> str:
    """A phrase in brackets, with accents and more letters; what is filled in later stays as it is."""
    parts, at = [], 0
    for match in _FILLED_IN.finditer(text):
        parts += [text[at : match.start()].translate(_ACCENTS), match[0]]
        at = match.end()
    said = "".join([*parts, text[at:].translate(_ACCENTS)])
    return f"{OPEN}{said}{' ömnî' * round(len(text) * LONGER / 5)}{CLOSE}" if text else text


class Pseudo(NullTranslations):
    """A catalog that has every phrase."""

    def gettext(self, message: str) -> str:
        return longer(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return longer(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return longer(message)


class _Reader(HTMLParser):
    """The words of a page that are marked as nobody's data: not in bdi, code, time, a box, or of a language."""

    DATA = frozenset({"bdi", "code", "time", "textarea", "option", "script", "style", "pre"})
    VOID = frozenset({"meta", "link", "input", "img", "br", "hr", "rect", "source", "track", "col", "line", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[bool] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.inside.append(tag in self.DATA or (tag != "html" and "lang" in dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID and self.inside:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.inside):
            self.found.append(data)


def untranslated(page: str, data: Iterable[str]) -> set[str]:
    """The words of a page that come from no catalog and are not among the `data` that it shows."""
    reader = _Reader()
    reader.feed(page)
    known = {word for text in data for word in _WORD.findall(text)}
    left = _MARKED.sub(" ", _MARKED.sub(" ", " ".join(reader.found)))
    return set(_WORD.findall(left)) - known
