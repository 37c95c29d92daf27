"""Web: what a person chose for an import's columns, read from the form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from mobilizer.audience.candidates import clean
from mobilizer.audience.columns import IMPORT_FIELDS
from mobilizer.audience.fitting import Definition
from mobilizer.audience.importing import Sheet
from mobilizer.audience.tags import split_names
from mobilizer.languages import MEMBER_LANGUAGES, language
from mobilizer.problems import N_, Problem

MAX_WORDING = 2000
# What becomes of members we have already.
KNOWN = {
    "fill": N_("Fill in what is blank, keep the rest"),
    "keep": N_("Keep everything as it is"),
    "replace": N_("Replace it by what the file says"),
}
_TOLD = ("default_language", "consent_source", "consent_date", "wording_language")
IGNORE = ""
EXTRA = "extra"
FIELD = "field:"  # and the key of a field that is defined
# Which comes first in a date that ends with its year.
DATES = {
    "": N_("Tell from each date; leave blank what can't be told"),
    "dmy": N_("The day comes first: 31/01/2026"),
    "mdy": N_("The month comes first: 01/31/2026"),
}

# What a member's language may be chosen from, beside the languages of the members who are here.
USUAL_LANGUAGES = (
    "ar", "bn", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fil", "fr", "he", "hi", "hu", "id", "it", "ja", "ko",
    "ms", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sv", "sw", "th", "tr", "uk", "ur", "vi", "zh-Hans", "zh-Hant",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """Field -> column, the name of an extra attribute -> column, and what is wrong with the choice itself."""

    columns: dict[str, int] = field(default_factory=dict)
    attributes: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def of_column(self, position: int, defined: Collection[str]) -> str:
        """What a column was chosen to be: a field's name, FIELD and the key of a defined one, EXTRA or IGNORE."""
        for name, at in self.attributes.items():
            if at == position:
                return FIELD + name if name in defined else EXTRA
        return next((name for name, at in self.columns.items() if at == position), IGNORE)


def read_choice(form: Mapping[str, str], sheet: Sheet, defined: Mapping[str, Definition]) -> Choice:
    """The choice in a form, where `column-3` says what the fourth column is."""
    choice = Choice()
    for position, name in enumerate(sheet.header):
        chosen = form.get(f"column-{position}", IGNORE)
        extra = name or str(position + 1) if chosen == EXTRA else chosen.removeprefix(FIELD)
        if chosen in choice.columns or (chosen in (EXTRA, FIELD + extra) and extra in choice.attributes):
            text = N_("Two columns are chosen as “%(field)s”. Choose one, and leave the other out.")
            said = IMPORT_FIELDS.get(chosen, extra)
            choice.problems.append(Problem("import.field_twice", text, {"field": said}))
        elif chosen == EXTRA or (chosen.startswith(FIELD) and extra in defined):
            choice.attributes[extra] = position
        elif chosen in IMPORT_FIELDS:
            choice.columns[chosen] = position
    return choice


def read_options(form: Mapping[str, str]) -> dict[str, Any]:
    """What a form says of everyone in the file."""
    text = {name: form.get(name, "").strip() for name in _TOLD}
    known, dates = form.get("known", "fill"), form.get("dates", "")
    return {
        **text,
        "wording": form.get("wording", "").strip()[:MAX_WORDING],
        "by_country": "by_country" in form,
        "tags": list(split_names(clean(form.get("tags", "")))),
        "known": known if known in KNOWN else "fill",
        "dates": dates if dates in DATES else "",
    }


def languages_on_offer(spoken: list[str]) -> list[tuple[str, str]]:
    """(tag, own name) of the languages to choose from, by own name."""
    tags = {*USUAL_LANGUAGES, *MEMBER_LANGUAGES, *spoken}
    return sorted(((tag, language(tag).own_name) for tag in tags), key=lambda pair: pair[1].casefold())
