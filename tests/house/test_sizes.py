"""House: modules stay small, open with their place, and keep the manners that ruff and import-linter can't hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.house.reading import PACKAGE, files, functions, modules, tree, where

FILE_LINES, FUNCTION_LINES = 400, 60
MEDIAN_LINES, NINE_IN_TEN_LINES = 9, 30
BANNED = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "service", "handler", "models"}
# What a module's first word says of its place, where that is not its package's name.
PLACES = {"": {"Ground", "Jobs", "Faces", "The top of the house"}, "cli": {"Face"}, "migrations": {"Ground"}}
FACES = {"web", "public"}

# Where everything may be caught, and why nothing is lost by it.
CATCH_ALL = {
    "mobilizer/delivery/slices.py": "a fault is being raised already: the last try to save answers must not hide it",
    "mobilizer/jobs.py": "the edge of a job: told by its kind, for RQ keeps and prints an error's words",
    "mobilizer/recording.py": "the edge of a thread: what it carries stays where it is, and is tried again",
}


def test_no_file_is_longer_than_400_lines() -> None:
    long = {where(path): len(path.read_text("utf-8").splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > FILE_LINES} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    assert [(name, lines) for path in modules() for name, lines in functions(path) if lines > FUNCTION_LINES] == []


def test_most_functions_are_short() -> None:
    lengths = [lines for path in modules() for _, lines in functions(path)]
    assert median(lengths) <= MEDIAN_LINES
    assert quantiles(lengths, n=10)[-1] <= NINE_IN_TEN_LINES


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = [path for path in PACKAGE.rglob("*") if path.suffix in ("", ".py") and path.stem in BANNED]
    assert [where(path) for path in names if path.is_dir() or path.suffix == ".py"] == []


@pytest.mark.parametrize("path", modules(), ids=where)
def test_a_module_opens_with_its_place_in_the_house(path: Path) -> None:
    opening = ast.get_docstring(tree(path)) or ""
    assert opening.strip(), f"{where(path)} has no docstring"
    package = path.relative_to(PACKAGE).parts[0] if path.parent != PACKAGE else ""
    places = PLACES.get(package, {package.capitalize()}) | ({"Face"} if package in FACES else set())
    place = re.split(r"[:.]", opening)[0]
    assert place in places or path == PACKAGE / "__init__.py", f"{where(path)} opens with “{opening.splitlines()[0]}”"


def test_only_settings_reads_the_environment() -> None:
    reads = [where(path) for path in modules() if _names_environment(tree(path))]
    assert reads == ["mobilizer/settings.py"]


def test_nothing_is_caught_whole_but_where_a_reason_is_written_down() -> None:
    caught = {where(path) for path in modules() if any(_catches_all(tree(path)))}
    assert caught == set(CATCH_ALL)


def _names_environment(module: ast.Module) -> bool:
    return any(
        (
            isinstance(node, ast.Attribute)
            and node.attr in ("environ", "getenv", "putenv", "environb")
            and ast.unparse(node.value) != "request"  # of which a web server tells (PEP 3333)
        )
        or (isinstance(node, ast.ImportFrom) and any(one.name in ("environ", "getenv") for one in node.names))
        for node in ast.walk(module)
    )


def _catches_all(module: ast.Module) -> Iterator[int]:
    """Lines of `except:`, `except Exception` and `except BaseException` whose last word is not `raise`."""
    for node in ast.walk(module):
        if isinstance(node, ast.ExceptHandler) and _is_all(node.type):
            last = node.body[-1]
            if not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno


def _is_all(kind: ast.expr | None) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(one is None or (isinstance(one, ast.Name) and one.id in ("Exception", "BaseException")) for one in kinds)


# -- pages ---------------------------------------------------------------------------------------------

TEMPLATES = [*files("mobilizer/web/templates", ".html"), *files("mobilizer/public/templates", ".html")]
STYLES = [*files("mobilizer/web/static", ".css"), *files("mobilizer/public/static", ".css")]
STATIC = [*STYLES, *files("mobilizer/web/static", ".js", ".svg"), *files("mobilizer/public/static", ".js", ".svg")]

# Names of XML vocabularies: nothing is ever fetched from there.
VOCABULARIES = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")
PHYSICAL = re.compile(
    r"(?:^|[;{\s])(?:"
    r"(?:margin|padding|border|scroll-margin|scroll-padding|inset)-(?:left|right)(?:-[a-z]+)?"
    r"|border-(?:top|bottom)-(?:left|right)-radius|left|right)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)\b"
)


def test_there_are_pages_to_look_at() -> None:
    assert len(TEMPLATES) > 20
    assert len(STYLES) >= 2


@pytest.mark.parametrize("path", TEMPLATES, ids=where)
def test_a_page_has_no_style_or_script_in_its_markup(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.findall(r"\s(?:style|on[a-z]+)\s*=\s*[\"']", text) == []
    assert re.findall(r"<style|<script(?![^>]*\bsrc=)|javascript:", text) == []


@pytest.mark.parametrize("path", STYLES, ids=where)
def test_a_style_sheet_names_no_left_and_no_right(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    assert [line.strip() for line in text.splitlines() if PHYSICAL.search(line)] == []


@pytest.mark.parametrize("path", [*TEMPLATES, *STATIC], ids=where)
def test_nothing_of_a_page_comes_from_another_place(path: Path) -> None:
    text = path.read_text("utf-8")
    for name in VOCABULARIES:
        text = text.replace(name, "")
    loaded = re.findall(r"(?:src|srcset|poster|url\(|@import)\s*[=(]?\s*[\"']?((?:https?:)?//[^\s\"')]+)", text)
    assert loaded == []
    if path in STATIC:
        assert re.findall(r"https?://[^\s\"')]+", text) == []


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("a { margin-left: 1px }", True),
        ("a { color: red; left: 0; }", True),
        ("a { text-align: right }", True),
        ("a { float: left }", True),
        ("a { border-top-left-radius: 2px }", True),
        ("a { margin-inline-start: 1px; text-align: start; inset-inline-end: 0 }", False),
        ("a { justify-content: left-ish; --right: 1px }", False),
    ],
)
def test_the_eye_for_left_and_right_sees_what_it_should(rule: str, wrong: bool) -> None:
    assert bool(PHYSICAL.search(rule)) is wrong
