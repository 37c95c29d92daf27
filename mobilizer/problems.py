"""Ground: the problem, an expected shortcoming of what a person gave us, said so that it can be mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from babel.support import NullTranslations

Severity = Literal["error", "warning"]


def N_(text: str) -> str:  # noqa: N802 - the name that extraction tools look for
    """Mark an English sentence for translation; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and how to mend it. `message` is an English msgid with %(name)s for each of `params`.

    `code` is stable for programs ('import.bad_address'); `where` names the field or row.
    """

    code: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)
    severity: Severity = "error"
    where: str = ""

    def text(self, words: NullTranslations | None = None) -> str:
        """The sentence in the language of a catalog, English without one."""
        sentence: str = (words or NullTranslations()).gettext(self.message)
        return sentence % self.params if self.params else sentence.replace("%%", "%")
