"""House: however long a text is, judging it ends. Where time grew with the square, these took minutes to years."""

from __future__ import annotations

import pytest

from mobilizer import languages
from mobilizer.appeals.editing import check_values
from mobilizer.appeals.fields import BY_NAME, tidy
from mobilizer.appeals.scripts import foreign_script
from mobilizer.audience.addresses import BadAddress, normalise
from mobilizer.audience.spoken import spoken, territory
from mobilizer.languages import UnknownLanguage, canonical, parents
from mobilizer.message.tags import tag_problems

LONG = 1_000_000


@pytest.mark.parametrize("text", ["a" * LONG, "<" * LONG, "a@" * LONG, "a" + " " * LONG + "b", "é" * LONG])
def test_an_endless_address_is_refused(text: str) -> None:
    with pytest.raises(BadAddress) as refused:
        normalise(text)
    assert refused.value.problem.code == "address.too_long"
    assert len(refused.value.problem.text()) < 300


@pytest.mark.parametrize("words", ["a" + " " * LONG + "b", "a" * LONG, "Spanish (" * LONG, "en" + "-aa" * LONG])
def test_endless_words_are_no_language_and_no_country(words: str) -> None:
    with pytest.raises(UnknownLanguage):
        spoken(words)
    assert territory(words) is None


@pytest.mark.parametrize("text", ["{{" * LONG, "{{ name | x" + " " * LONG + "y }}", "{% " * LONG, "}}" * LONG])
def test_endless_braces_are_a_few_problems(text: str) -> None:
    problems = tag_problems(text)
    assert 0 < len(problems) < 25
    assert {problem.code for problem in problems} == {"tags.syntax"}


def test_of_a_text_that_is_far_too_long_only_that_is_said() -> None:
    [problem] = check_values({"body": "{{ nobody }}" * LONG})
    assert problem.code == "appeal.too_long"


def test_endless_blanks_become_one_line() -> None:
    assert tidy(BY_NAME["subject"], " a" + " " * LONG + "b \n\t \n c\u2028") == "a" + " " * LONG + "b c"


def test_an_endless_word_is_still_in_its_script() -> None:
    assert foreign_script("ж" * LONG, "en") == "Cyrl"
    assert foreign_script("write to жжжжжж@жжжжжжжж.org " * 10, "en") is None


@pytest.mark.parametrize("tag", ["en." + "x" * 3000, "en@x", "en_" + "x" * 3000, "en.utf-8", "en\0", "", "e" * LONG])
def test_what_only_resembles_a_language_code_is_none(tag: str) -> None:
    with pytest.raises(UnknownLanguage):
        parents(tag)


def test_what_strangers_ask_for_is_not_remembered_without_end() -> None:
    """Addresses of public pages name languages: a memory of every one that was asked for would fill the server."""
    for lookup in (canonical, parents, languages.language, spoken, territory):
        assert lookup.cache_info().maxsize
