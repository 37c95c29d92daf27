"""A translation taken along and brought back, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest

from mobilizer.appeals.exchange import FORMATS
from mobilizer.organizers.policy import Role
from tests.web.appeal_stage import seen, words_of
from tests.web.conftest import Browser
from tests.worlds import World

ES = "/appeals/love-always-wins/words/es"
EN = "/appeals/love-always-wins/words/en"


@pytest.fixture
def translator(signed_in: Callable[..., Browser], world: World) -> Browser:
    return signed_in(Role.TRANSLATOR, languages="es")


@pytest.mark.parametrize("name", FORMATS)
def test_a_translator_takes_a_file_along_and_brings_it_back(translator: Browser, world: World, name: str) -> None:
    taken = translator.get(f"{ES}/sheet.{name}")
    suffix = FORMATS[name].suffixes[0]
    assert taken.headers["Content-Disposition"] == f'attachment; filename="love-always-wins.es{suffix}"'
    assert f"{ES}/sheet.{name}" in translator.get(ES).text
    back = taken.data.replace(b"El amor siempre gana", b"El amor gana")
    answer = translator.post(f"{ES}/sheet", sheet=(BytesIO(back), f"back{suffix}"))
    assert answer.status_code == 303
    assert words_of(world, "es").subject == "El amor gana"
    assert "fields were changed." in translator.get(ES).text


def test_what_is_here_already_changes_nothing(translator: Browser) -> None:
    taken = translator.get(f"{ES}/sheet.xliff").data
    translator.post(f"{ES}/sheet", sheet=(BytesIO(taken), "a.xlf"))
    assert "nothing was changed" in translator.get(ES).text


def test_a_field_whose_source_has_changed_is_named(translator: Browser, signed_in: Callable[..., Browser]) -> None:
    taken = translator.get(f"{ES}/sheet.po").data.replace(b"El amor siempre gana", b"Nuevo")
    organizer = signed_in(Role.ORGANIZER)
    organizer.post(EN, button="Watch it now", **seen(organizer, EN))
    translator.post(f"{ES}/sheet", sheet=(BytesIO(taken), "a.po"))
    assert "Button: The source text of this field has changed" in translator.get(ES).text


@pytest.mark.parametrize("sent", [{}, {"sheet": (b"", "")}, {"sheet": (b"PK", "a.zip")}, {"sheet": (b"<x/>", "a.xlf")}])
def test_what_does_not_fit_is_said_and_changes_nothing(
    translator: Browser, world: World, sent: dict[str, tuple[bytes, str]]
) -> None:
    before = words_of(world, "es").subject
    files = {name: (BytesIO(data), file) for name, (data, file) in sent.items()}
    answer = translator.post(f"{ES}/sheet", **files)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert words_of(world, "es").subject == before


def test_nobody_takes_what_is_not_theirs(translator: Browser, signed_in: Callable[..., Browser]) -> None:
    assert translator.get(f"{EN}/sheet.po").status_code == 403
    assert translator.post(f"{EN}/sheet").status_code == 403
    assert translator.get(f"{ES}/sheet.docx").status_code == 404
    assert signed_in(Role.VIEWER).get(f"{ES}/sheet.po").status_code == 403
    assert signed_in(Role.ORGANIZER).get(f"{EN}/sheet.po").status_code == 404, "the source text is translated to itself"
