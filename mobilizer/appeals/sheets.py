"""Appeals: the sheet, one language's words beside the source text, as it goes to a translator and comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from mobilizer.appeals.appeals import Appeal, Translation
from mobilizer.appeals.editing import save_translation, translation_in
from mobilizer.appeals.fields import BY_NAME, FIELDS, tidy
from mobilizer.appeals.history import IMPORTED, Edit
from mobilizer.languages import language
from mobilizer.problems import N_, Problem


@dataclass(frozen=True, slots=True)
class Unit:
    """One field: `name` as in FIELDS, a `note` for its translator, the words, and theirs, '' if there are none."""

    name: str
    source: str
    target: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The units of one language of an appeal. A format that has no place for it leaves slug or languages ''."""

    slug: str
    source_language: str
    language: str
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a sheet: the fields that it changed, and problems. With an error among them nothing was saved."""

    changed: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def refused(self) -> bool:
        """Whether nothing was saved."""
        return any(problem.severity == "error" for problem in self.problems)


class BadSheet(ValueError):
    """A file that no sheet can be read from; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def sheet_of(appeal: Appeal, tag: str) -> Sheet:
    """The sheet of a language that the appeal has. A field without source text has nothing to translate."""
    source, own = translation_in(appeal, appeal.source_language), translation_in(appeal, tag)
    units = [
        Unit(field.name, words, getattr(own, field.name, ""), f"{field.label}. {field.hint} (≤ {field.max_length})")
        for field in FIELDS
        if (words := getattr(source, field.name, ""))
    ]
    return Sheet(appeal.slug, appeal.source_language, tag, tuple(units))


def take_sheet(session: Session, appeal: Appeal, tag: str, sheet: Sheet, by: int | None = None) -> Taken:
    """Save a sheet that came back. What it leaves empty stays as it is.

    A field whose source text has been changed since the sheet went out is left out and told: its words belong to
    another text. Anything else that does not fit (another appeal, another language, what `save_translation` refuses)
    refuses the whole sheet.
    """
    problems = _misplaced(appeal, tag, sheet)
    source, own = translation_in(appeal, appeal.source_language), translation_in(appeal, tag)
    if problems or source is None or own is None:
        return Taken((), tuple(problems))
    written = {unit.name: tidy(BY_NAME[unit.name], unit.target) for unit in sheet.units if unit.target.strip()}
    left = [_outdated(unit) for unit in sheet.units if unit.name in written and _changed(source, unit)]
    for problem in left:
        del written[problem.where]
    changed = tuple(name for name, words in written.items() if words != getattr(own, name))
    refused = save_translation(session, appeal, tag, written, edit=Edit(by, IMPORTED))
    return Taken(() if refused else changed, (*refused, *left))


def _misplaced(appeal: Appeal, tag: str, sheet: Sheet) -> list[Problem]:
    """Why a sheet is none of this language of this appeal."""
    if sheet.slug and sheet.slug != appeal.slug:
        message = N_("This file belongs to the appeal “%(theirs)s”, not to “%(ours)s”.")
        return [Problem("sheet.other_appeal", message, {"theirs": sheet.slug[:60], "ours": appeal.slug})]
    if tag == appeal.source_language:
        message = N_("%(language)s is what the others are translated from: a file of translations can't change it.")
        return [Problem("sheet.source", message, {"language": language(tag).own_name})]
    if sheet.language and sheet.language != tag:
        message = N_("This file is for “%(theirs)s”, not for “%(ours)s”. Choose that language, or another file.")
        return [Problem("sheet.other_language", message, {"theirs": sheet.language[:40], "ours": tag})]
    if translation_in(appeal, tag) is None:
        message = N_("This appeal has no translation into “%(tag)s” yet. Add the language first.")
        return [Problem("appeal.no_such_translation", message, {"tag": tag[:40]}, where="language")]
    return _unknown(sheet.units) + _twice(sheet.units)


def _unknown(units: Sequence[Unit]) -> list[Problem]:
    message = N_("There is no field called “%(field)s”. The fields are: %(fields)s.")
    fields = ", ".join(BY_NAME)
    return [
        Problem("file.unknown_field", message, {"field": unit.name[:60], "fields": fields}, where=unit.name[:60])
        for unit in units
        if unit.name not in BY_NAME
    ]


def _twice(units: Sequence[Unit]) -> list[Problem]:
    names = [unit.name for unit in units]
    message = N_("“%(field)s” is in the file twice. Keep one of the two.")
    return [
        Problem("sheet.twice", message, {"field": name}, where=name)
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _changed(source: Translation, unit: Unit) -> bool:
    return tidy(BY_NAME[unit.name], unit.source) != str(getattr(source, unit.name))


def _outdated(unit: Unit) -> Problem:
    message = N_(
        "The source text of this field has changed since the file was made: its translation was left out. "
        "Take the file along again, or write the words here."
    )
    return Problem("sheet.outdated", message, severity="warning", where=unit.name)
