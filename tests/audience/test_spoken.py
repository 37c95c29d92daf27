"""Languages and countries as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mobilizer.audience.spoken import spoken, territory
from mobilizer.languages import MEMBER_LANGUAGES, UnknownLanguage, canonical, language


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("es", "es"),
        ("ES", "es"),
        ("spa", "es"),
        ("Spanish", "es"),
        ("español", "es"),
        ("ESPANOL", "es"),
        (" Español ", "es"),
        ("Castellano", "es"),
        ("Espagnol", "es"),
        ("Spanisch", "es"),
        ("الإسبانية", "es"),
        ("es_MX", "es-MX"),
        ("es-mx", "es-MX"),
        ("es_MX.UTF-8", "es-MX"),
        ("Español (México)", "es-MX"),
        ("Spanish (Mexico)", "es-MX"),
        ("Brazilian Portuguese", "pt-BR"),
        ("Português", "pt"),
        ("francés", "fr"),
        ("العربية", "ar"),
        ("عربي", None),
        ("iw", "he"),
        ("Filipino", "fil"),
        ("Русский", "ru"),
        ("日本語", "ja"),
        ("klingon", None),
        ("", None),
        ("xx", None),
        ("12", None),
        ("es pt", None),
        ("x" * 10_000, None),
    ],
)
def test_a_language_is_understood_as_written(written: str, tag: str | None) -> None:
    if tag is None:
        with pytest.raises(UnknownLanguage):
            spoken(written)
    else:
        assert spoken(written) == tag


@pytest.mark.parametrize("tag", MEMBER_LANGUAGES)
@pytest.mark.parametrize("said_in", MEMBER_LANGUAGES)
def test_each_language_is_known_by_its_name_in_each_other(tag: str, said_in: str) -> None:
    assert spoken(language(tag).name_in(said_in)) == tag
    assert spoken(language(tag).own_name) == tag


@given(st.text(max_size=30))
def test_whatever_is_written_gives_a_usual_tag_or_is_unknown(text: str) -> None:
    try:
        tag = spoken(text)
    except UnknownLanguage:
        return
    assert canonical(tag) == tag


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("MX", "MX"),
        ("mx", "MX"),
        ("Mexico", "MX"),
        ("México", "MX"),
        ("DEU", "DE"),
        ("Alemania", "DE"),
        ("Narnia", None),
    ],
)
def test_a_country_is_understood_as_written(written: str, code: str | None) -> None:
    assert territory(written) == code
