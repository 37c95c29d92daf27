"""House: the documents are true where a machine can tell: links, commands, files, and the order of the records."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mobilizer.cli import main
from tests.house.reading import ROOT, where

DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
RECORDS = sorted((ROOT / "docs" / "adr").glob("*.md"))
NEEDED = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/glossary.md", "docs/operations.md", "docs/scaling.md")
PROGRAMS = ("mobilizer", ".venv/bin/mobilizer")


def text_of(path: Path) -> str:
    """A document's text."""
    return path.read_text(encoding="utf-8")


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text_of(path), flags=re.DOTALL), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    """Where a document's links and pictures lead, outside of code."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(path), flags=re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", prose)


def commands(path: Path) -> Iterator[str]:
    """Every command of ours that a document names: in code blocks line by line, in prose between backticks."""
    text = text_of(path)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL) for line in block.splitlines()]
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for line in [*lines, *re.findall(r"`([^`\n]+)`", prose)]:
        if line.split(" ")[0] in (*PROGRAMS, "make"):
            yield line


def problem_of(line: str) -> str:
    """What is wrong with a command line of ours; empty if nothing is."""
    program, *words = shlex.split(line, comments=True)
    if program == "make":
        return "" if set(words) - {word for word in words if "=" in word} <= make_targets() else "no such target"
    command: click.Command = main
    context = click.Context(main)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            option = next((p for p in command.params if word.partition("=")[0] in p.opts), None)
            if option is None and word not in ("--help", "-h", "--version"):
                return f"no option {word}"
            if isinstance(option, click.Option) and not option.is_flag and "=" not in word:
                words = words[1:]
        elif isinstance(command, click.Group) and word not in ("...", "…", ">"):
            found = command.get_command(context, word)
            if found is None:
                return f"no command {word}"
            command = found
    return ""


def make_targets() -> set[str]:
    """What `make` can be asked for."""
    return set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), flags=re.MULTILINE))


@pytest.mark.parametrize("name", NEEDED)
def test_each_document_that_people_look_for_is_there(name: str) -> None:
    assert text_of(ROOT / name).startswith("# ")


@pytest.mark.parametrize("path", DOCUMENTS, ids=where)
def test_links_lead_to_files_and_headings_that_exist(path: Path) -> None:
    for link in links(path):
        if link.startswith(("https://", "mailto:")):
            continue
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), f"{where(path)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{where(path)} links to {link}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=where)
def test_commands_that_a_document_names_exist(path: Path) -> None:
    wrong = {line: problem for line in commands(path) if (problem := problem_of(line))}
    assert wrong == {}


@pytest.mark.parametrize("path", [ROOT / name for name in ("README.md", "CONTRIBUTING.md")], ids=where)
def test_files_that_a_document_names_exist(path: Path) -> None:
    named = re.findall(r"`((?:mobilizer|tests|docs|templates)/[\w./-]*)`", text_of(path))
    lines = [line for line in text_of(path).splitlines() if "not built yet" not in line]
    assert named or links(path)
    assert [name for name in named if any(f"`{name}`" in line for line in lines) and not (ROOT / name).exists()] == []


@pytest.mark.parametrize("name", sorted(["demo", "test"]))
def test_the_two_commands_of_the_readme_are_targets(name: str) -> None:
    assert f"make {name}" in text_of(ROOT / "README.md")
    assert name in make_targets()


def test_every_family_of_commands_is_in_the_readme() -> None:
    readme = text_of(ROOT / "README.md")
    assert [name for name in main.list_commands(click.Context(main)) if f"mobilizer {name}" not in readme] == []


def test_records_are_numbered_without_gaps_and_open_with_their_number() -> None:
    numbers = [int(path.name.partition("-")[0]) for path in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))
    for number, path in zip(numbers, RECORDS, strict=True):
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
        assert re.match(rf"# {number}\. \S", text_of(path)), where(path)


@pytest.mark.parametrize("path", RECORDS, ids=where)
def test_a_record_says_what_was_decided_and_what_follows(path: Path) -> None:
    assert "**Decision.**" in text_of(path)
    assert re.search(r"\*\*What follows", text_of(path))


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("mobilizer demo --check --members 5000 --json", ""),
        ("mobilizer --home srv blasts proof love --language ar > mail.eml", ""),
        ("mobilizer dance", "no command dance"),
        ("mobilizer blasts proof love --tongue ar", "no option --tongue"),
        ("make test", ""),
        ("make believe", "no such target"),
    ],
)
def test_the_eye_for_commands_sees_what_it_should(line: str, wrong: str) -> None:
    assert problem_of(line) == wrong
