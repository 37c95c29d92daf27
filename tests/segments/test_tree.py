"""Rules as JSON: read, written, refused with what is wrong and where."""

from __future__ import annotations

import json
from typing import Any

import pytest
from babel import Locale
from hypothesis import given, settings

from mobilizer.audience.fitting import Definition
from mobilizer.segments.rules import BLANK, RULES
from mobilizer.segments.tree import BadRules, disjoint, drawings, each_rule, gone, outline, read_rules, write_rules
from mobilizer.segments.voice import Names, Voice
from tests.segments.population import NOW, Population, documents, populations

SPANISH = {"rule": "language", "language": "es"}


def problems(document: object) -> list[tuple[str, str]]:
    with pytest.raises(BadRules) as caught:
        read_rules(document)
    return [(one.where, one.code) for one in caught.value.problems]


def nested(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = SPANISH
    for turn in range(depth):
        document = {"not": document} if turn % 2 else {"any": [document]}
    return document


@given(documents)
def test_what_is_written_is_read_as_the_same_rules(document: list[object]) -> None:
    rules = read_rules(document)
    kept = json.loads(json.dumps(write_rules(rules)))
    assert read_rules(kept) == rules
    assert write_rules(read_rules(kept)) == kept


@given(documents)
def test_every_rule_is_said_in_a_sentence_and_its_opposite_in_another(document: list[object]) -> None:
    voice = Voice(Locale("en"), Names({1: "Friends", 2: "Others"}, {1: "one", 2: "two"}))
    for _, rule in each_rule(read_rules(document)):
        said, opposite = rule.label(voice).text(), rule.label(voice, opposite=True).text()
        assert said != opposite
        assert "%(" not in said + opposite
        assert BLANK not in said


@settings(max_examples=50, deadline=None)
@given(populations(), documents)
def test_who_fits_rules_fits_exactly_one_of_those_they_are_taken_apart_into(
    population: Population, document: list[object]
) -> None:
    rules = read_rules(document)
    if not any(drawings(rules, NOW)):
        found = sorted(place for each in disjoint(rules) for place in population.fitting(each))
        assert found == sorted(population.fitting(rules))


def test_rules_are_told_line_by_line() -> None:
    voice = Voice(Locale("en"), Names({3: "Friends"}, {7: "love"}), isolates=False)
    rules = read_rules(
        [
            {"rule": "language_family", "language": "pt"},
            {
                "any": [
                    {"rule": "did_within", "act": "click", "days": 30},
                    {"not": {"rule": "did_in_blast", "act": "open", "blast": 7}},
                ]
            },
            {"not": {"all": [{"rule": "on_list", "list": 3, "standing": "confirmed"}]}},
        ]
    )
    assert [(depth, line.text()) for part in rules.parts for depth, line in outline(part, voice)] == [
        (0, "Speaks Portuguese, in any of its forms"),
        (0, "At least one of these:"),
        (1, "Clicked at most 30 days ago"),
        (1, "Did not open the blast “love”"),
        (0, "Not all of these:"),
        (1, "On the list “Friends” their standing is: confirmed"),
    ]


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        (None, [("rules", "segment.bad_group")]),
        ("everyone", [("rules", "segment.bad_group")]),
        ([], [("rules", "segment.empty")]),
        ([{"all": []}], [("rules.0.all", "segment.empty")]),
        ([17, SPANISH, None], [("rules.0", "segment.bad_rule"), ("rules.2", "segment.bad_rule")]),
        ([{}], [("rules.0", "segment.bad_rule")]),
        ([{"any": [SPANISH], "all": [SPANISH]}], [("rules.0", "segment.bad_rule")]),
        ([SPANISH, {"any": [{"rule": "shoe size"}]}], [("rules.1.any.0", "segment.unknown_rule")]),
        ([{"rule": ["language"]}], [("rules.0", "segment.unknown_rule")]),
        ([{"not": {"rule": "language"}}], [("rules.0.not.language", "segment.bad_value")]),
        ([{**SPANISH, "tongue": 1}], [("rules.0", "segment.unknown_field")]),
        ([{"rule": "language", "language": "klingon!"}], [("rules.0.language", "segment.bad_value")]),
        (
            [{"rule": "on_list", "list": "1", "standing": "there"}],
            [("rules.0.list", "segment.bad_value"), ("rules.0.standing", "segment.bad_value")],
        ),
        ([{"rule": "on_list", "list": True, "standing": "pending"}], [("rules.0.list", "segment.bad_value")]),
        ([{"rule": "joined_since", "day": "2026-02-30"}], [("rules.0.day", "segment.bad_value")]),
        ([{"rule": "joined_within", "days": 0}], [("rules.0.days", "segment.bad_value")]),
        ([{"rule": "source", "text": "a\0b"}], [("rules.0.text", "segment.bad_value")]),
        ([{"rule": "field_at_least", "name": "x", "number": float("nan")}], [("rules.0.number", "segment.bad_value")]),
        ([{"rule": "field_at_least", "name": "x", "number": 10**400}], [("rules.0.number", "segment.bad_value")]),
        ([SPANISH] * 51, [("rules", "segment.too_many")]),
        ([{"any": [SPANISH] * 26}, {"any": [SPANISH] * 25}], [("rules", "segment.too_many")]),
    ],
)
def test_bad_rules_are_refused_with_what_is_wrong_and_where(document: object, wrong: list[tuple[str, str]]) -> None:
    assert problems(document) == wrong


