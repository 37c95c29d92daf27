"""Writing and translating, side by side: what is wrong is named, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mobilizer.organizers.policy import Role
from tests.web.appeal_stage import seen, words_of
from tests.web.conftest import Browser
from tests.worlds import World

ES = "/appeals/love-always-wins/words/es"
EN = "/appeals/love-always-wins/words/en"


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    return signed_in(Role.ORGANIZER)


def test_the_source_stands_beside_the_translation(organizer: Browser) -> None:
    page = organizer.get(ES).text
    assert 'lang="en" dir="ltr"' in page
    assert "Hello {{ first_name }}," in page
    assert 'name="greeting" lang="es" dir="ltr"' in page
    assert 'value="Hola, {{ first_name }}:"' in page


def test_a_right_to_left_language_is_written_from_the_right(organizer: Browser) -> None:
    organizer.post("/appeals/love-always-wins/languages", language="ar")
    page = organizer.get("/appeals/love-always-wins/words/ar").text
    assert 'name="subject" lang="ar" dir="rtl"' in page


def test_what_is_saved_arrives_as_it_was_typed(organizer: Browser, world: World) -> None:
    words = {"subject": 'El "amor" <siempre> gana 💛', "body": "Uno.\r\n\r\nDos. [Más](https://example.org/es)"}
    answer = organizer.post(ES, **words, **seen(organizer, ES))
    assert answer.status_code == 303
    kept = words_of(world, "es")
    assert kept.subject == words["subject"]
    assert kept.body == "Uno.\n\nDos. [Más](https://example.org/es)"
    assert kept.button == "El amor siempre gana", "fields that were not sent stay"


def test_an_unknown_merge_tag_is_named_at_its_field_and_nothing_is_lost(organizer: Browser, world: World) -> None:
    words = {"subject": "Nuevo asunto", "greeting": "Hola {{ frist_name }}"}
    answer = organizer.post(ES, **words, **seen(organizer, ES))
    assert answer.status_code == 422
    assert "Hola {{ frist_name }}" in answer.text
    assert "Nuevo asunto" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert '<a href="#f-greeting">Greeting</a>' in answer.text
    assert words_of(world, "es").subject == "El amor siempre gana", "nothing is half saved"


def test_a_text_that_is_too_long_is_counted_and_refused(organizer: Browser, world: World) -> None:
    answer = organizer.post(ES, button="x" * 41, **seen(organizer, ES))
    assert answer.status_code == 422
    assert "41" in answer.text
    assert "counter over" in answer.text
    assert words_of(world, "es").button == "El amor siempre gana"


def test_a_link_that_is_missing_is_shown_at_its_field_once_it_is_saved(organizer: Browser) -> None:
    organizer.post(ES, body="Míralo.", **seen(organizer, ES))
    assert "The link to https://example.org/en of English is missing here." in organizer.get(ES).text


def test_two_who_write_at_once_both_keep_their_words(
    organizer: Browser, world: World, signed_in: Callable[..., Browser]
) -> None:
    translator = signed_in(Role.TRANSLATOR, languages="es")
    mine, theirs = seen(organizer, ES), seen(translator, ES)
    assert translator.post(ES, subject="De ella", **theirs).status_code == 303
    answer = organizer.post(ES, subject="Mío", **mine)
    assert answer.status_code == 409
    assert "Somebody else saved this text" in answer.text
    assert 'value="Mío"' in answer.text
    assert "De ella" in answer.text
    assert words_of(world, "es").subject == "De ella"
    again = seen_in(answer.text)
    assert organizer.post(ES, subject="Mío", seen=again).status_code == 303
    assert words_of(world, "es").subject == "Mío"


def test_a_form_without_the_revision_it_saw_is_a_conflict_not_an_overwrite(organizer: Browser, world: World) -> None:
    assert organizer.post(ES, subject="Mío").status_code == 409
    assert words_of(world, "es").subject == "El amor siempre gana"


def test_a_viewer_may_not_write(signed_in: Callable[..., Browser], world: World) -> None:
    viewer = signed_in(Role.VIEWER)
    assert viewer.get(EN).status_code == 403
    assert viewer.post(EN, subject="x").status_code == 403


def seen_in(page: str) -> str:
    return page.split('name="seen" value="')[1].split('"')[0]
