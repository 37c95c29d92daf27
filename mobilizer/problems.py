"""Ground: the problem, an expected shortcoming of what a person gave us, said so that it can be mended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from babel.support import NullTranslations

Severity = Literal["error", "warning"]


def N_(text: str) -> str:
    """Mark an English sentence for translation; it is translated where it is shown."""
    return text


def P_(one: str, many: str) -> tuple[str, str]:
    """Mark a sentence that counts something: its form for one and for many, in English."""
    return one, many


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong and how to mend it. `message` is an English msgid with %(name)s for each of `params`.

    `code` is stable for programs ('import.bad_address'); `where` names the field or row. A sentence that
    counts has the English plural in `plural`, and its number in `params["count"]`.
    """

    code: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)
    severity: Severity = "error"
    where: str = ""
    plural: str = ""

    def text(self, words: NullTranslations | None = None) -> str:
        """The sentence in the language of a catalog, English without one."""
        spoken = words or NullTranslations()
        if self.plural:
            count = self.params["count"]
            sentence = spoken.ngettext(self.message, self.plural, count if isinstance(count, int) else 0)
        else:
            sentence = spoken.gettext(self.message)
        return sentence % self.params if self.params else sentence.replace("%%", "%")


def counted(code: str, forms: tuple[str, str], count: int, severity: Severity = "error", **params: object) -> Problem:
    """A problem whose sentence counts something: `forms` comes from `P_`."""
    return Problem(code, forms[0], {"count": count, **params}, severity, plural=forms[1])


def write_problem(problem: Problem) -> str:
    """A problem as text for a column, so that it can be said in any language later."""
    return json.dumps([problem.code, problem.message, dict(problem.params)], ensure_ascii=False, default=str)


def read_problem(text: str) -> Problem | None:
    """What `write_problem` wrote; None for an empty text."""
    if not text:
        return None
    code, message, params = json.loads(text)
    return Problem(code, message, params)
