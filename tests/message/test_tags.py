"""A merge tag names a value; whatever else stands in braces is a problem that says how to mend it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.message.tags import KNOWN, Tag, bad_tags, split, tag_problems, tags_in, unknown_tags


@pytest.mark.parametrize(
    ("text", "name", "fallback"),
    [
        ("{{ first_name }}", "first_name", ""),
        ("{{first_name}}", "first_name", ""),
        ('{{ first_name | "friend" }}', "first_name", "friend"),
        ("{{first_name|'friend'}}", "first_name", "friend"),
        ("{{ name | “amiga o amigo” }}", "name", "amiga o amigo"),
        ("{{ name | «صديق» }}", "name", "صديق"),
        ('{{ name | "" }}', "name", ""),
        ('{{ name | "a | b" }}', "name", "a | b"),
    ],
)
def test_a_merge_tag_is_a_name_and_maybe_a_fallback(text: str, name: str, fallback: str) -> None:
    assert tags_in(f"Dear {text}!") == (Tag(name, fallback, 5, 5 + len(text)),)
    assert not bad_tags(text)


@pytest.mark.parametrize(
    "text",
    ["{{ first_name", "first_name }}", "{{ }}", "{{ 1st }}", "{{ name | friend }}", '{{ name | "friend }}',
     "{{ name.__class__ }}", "{{ name | upper }}", "{% if name %}", "{# note #}", "{{ range(10) }}",
     '{{ name | "a" | "b" }}', "{{ {{ name }} }}", '{{ name | " }}'],
)  # fmt: skip
def test_anything_else_in_braces_is_a_problem_and_never_runs(text: str) -> None:
    problems = tag_problems(text, where="body")
    assert [problem.code for problem in problems][:1] == ["tags.syntax"]
    assert problems[0].where == "body"
    assert "{{ first_name }}" in problems[0].text()


def test_an_unknown_tag_is_named_with_those_there_are() -> None:
    (problem,) = tag_problems("Dear {{ frist_name }}, dear {{ frist_name }}", where="greeting")
    assert problem.code == "tags.unknown"
    assert "frist_name" in problem.text()
    assert all(name in problem.text() for name in KNOWN)
    assert unknown_tags("{{ a }} {{ b }} {{ a }} {{ name }}") == ("a", "b")


@given(st.text())
def test_splitting_loses_nothing_and_never_fails(text: str) -> None:
    assert "".join(p if isinstance(p, str) else text[p.start : p.end] for p in split(text)) == text
    tag_problems(text)


@given(st.text("{}|\"' ab", max_size=40))
def test_braces_are_either_a_tag_or_a_problem(text: str) -> None:
    rest = "".join(piece for piece in split(text) if isinstance(piece, str))
    assert bool(bad_tags(text)) == ("{{" in rest or "}}" in rest)
