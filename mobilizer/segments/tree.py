"""Segments: rules in groups. All of these, any of these, not this; read from JSON with what is wrong and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any as Anything

from sqlalchemy import ColumnElement, Select, and_, not_, or_, true

from mobilizer.blasts.drawn import is_drawn
from mobilizer.problems import N_, Problem
from mobilizer.segments import deeds as deeds  # each registers its rules
from mobilizer.segments import fields as fields
from mobilizer.segments import people as people
from mobilizer.segments.draws import DrawnFew
from mobilizer.segments.kinds import BLAST, LIST, NAME, TAGS, Kind
from mobilizer.segments.rules import RULES, Rule, asked_by, read_rule, write_rule
from mobilizer.segments.voice import Names, Voice

MOST_RULES = 50
DEEPEST = 5
ROOT = "rules"
SHOWN = 40  # letters of what is not understood


@dataclass(frozen=True, slots=True)
class All:
    """Whoever fits every part."""

    parts: tuple[Node, ...]

    def where(self, now: datetime) -> ColumnElement[bool]:
        """The condition on Member. What draws so many people draws them of whom the other parts find."""
        others = self.others(now)
        drawn = [(is_drawn(name, people), opposite) for name, people, opposite in self.draws(now)]
        return and_(others, *(not_(one) if opposite else one for one, opposite in drawn))

    def others(self, now: datetime) -> ColumnElement[bool]:
        """Whom the parts find that draw nobody."""
        return and_(true(), *(part.where(now) for part in self.parts if _drawn(part) is None))

    def draws(self, now: datetime) -> Iterator[tuple[str, Select[int], bool]]:
        """(name, people, whether the opposite is meant) of each part that draws so many people."""
        rest = [_written(part) for part in self.parts if _drawn(part) is None]
        for part in self.parts:
            few = _drawn(part)
            if few is not None:
                yield few.name(rest), few.of(self.others(now), now), isinstance(part, Not)


@dataclass(frozen=True, slots=True)
class Any:
    """Whoever fits at least one part."""

    parts: tuple[Node, ...]

    def where(self, now: datetime) -> ColumnElement[bool]:
        """The condition on Member."""
        return or_(*(part.where(now) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Not:
    """Whoever does not fit the part; if it is not `sure`, also those of whom nobody knows."""

    part: Node
    sure: bool = True

    def where(self, now: datetime) -> ColumnElement[bool]:
        """The condition on Member."""
        if isinstance(self.part, Any):  # said one by one, so that a database may join each
            return and_(*(Not(each, self.sure).where(now) for each in self.part.parts))
        if not self.sure:
            return not_(self.part.where(now))
        return _opposite(self.part, now)


def _opposite(part: Node, now: datetime) -> ColumnElement[bool]:
    """The condition on Member of whom it is known that the part does not fit."""
    match part:
        case All(parts) if all(_drawn(each) is None for each in parts):
            return or_(*(Not(each).where(now) for each in parts))
        case All() | Any():
            return not_(part.where(now))
        case Not(inside):
            return inside.where(now)
        case _:
            return part.opposite(now)


def _drawn(part: Node) -> DrawnFew | None:
    """The draw of so many people that a part is, or the opposite of."""
    inside = part.part if isinstance(part, Not) else part
    return inside if isinstance(inside, DrawnFew) else None


Node = Rule | All | Any | Not
GROUPS: dict[str, type[All] | type[Any]] = {"all": All, "any": Any}


class BadRules(ValueError):
    """Rules that can't be used; each of `problems` says where, as in “rules.1.any.0”."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{one.where}: {one.text()}" for one in problems))
        self.problems = tuple(problems)


def read_rules(data: object) -> All:
    """Rules from JSON: a list of which all must be so. Raises BadRules.

    Each is `{"rule": word, ...}` with the rule's fields, `{"all": [...]}`, `{"any": [...]}` or `{"not": {...}}`.
    """
    rules = All(_parts(data, ROOT, 0))
    if sum(1 for _ in each_rule(rules)) > MOST_RULES:
        raise _too_many(ROOT)
    return rules


def write_rules(rules: All) -> list[object]:
    """Rules as JSON: what `read_rules` reads."""
    return [_written(part) for part in rules.parts]


def each_rule(node: Node, where: str = ROOT) -> Iterator[tuple[str, Rule]]:
    """(where, rule) of every rule, in order."""
    match node:
        case All(parts) | Any(parts):
            for at, part in enumerate(parts):
                yield from each_rule(part, f"{where}.{at}{_word(part)}")
        case Not(part):
            yield from each_rule(part, f"{where}{_word(part)}")
        case _:
            yield where, node


def drawings(node: Node, now: datetime) -> Iterator[tuple[str, Select[int]]]:
    """(name, people) of every draw of so many people by lot, each after those that it draws from."""
    match node:
        case All(parts):
            for part in parts:
                if _drawn(part) is None:
                    yield from drawings(part, now)
            yield from ((name, people) for name, people, _ in node.draws(now))
        case Any(parts):
            for part in parts:
                yield from drawings(part, now)
        case Not(part):
            yield from drawings(part, now)
        case DrawnFew():
            yield node.name(), node.of(true(), now)


def disjoint(rules: All) -> Iterator[All]:
    """Rules without groups of which any may be so: who fits `rules` fits exactly one of them, and nobody else does.

    Databases join what must all be so; where any may be they look at one member after the other.
    """
    group = next((part for part in rules.parts if isinstance(part, Any)), None)
    if group is None:
        yield rules
        return
    others = tuple(part for part in rules.parts if part is not group)
    for at, part in enumerate(group.parts):
        inside = part.parts if isinstance(part, All) else (part,)
        yield from disjoint(All((*others, *inside, *(Not(before, sure=False) for before in group.parts[:at]))))


