"""Web: the sentence builder. Groups of rules as a form holds them, to and from rules; every button posts it whole."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from mobilizer.problems import Problem
from mobilizer.segments.kinds import DRAW, HIGHEST_DRAW
from mobilizer.segments.rules import RULES, Rule, asked_by, write_rule
from mobilizer.segments.tree import MOST_RULES, ROOT, All, BadRules, Node, Not, read_rules
from mobilizer.segments.tree import Any as AnyOf

MATCHES = ("all", "any")
MOST_GROUPS = 20
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_FRACTION = re.compile(r"-?[0-9]{1,18}[.,][0-9]{1,18}")


@dataclass(slots=True)
class Row:
    """One rule: its word, whether the opposite is meant, and its values as they were typed."""

    word: str
    opposite: bool = False
    values: dict[str, str] = field(default_factory=dict)

    def written(self) -> object:
        """As read_rules wants it."""
        kinds = asked_by(self.word)
        rule: object = {
            "rule": self.word,
            **{name: _value(kind.name, self.values.get(name, "")) for name, kind in kinds.items()},
        }
        return {"not": rule} if self.opposite else rule


@dataclass(slots=True)
class Group:
    """Rules of which all must be so, or any."""

    match: str = "all"
    rows: list[Row] = field(default_factory=list)


@dataclass(slots=True)
class Form:
    """The whole form: a name, and groups of which all must be so, or any."""

    name: str = ""
    match: str = "all"
    groups: list[Group] = field(default_factory=lambda: [Group()])

    def document(self) -> list[object]:
        """The rules as JSON."""
        groups: list[object] = [{group.match: [row.written() for row in group.rows]} for group in self.groups]
        return groups if self.match == "all" else [{"any": groups}]

    def rules(self) -> All:
        """The rules. Raises tree.BadRules."""
        return read_rules(self.document())

    def place(self, group: int, row: int | None = None, name: str = "") -> str:
        """Where a problem says that a group is, one of its rows, or a field of it."""
        found = f"{ROOT}.{group}" if self.match == "all" else f"{ROOT}.0.any.{group}"
        found += f".{self.groups[group].match}"
        if row is None:
            return found
        ending = ".not" if self.groups[group].rows[row].opposite else ""
        return f"{found}.{row}{ending}" + (f".{name}" if name else "")

    def act(self, act: str, new: Mapping[int, str]) -> tuple[int, int] | None:
        """Do what a button asks: add-0, remove-0-1, group, ungroup-1. `new` has the word chosen for each group.

        Returns the group and row that were added, if one was.
        """
        verb, *numbers = act.split("-")
        group, row = ([int(one) if one.isdecimal() else -1 for one in numbers] + [-1, -1])[:2]
        if verb == "group" and len(self.groups) < MOST_GROUPS:
            self.groups.append(Group(match="any"))
        elif verb == "ungroup" and 0 <= group < len(self.groups) > 1:
            del self.groups[group]
        elif verb == "remove" and 0 <= group < len(self.groups) and 0 <= row < len(self.groups[group].rows):
            del self.groups[group].rows[row]
        elif verb == "add" and 0 <= group < len(self.groups):
            # A rule of a field that is defined comes with its key.
            word, _, key = new.get(group, "").partition(":")
            if word in RULES:
                self.groups[group].rows.append(Row(word, values={"name": key} if key else _fresh(word)))
                return group, len(self.groups[group].rows) - 1
        return None


def read_form(posted: MultiDict[str, str]) -> Form:
    """The form as it was posted: of rules no more than enough to say that there are too many.

    No rule is left out, for then more people would fit: one that nobody knows (of a page that is older than this
    version) is a bad request. Raises werkzeug.exceptions.BadRequest.
    """
    form = Form(posted.get("name", "").strip(), _match(posted, "match"), [])
    for number in _numbers(r"g([0-9]{1,4})(?:-match|r[0-9]{1,4}-rule)", posted)[: MOST_RULES + 1]:
        group = Group(_match(posted, f"g{number}-match"))
        for row in _numbers(rf"g{number}r([0-9]{{1,4}})-rule", posted)[: MOST_RULES + 1]:
            start = f"g{number}r{row}-"
            word = posted[f"{start}rule"]
            if word not in RULES:
                raise BadRequest
            # Boxes that are ticked are lines like those of a text.
            values = {name: "\n".join(posted.getlist(start + name)).strip() for name in asked_by(word)}
            group.rows.append(Row(word, bool(posted.get(f"{start}not")), values))
        form.groups.append(group)
    return form if form.groups else Form(form.name, form.match)


def filled(name: str, rules: All) -> Form | None:
    """The form of saved rules; None where they are nested deeper than it shows."""
    match rules.parts:
        case (AnyOf(parts),) if not any(map(_is_row, parts)):
            groups = [_group(part) for part in parts]
            wanted = "any"
        case parts if all(map(_is_row, parts)):
            groups = [Group("all", [_row(part) for part in parts])]
            wanted = "all"
        case parts:
            groups = [_group(part) for part in parts]
            wanted = "all"
    known = [group for group in groups if group is not None]
    return Form(name, wanted, known) if len(known) == len(groups) else None


def by_place(problems: BadRules | None) -> dict[str, Problem]:
    """The first problem of each place."""
    found: dict[str, Problem] = {}
    for one in problems.problems if problems else ():
        found.setdefault(one.where, one)
    return found


def _match(posted: Mapping[str, str], name: str) -> str:
    wanted = posted.get(name, "")
    return wanted if wanted in MATCHES else "all"


def _numbers(pattern: str, posted: Mapping[str, str]) -> list[int]:
    """The numbers in the names of a form's fields, in order."""
    return sorted({int(found[1]) for name in posted if (found := re.fullmatch(pattern, name))})


def _is_row(node: Node) -> bool:
    return isinstance(node, Rule) or (isinstance(node, Not) and isinstance(node.part, Rule))


def _group(node: Node) -> Group | None:
    match node:
        case All(parts) | AnyOf(parts) if all(map(_is_row, parts)):
            return Group("all" if isinstance(node, All) else "any", [_row(part) for part in parts])
        case node if _is_row(node):
            return Group("all", [_row(node)])
        case _:
            return None


def _fresh(word: str) -> dict[str, str]:
    """The values of a new rule: a draw gets a number that no other is likely to have, so that it draws others."""
    drawing = [name for name, kind in asked_by(word).items() if kind is DRAW]
    return {name: str(1 + secrets.randbelow(HIGHEST_DRAW)) for name in drawing}


def _row(node: Node) -> Row:
    rule = node.part if isinstance(node, Not) else node
    if not isinstance(rule, Rule):
        raise TypeError("a row holds one rule")
    values = {name: _typed(value) for name, value in write_rule(rule).items() if name != "rule"}
    return Row(rule.WORD, isinstance(node, Not), values)


def _typed(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _value(kind: str, typed: str) -> object:
    """What was typed, as JSON has it; of no use, it stays as it is, and the rules say what is wrong."""
    match kind:
        case "list" | "blast" | "member" | "days" | "share" | "people" | "draw" if _WHOLE.fullmatch(typed):
            return int(typed)
        case "tags":
            return [int(line) if _WHOLE.fullmatch(line) else line for line in typed.split()]
        case "number" if _WHOLE.fullmatch(typed):
            return int(typed)
        case "number" if _FRACTION.fullmatch(typed):
            return float(typed.replace(",", "."))
        case "texts":
            return [line.strip() for line in typed.splitlines() if line.strip()]
        case _:
            return typed
