"""Appeals: how much of an appeal is written in each language."""

from __future__ import annotations

from dataclasses import dataclass

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.fields import FIELDS


@dataclass(frozen=True, slots=True)
class Completeness:
    """One language's required fields: how many of how many are written, and the names of those that are not."""

    language: str
    done: int
    total: int
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether a blast may use this language."""
        return not self.missing


def completeness(appeal: Appeal) -> tuple[Completeness, ...]:
    """Each language of an appeal, the source first, then by tag."""
    ordered = sorted(appeal.translations, key=lambda t: (t.language != appeal.source_language, t.language))
    return tuple(of_translation(translation) for translation in ordered)


def of_translation(translation: Translation) -> Completeness:
    """One language's completeness."""
    required = [field.name for field in FIELDS if field.required]
    missing = tuple(name for name in required if not getattr(translation, name).strip())
    return Completeness(translation.language, len(required) - len(missing), len(required), missing)


def complete_languages(appeal: Appeal) -> tuple[str, ...]:
    """The languages that a blast may use, the source first if it is one of them."""
    return tuple(found.language for found in completeness(appeal) if found.complete)