def gone(rules: All, names: Names) -> list[Problem]:
    """What the rules name that is not there any more, or not yet, and where."""
    return [
        replace(problem, where=f"{where}.{name}")
        for where, one in each_rule(rules)
        for name, kind in asked_by(one.WORD).items()
        if (problem := _gone(one, kind, getattr(one, name), names))
    ]


def _gone(one: Rule, kind: Kind, value: Anything, names: Names) -> Problem | None:
    """What is wrong with what a rule names by a value of a kind."""
    if kind is NAME and value in names.fields and names.fields[value].retired:
        message = N_(
            "A rule names the field “%(field)s”, which is retired. Bring the field back, or take the rule out."
        )
        return Problem("segment.field_gone", message, {"field": value})
    if kind is LIST and value not in names.lists:
        return Problem("segment.list_gone", N_("A rule names a list that is gone. Choose another list."))
    if kind is TAGS and not set(value) <= names.tags.keys():
        return Problem("segment.tag_gone", N_("A rule names a tag that is gone. Choose the tags again."))
    if kind is BLAST and value not in names.blasts:
        return Problem("segment.blast_gone", N_("A rule names a blast that is gone. Choose another blast."))
    if isinstance(one, deeds.DidInBlast | deeds.RecruitedInBlast) and value in names.uncounted:
        return not_counted(names.blasts[value])
    if isinstance(one, deeds.FallsBack) and value not in names.worded:
        message = N_("Which languages “%(blast)s” has is settled when it is launched. Choose a blast that is.")
        return Problem("segment.blast_unlaunched", message, {"blast": names.blasts[value]})
    return None


def not_counted(blast: str) -> Problem:
    """Why nobody can say what members did with a blast that was counted in sums, or not at all."""
    message = N_("“%(blast)s” was not counted by member: nobody can say who opened, clicked, watched or shared.")
    return Problem("segment.not_counted", message, {"blast": blast})


def outline(node: Node, voice: Voice, depth: int = 0, opposite: bool = False) -> Iterator[tuple[int, Problem]]:
    """(depth, sentence) of the rules line by line; the sentence of a group stands above those of its parts."""
    match node:
        case Not(part):
            yield from outline(part, voice, depth, not opposite)
        case All(parts) | Any(parts):
            yield depth, Problem("segment.group", _group_sentence(isinstance(node, All), opposite), {}, "warning")
            for each in parts:
                yield from outline(each, voice, depth + 1)
        case _:
            yield depth, node.label(voice, opposite)


def _group_sentence(every: bool, opposite: bool) -> str:
    if every:
        return N_("Not all of these:") if opposite else N_("All of these:")
    return N_("None of these:") if opposite else N_("At least one of these:")


def _word(node: Node) -> str:
    match node:
        case All():
            return ".all"
        case Any():
            return ".any"
        case Not():
            return ".not"
        case _:
            return ""


def _written(node: Node) -> object:
    match node:
        case All(parts) | Any(parts):
            return {_word(node)[1:]: [_written(part) for part in parts]}
        case Not(part):
            return {"not": _written(part)}
        case _:
            return write_rule(node)


def _bad(code: str, message: str, where: str, **params: object) -> BadRules:
    return BadRules([Problem(code, message, params, where=where)])


def _parts(data: object, where: str, depth: int) -> tuple[Node, ...]:
    """The parts of a group. Raises BadRules with what is wrong in any of them."""
    if not isinstance(data, list):
        raise _bad("segment.bad_group", N_("Here a list of rules is needed."), where)
    if not data:
        raise _bad("segment.empty", N_("Here is no rule. Add one: without any it would be everyone."), where)
    if len(data) > MOST_RULES:
        raise _too_many(where)
    parts: list[Node] = []
    problems: list[Problem] = []
    for at, one in enumerate(data):
        try:
            parts.append(_node(one, f"{where}.{at}", depth))
        except BadRules as bad:
            problems += bad.problems
    if problems:
        raise BadRules(problems)
    return tuple(parts)


def _too_many(where: str) -> BadRules:
    return _bad("segment.too_many", N_("There are too many rules: at most %(most)d."), where, most=MOST_RULES)


def _node(data: object, where: str, depth: int) -> Node:
    if isinstance(data, dict) and "rule" in data:
        return _rule(data, where)
    word, inside = next(iter(data.items())) if isinstance(data, dict) and len(data) == 1 else ("", None)
    if word not in (*GROUPS, "not"):
        message = N_("Here a rule is needed, or a group: “all”, “any” or “not”.")
        raise _bad("segment.bad_rule", message, where)
    if depth >= DEEPEST:
        message = N_("The rules are nested too deep: at most %(most)d groups within each other.")
        raise _bad("segment.too_deep", message, where, most=DEEPEST)
    if word == "not":
        return Not(_node(inside, f"{where}.not", depth + 1))
    return GROUPS[word](_parts(inside, f"{where}.{word}", depth + 1))


def _rule(data: Mapping[str, object], where: str) -> Rule:
    word = data["rule"]
    if not isinstance(word, str) or word not in RULES:
        message = N_("There is no rule called “%(word)s”.")
        raise _bad("segment.unknown_rule", message, where, word=str(word)[:SHOWN])
    unknown = sorted(str(name) for name in data.keys() - {"rule", *asked_by(word)})
    if unknown:
        message = N_("This rule has nothing called “%(name)s”.")
        raise _bad("segment.unknown_field", message, where, name=unknown[0][:SHOWN])
    found = read_rule(word, data)
    if not isinstance(found, Rule):
        raise BadRules([replace(problem, where=f"{where}.{name}") for name, problem in found])
    return found