def test_rules_may_be_nested_five_deep_and_not_fifty() -> None:
    assert read_rules([nested(5)])
    [(where, code)] = problems([nested(50)])
    assert code == "segment.too_deep"
    assert where.count("any") + where.count("not") == 5
    assert read_rules([SPANISH] * 50)


def test_rules_that_name_what_is_gone_are_found() -> None:
    rules = read_rules(
        [
            {"any": [{"rule": "on_list", "list": 3, "standing": "confirmed"}, SPANISH]},
            {"not": {"rule": "got_blast", "blast": 7}},
        ]
    )
    assert gone(rules, Names({3: "Friends"}, {7: "love"})) == []
    found = [(one.where, one.code) for one in gone(rules, Names({4: "Others"}, {}))]
    assert found == [("rules.0.any.0.list", "segment.list_gone"), ("rules.1.not.blast", "segment.blast_gone")]


def test_of_a_blast_that_is_not_launched_nobody_says_who_falls_back() -> None:
    rules = read_rules([{"not": {"rule": "fallback", "blast": 7}}])
    assert gone(rules, Names(blasts={7: "love"}, worded=frozenset({7}))) == []
    [problem] = gone(rules, Names(blasts={7: "love"}))
    assert (problem.where, problem.code) == ("rules.0.not.blast", "segment.blast_unlaunched")


def test_rules_that_name_a_retired_field_are_found_and_others_of_fields_are_not() -> None:
    rules = read_rules([{"rule": "field_is", "name": "size", "text": "5"}, {"rule": "field_known", "name": "town"}])
    assert gone(rules, Names(fields={"size": Definition("size")})) == []
    [problem] = gone(rules, Names(fields={"size": Definition("size", retired=True)}))
    assert (problem.where, problem.code) == ("rules.0.name", "segment.field_gone")


def test_a_field_is_said_by_its_name_in_the_language_of_the_page() -> None:
    rules = read_rules([{"rule": "field_known", "name": "town"}])
    names = Names(fields={"town": Definition("town", labels={"es": "Ciudad"})})
    said = {tag: rules.parts[0].label(Voice(Locale(tag), names)).text() for tag in ("en", "es")}  # type: ignore[union-attr]
    assert said == {"en": "The field “town” is filled in", "es": "The field “Ciudad” is filled in"}


def test_every_rule_is_known_by_its_word() -> None:
    assert len(RULES) == 37
    assert {made.WORD: made for made in RULES.values()} == RULES
