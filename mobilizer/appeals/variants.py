"""Appeals: variants. A translation may open its mail in up to four ways: the first wording, and up to three others."""

from __future__ import annotations

import re

from mobilizer.appeals.appeals import Appeal, Translation

FIRST = "a"
VARIANTS = (FIRST, "b", "c", "d")
_FIRST_PARAGRAPH = re.compile(r"\s*\n\s*\n")


def variants_of(translation: Translation) -> tuple[str, ...]:
    """The variants that a translation has words for, the first wording first."""
    return (FIRST, *(one for one in VARIANTS[1:] if any(_own(translation, one))))


def wording(translation: Translation, variant: str) -> tuple[str, str]:
    """The subject and the text of a variant; what it doesn't say in its own way is as in the first wording."""
    subject, opening = _own(translation, variant)
    if opening:
        _first, gap, rest = _parted(translation.body)
        opening += gap + rest
    return subject or translation.subject, opening or translation.body


def most_variants(appeal: Appeal) -> int:
    """How many variants there are in the language that has most."""
    return max((len(variants_of(translation)) for translation in appeal.translations), default=1)


def _own(translation: Translation, variant: str) -> tuple[str, str]:
    """The subject and the opening that a variant has of its own; what a row that was never written lacks is empty."""
    if variant == FIRST:
        return "", ""
    subject, opening = (getattr(translation, f"{name}_{variant}") or "" for name in ("subject", "opening"))
    return subject, opening


def _parted(body: str) -> tuple[str, str, str]:
    """The first paragraph of a text, the gap behind it, and the rest."""
    found = _FIRST_PARAGRAPH.search(body)
    return (body[: found.start()], "\n\n", body[found.end() :]) if found else (body, "", "")
