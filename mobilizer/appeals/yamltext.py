"""Appeals: YAML as plain text, both ways. Every value is a string as written: `no` is Norwegian, not False."""

from __future__ import annotations

from typing import Any

import yaml

from mobilizer.problems import N_, Problem

MAX_LETTERS = 500_000

Tree = dict[str, "Tree | str"]


class BadYaml(ValueError):
    """A text that no tree of strings can be read from; `problem` says where and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


def read_tree(text: str) -> Tree:
    """The mappings and strings of a YAML text. Raises BadYaml for all else: lists, aliases, a key given twice."""
    if len(text) > MAX_LETTERS:
        message = N_("The file is too long (letters: %(length)d, at most: %(most)d). Is it the right file?")
        raise BadYaml(Problem("file.too_long", message, {"length": len(text), "most": MAX_LETTERS}))
    try:
        root = _PlainLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise BadYaml(_not_yaml(error.problem_mark, error.problem or "")) from None
    except yaml.YAMLError as error:
        raise BadYaml(_not_yaml(None, str(error).splitlines()[0])) from None
    except RecursionError:
        raise BadYaml(_not_yaml(None, "nested too deep")) from None
    tree = _plain(root, "") if root else {}
    if isinstance(tree, str):
        raise BadYaml(Problem("file.no_mapping", N_("The file has text but no fields. Begin it with “slug: ...”.")))
    return tree


def write_tree(tree: dict[str, Any]) -> str:
    """A tree as YAML that people like to read: in its order, letters as they are, long texts as blocks."""
    written: str = yaml.dump(tree, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, width=1_000_000)
    return written


class _PlainLoader(yaml.SafeLoader):
    """Reads structure only: no types are guessed, nothing is constructed."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own shape

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            # A few aliases of aliases make gigabytes ("billion laughs"); an appeal needs none.
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="an alias (*name) is not used here", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


class _PlainDumper(yaml.SafeDumper):
    pass


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlainDumper.add_representer(str, _block)


def _plain(node: yaml.Node, place: str) -> Tree | str:
    if isinstance(node, yaml.ScalarNode):
        empty = node.style is None and node.value in ("~", "null")
        return "" if empty else str(node.value)
    if not isinstance(node, yaml.MappingNode):
        message = N_("Line %(line)d has a list where a text belongs. Write the words after “%(place)s:”.")
        params = {"line": node.start_mark.line + 1, "place": place}
        raise BadYaml(Problem("file.list", message, params, where=place))
    tree: Tree = {}
    for key_node, value_node in node.value:
        key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
        inside = f"{place}.{key}" if place else key
        if key in tree or not key:
            message = N_("Line %(line)d gives “%(place)s” a second time. Keep one of the two.")
            params = {"line": key_node.start_mark.line + 1, "place": inside}
            raise BadYaml(Problem("file.twice", message, params, where=inside))
        tree[key] = _plain(value_node, inside)
    return tree


def _not_yaml(mark: yaml.Mark | None, why: str) -> Problem:
    message = N_("Line %(line)d, column %(column)d cannot be read as YAML: %(why)s. Texts with a colon need quotes.")
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Problem("file.not_yaml", message, {"line": line, "column": column, "why": why[:200]})
