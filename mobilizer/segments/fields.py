"""Segments: rules about what else is known of a member, the fields that an import brought along.

All of it is text in the database, as audience.fitting writes it. What no definition has made fit is a number or a date
where it has the form of one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Double, String, case, cast, false, literal, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from mobilizer.audience.fitting import DATED, NUMERIC, FieldKind
from mobilizer.audience.members import Member
from mobilizer.problems import N_
from mobilizer.segments.kinds import DATE, NAME, NUMBER, TEXT, TEXTS, told
from mobilizer.segments.rules import Rule, rule


class attribute(FunctionElement[str]):
    """What a field of a member holds, as text; NULL where they have no such field."""

    type = String()
    inherit_cache = True

    def __init__(self, name: str) -> None:
        super().__init__(Member.attributes, literal(name, String()))


@compiles(attribute, "sqlite")
def _sqlite_attribute(element: attribute, compiler: SQLCompiler, **kw: Any) -> str:
    # Not by a path: in one SQLite lets no name have a quote in it.
    held, name = (compiler.process(one, **kw) for one in element.clauses)
    return f"(SELECT value FROM json_each({held}) WHERE key = {name})"  # noqa: S608 - both come from the compiler


@compiles(attribute, "postgresql")
def _postgresql_attribute(element: attribute, compiler: SQLCompiler, **kw: Any) -> str:
    held, name = (compiler.process(one, **kw) for one in element.clauses)
    return f"({held} ->> {name})"


def _so(condition: ColumnElement[bool], then: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    """A condition that is false where it would be NULL; `then` is looked at only where it holds."""
    return case((condition, true() if then is None else then), else_=false())


@rule("field_known")
@dataclass(frozen=True, slots=True)
class FieldKnown(Rule):
    """A field holds something."""

    name: str = told(NAME)
    SAYS = (N_("The field “%(name)s” is filled in"), N_("The field “%(name)s” is blank"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _so(attribute(self.name) != "")


@rule("field_is")
@dataclass(frozen=True, slots=True)
class FieldIs(Rule):
    """A field holds exactly this text."""

    name: str = told(NAME)
    text: str = told(TEXT)
    SAYS = (N_("The field “%(name)s” is “%(text)s”"), N_("The field “%(name)s” is not “%(text)s”"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _so(attribute(self.name) == self.text)


@rule("field_contains")
@dataclass(frozen=True, slots=True)
class FieldContains(Rule):
    """A field has this text somewhere in it; A to Z count as a to z."""

    name: str = told(NAME)
    text: str = told(TEXT)
    SAYS = (N_("The field “%(name)s” contains “%(text)s”"), N_("The field “%(name)s” does not contain “%(text)s”"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _so(attribute(self.name).icontains(self.text, autoescape=True))


@rule("field_one_of")
@dataclass(frozen=True, slots=True)
class FieldOneOf(Rule):
    """A field holds one of these choices."""

    name: str = told(NAME)
    texts: tuple[str, ...] = told(TEXTS)
    SAYS = (N_("The field “%(name)s” is one of: %(texts)s"), N_("The field “%(name)s” is none of: %(texts)s"))

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _so(attribute(self.name).in_(self.texts))


@rule("field_at_least")
@dataclass(frozen=True, slots=True)
class FieldAtLeast(Rule):
    """A field holds a number that is no smaller."""

    name: str = told(NAME)
    number: float = told(NUMBER)
    SAYS = (
        N_("The field “%(name)s” is a number of at least %(number)s"),
        N_("The field “%(name)s” is not a number of at least %(number)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _so(attribute(self.name).regexp_match(NUMERIC), _number(self.name) >= float(self.number))


@rule("field_at_most")
@dataclass(frozen=True, slots=True)
class FieldAtMost(Rule):
    """A field holds a number that is no larger."""

    name: str = told(NAME)
    number: float = told(NUMBER)
    SAYS = (
        N_("The field “%(name)s” is a number of at most %(number)s"),
        N_("The field “%(name)s” is not a number of at most %(number)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        return _so(attribute(self.name).regexp_match(NUMERIC), _number(self.name) <= float(self.number))


@rule("field_before")
@dataclass(frozen=True, slots=True)
class FieldBefore(Rule):
    """A field holds a date that is earlier."""

    name: str = told(NAME)
    day: date = told(DATE)
    SAYS = (
        N_("The field “%(name)s” is a date before %(day)s"),
        N_("The field “%(name)s” is not a date before %(day)s"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        held = attribute(self.name)
        return _so(held.regexp_match(DATED), held < self.day.isoformat())


@rule("field_since")
@dataclass(frozen=True, slots=True)
class FieldSince(Rule):
    """A field holds this date or a later one."""

    name: str = told(NAME)
    day: date = told(DATE)
    SAYS = (
        N_("The field “%(name)s” is %(day)s or a later date"),
        N_("The field “%(name)s” is not %(day)s or a later date"),
    )

    def where(self, now: datetime) -> ColumnElement[bool]:  # noqa: ARG002
        held = attribute(self.name)
        return _so(held.regexp_match(DATED), held >= self.day.isoformat())


# The rules that make sense of each kind of field.
OF_KIND: dict[str, tuple[type[Rule], ...]] = {
    FieldKind.TEXT.value: (FieldIs, FieldContains, FieldOneOf, FieldKnown),
    FieldKind.NUMBER.value: (FieldAtLeast, FieldAtMost, FieldKnown),
    FieldKind.DATE.value: (FieldBefore, FieldSince, FieldKnown),
    FieldKind.CHOICE.value: (FieldOneOf, FieldKnown),
}


def _number(name: str) -> ColumnElement[float]:
    return cast(attribute(name), Double())
