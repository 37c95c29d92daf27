"""What a hostile or broken client sends to the organizers' pages: a calm answer, never a page that breaks."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest

from mobilizer.organizers.policy import Role
from tests.web.conftest import Browser


@pytest.mark.parametrize("path", ["/lists/%00", "/appeals/%00", "/blasts/%00", "/members?language=%00", "/?a%00=b"])
def test_a_nul_in_an_address_is_refused_calmly(organizer: Browser, path: str) -> None:
    answer = organizer.get(path)
    assert answer.status_code == 400
    assert "That did not work" in answer.text


def test_a_nul_in_a_form_is_refused_before_a_database_chokes_on_it(organizer: Browser) -> None:
    assert organizer.post("/lists/new", name="News\0").status_code == 400
    assert organizer.post("/appeals/new", title="x", language="en", slug="a\0b").status_code == 400


def test_a_nul_in_the_name_of_a_file_is_refused(organizer: Browser) -> None:
    organizer.post("/lists/new", name="News")
    file = BytesIO(b"email\nana@example.org\n")
    assert organizer.post("/lists/news/import", file=(file, "a\0.csv")).status_code == 400


@pytest.mark.parametrize("elsewhere", ["//[", "/a\r\nSet-Cookie: x=y", "//\u2100.example", "/\t/evil.example", "/\0"])
def test_a_broken_address_to_go_to_next_leads_home(organizer: Browser, elsewhere: str) -> None:
    answer = organizer.get("/sign-in", query_string={"next": elsewhere})
    assert (answer.status_code, answer.headers.get("Location")) in ((303, "/"), (400, None))


def test_a_translator_leaves_no_file_where_they_may_not_write(
    signed_in: Callable[..., Browser], organizer: Browser
) -> None:
    organizer.post("/appeals/new", title="Love", language="en", slug="love")
    organizer.post("/appeals/love/languages", language="fr")
    translator = signed_in(Role.TRANSLATOR, languages="es")
    media = translator.client.application.extensions["mobilizer"].settings.media
    for path, code in (("/appeals/love/media/fr", 403), ("/appeals/love/media/es", 404), ("/appeals/no/media/es", 404)):
        answer = translator.post(path, captions=(BytesIO(b"WEBVTT\n\nNot mine"), "mine.vtt"))
        assert answer.status_code == code
    assert not media.exists() or not list(media.iterdir())


def test_a_list_called_new_can_be_reached(organizer: Browser) -> None:
    answer = organizer.post("/lists/new", name="New")
    assert answer.location == "/lists/new-2"
    assert organizer.get(answer.location).status_code == 200
