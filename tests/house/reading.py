"""House: reading our own sources. What the tests of size and manners look at."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mobilizer"


def where(path: Path) -> str:
    """A path as a person names it: from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def modules() -> list[Path]:
    """Every module of the product, migrations' revisions aside: a schema is as long as it is."""
    versions = PACKAGE / "migrations" / "versions"
    return sorted(path for path in PACKAGE.rglob("*.py") if versions not in path.parents)


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and length in lines of each function of a module, decorators and docstring included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield f"{where(path)}:{node.lineno} {node.name}", (node.end_lineno or first) - first + 1


def files(folder: str, *endings: str) -> list[Path]:
    """Files beneath a folder of the repository with one of these endings."""
    return sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in endings)


def kept_files() -> list[Path]:
    """Every file that git keeps, as it is in the working tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
