"""Parity: what must be the same in every language, and is every text in its place?"""

from __future__ import annotations

import pytest

from mobilizer.appeals.parity import parity
from mobilizer.appeals.scripts import foreign_script
from tests.appeals.conftest import PALABRAS, WORDS, an_appeal, blank

ARABIC = dict.fromkeys(WORDS, "فيلم قصير عن الحب الذي ينتصر دائما")
ARABIC["greeting"] = "{{ first_name }} أهلا"
ARABIC["body"] = "شاهد [الفيلم](https://example.org/film) [اقرأ](https://example.net/why) {{ first_name }}"


def found(**changes: str) -> list[tuple[str, str, str]]:
    """(code, where, severity) of each problem after changes to the Spanish words."""
    appeal = an_appeal()
    for name, value in changes.items():
        setattr(appeal.translations[1], name, value)
    assert all("%(" not in problem.text() for problem in parity(appeal))
    return [(problem.code, problem.where, problem.severity) for problem in parity(appeal)]


def test_an_appeal_that_says_the_same_in_both_languages_has_no_problem() -> None:
    assert found() == []


def test_right_to_left_words_in_their_place_are_no_problem() -> None:
    appeal = an_appeal()
    appeal.translations[1] = blank("ar", **ARABIC)
    assert parity(appeal) == []


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"body": PALABRAS["body"].replace(", {{ first_name }}", "")}, "appeal.tag_missing", "body"),
        ({"body": PALABRAS["body"] + " {{ country }}"}, "appeal.tag_extra", "body"),
        ({"greeting": "Hola:"}, "appeal.tag_missing", "greeting"),
        ({"body": PALABRAS["body"].replace("[lee](https://example.net/why)", "lee")}, "appeal.link_missing", "body"),
        ({"body": PALABRAS["body"] + " [más](https://example.com/x)"}, "appeal.link_extra", "body"),
        ({"body": PALABRAS["body"] + " {{ shoe }}"}, "tags.unknown", "body"),
        ({"body": WORDS["body"]}, "appeal.untranslated", "body"),
        ({"subject": "Объятие, которое она лишь представила"}, "appeal.wrong_script", "subject"),
    ],
)
def test_a_difference_is_an_error_with_its_place(changes: dict[str, str], code: str, field: str) -> None:
    assert (code, f"translations.es.{field}", "error") in found(**changes)


def test_a_link_to_another_site_is_missing_and_extra() -> None:
    codes = [code for code, _, _ in found(body=PALABRAS["body"].replace("example.net", "example.com"))]
    assert codes == ["appeal.link_missing", "appeal.link_extra"]


def test_another_language_of_the_same_page_stands_for_the_link() -> None:
    assert found(body=PALABRAS["body"].replace("example.net/why", "www.example.net/es/por-que")) == []


def test_the_whole_name_may_stand_for_the_first_name() -> None:
    assert found(greeting="Hola, {{ name }}:") == []


def test_empty_fields_are_left_to_completeness() -> None:
    assert found(**dict.fromkeys(WORDS, "")) == []


def test_captions_that_only_the_source_has_are_a_warning() -> None:
    appeal = an_appeal()
    appeal.translations[0].captions = f"{'c' * 40}.vtt"
    assert [(p.code, p.severity) for p in parity(appeal)] == [("appeal.no_captions", "warning")]


@pytest.mark.parametrize("kind", ["poster", "video"])
def test_a_poster_or_video_that_is_nowhere_is_an_error(kind: str) -> None:
    appeal = an_appeal()
    setattr(appeal, kind, "")
    assert [(p.code, p.where) for p in parity(appeal)] == [(f"appeal.no_{kind}", kind)]
    setattr(appeal.translations[0], kind, f"{'d' * 40}.jpg")
    (problem,) = parity(appeal)
    assert problem.code == f"appeal.no_{kind}_in"
    assert "Español" in problem.text()


@pytest.mark.parametrize(
    ("text", "tag", "script"),
    [
        ("Love always wins", "en", None),
        ("Love always wins", "ar", "Latn"),
        ("الحب ينتصر دائما", "ar", None),
        ("الحب ينتصر دائما", "fa", None),
        ("الحب ينتصر دائما", "en", "Arab"),
        ("Любовь побеждает", "sr-Latn", "Cyrl"),
        ("Любовь побеждает", "sr", None),
        ("愛は必ず勝つ、いつも", "ja", None),
        ("愛は必ず勝つ、いつも", "zh", "Hira"),
        ("爱永远会胜利的，一直如此", "zh", None),
        ("사랑은 언제나 이긴다", "ko", None),
        ("OK", "ar", None),
        ("", "ar", None),
        ("{{ first_name | \"friend\" }} https://example.org/love", "ar", None),
        ("🏳️‍🌈 2014 !!!", "ar", None),
    ],
)  # fmt: skip
def test_the_script_of_a_text_is_seen(text: str, tag: str, script: str | None) -> None:
    assert foreign_script(text, tag) == script
