"""Segments: the rule, one thing that is so of a member or not. Each kind of rule is one dataclass, known by its word.

`where` is a condition on `Member` that is true or false, never NULL. Its opposite is everybody else; of what members
did, only of whom it is known.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, TypeVar

from sqlalchemy import ColumnElement, not_

from mobilizer.problems import Problem
from mobilizer.segments.kinds import Kind, Unfit, written
from mobilizer.segments.voice import Voice

BLANK = "…"


@dataclass(frozen=True, slots=True)
class Rule(ABC):
    """One thing that is so of a member, or is not. `SAYS` has the sentence for both, with %(field)s for each field."""

    WORD: ClassVar[str]
    SAYS: ClassVar[tuple[str, str]]

    @abstractmethod
    def where(self, now: datetime) -> ColumnElement[bool]:
        """The condition on Member, as of `now`: what "the last days" are counted from."""

    def opposite(self, now: datetime) -> ColumnElement[bool]:
        """The condition on Member of whom it is known that it is not so."""
        return not_(self.where(now))

    def sentences(self) -> tuple[str, str]:
        """The sentence and its opposite, as msgids."""
        return self.SAYS

    def label(self, voice: Voice, opposite: bool = False) -> Problem:
        """The rule as a sentence, its values said by a voice."""
        values = {one.name: voice.say(kind_of(one), getattr(self, one.name)) for one in fields(self)}
        return Problem(f"segment.{self.WORD}", self.sentences()[opposite], values, "warning")


RULES: dict[str, type[Rule]] = {}
Made = TypeVar("Made", bound=type[Rule])


def rule(word: str) -> Callable[[Made], Made]:
    """Register a class of rules by its word in JSON."""

    def register(made: Made) -> Made:
        made.WORD = word
        RULES[word] = made
        return made

    return register


def kind_of(one: Field[Any]) -> Kind:
    """The kind of value that a field of a rule holds."""
    kind: Kind = one.metadata["kind"]
    return kind


def asked_by(word: str) -> Mapping[str, Kind]:
    """The fields that a rule of this word asks for, and of which kind each is."""
    return MappingProxyType({one.name: kind_of(one) for one in fields(RULES[word])})


def read_rule(word: str, values: Mapping[str, object]) -> Rule | list[tuple[str, Problem]]:
    """A rule of a known word, or (field, what is wrong with it) of each bad one."""
    found: dict[str, Any] = {}
    wrong: list[tuple[str, Problem]] = []
    for name, kind in asked_by(word).items():
        try:
            found[name] = kind.read(values.get(name))
        except Unfit as unfit:
            wrong.append((name, unfit.problem))
    return wrong or RULES[word](**found)


def write_rule(one: Rule) -> dict[str, object]:
    """A rule as JSON has it."""
    return {"rule": one.WORD, **{each.name: written(getattr(one, each.name)) for each in fields(one)}}
