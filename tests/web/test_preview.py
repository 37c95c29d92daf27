"""Previews: what a member will see, shown where it can do nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mobilizer.organizers.policy import Role
from mobilizer.web.preview import as_seen, cut
from tests.web.appeal_stage import make_ready, seen
from tests.web.conftest import Browser
from tests.worlds import World

PREVIEW = "/appeals/love-always-wins/preview"


@pytest.fixture
def organizer(signed_in: Callable[..., Browser], world: World) -> Browser:
    make_ready(world)
    return signed_in(Role.ORGANIZER)


def test_the_preview_frames_the_mail_without_any_right(organizer: Browser) -> None:
    page = organizer.get(f"{PREVIEW}/es?scheme=dark&reader=rtl").text
    assert f'<iframe sandbox src="{PREVIEW}/es/mail?scheme=dark&amp;reader=rtl"' in page
    assert "El amor siempre gana" in page


def test_the_frames_policy_lets_nothing_run_and_nothing_out(organizer: Browser) -> None:
    answer = organizer.get(f"{PREVIEW}/es/mail")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'")
    assert "frame-ancestors 'self'" in policy
    assert "allow-" not in policy
    assert '<base target="_blank">' in answer.text
    assert "/o/" not in answer.text, "looking at a preview is no open"


def test_pictures_come_from_the_host_that_shows_the_preview(organizer: Browser) -> None:
    html = organizer.get(f"{PREVIEW}/es/mail").text
    assert 'src="/media/' in html
    assert "http://mobilizer.test/media/" not in html


def test_the_reader_is_named_nameless_or_named_from_right_to_left(organizer: Browser) -> None:
    assert "Ana" in organizer.get(f"{PREVIEW}/es/mail?reader=named").text
    nameless = organizer.get(f"{PREVIEW}/es/mail?reader=nameless").text
    assert "Ana" not in nameless
    assert "Hola:" in nameless
    assert "ليلى" in organizer.get(f"{PREVIEW}/es/mail?reader=rtl").text


def test_the_text_part_and_the_inbox_line_are_shown(organizer: Browser) -> None:
    assert "Míralo." in organizer.get(f"{PREVIEW}/es?view=text").text
    inbox = organizer.get(f"{PREVIEW}/es?view=inbox").text
    assert "El amor siempre gana!" in inbox


def test_unknown_choices_in_the_query_are_the_usual_ones(organizer: Browser) -> None:
    answer = organizer.get(f"{PREVIEW}/es?view=%01&screen=wall&scheme=<script>")
    assert answer.status_code == 200
    assert "device phone light" in answer.text


def test_a_language_that_is_not_complete_can_be_looked_at(organizer: Browser) -> None:
    organizer.post("/appeals/love-always-wins/languages", language="fr")
    words = "/appeals/love-always-wins/words/fr"
    organizer.post(words, body="Regarde. [Plus](https://example.org/fr)", subject="Bonjour", **seen(organizer, words))
    assert organizer.get(f"{PREVIEW}/fr").status_code == 200
    assert "Regarde." in organizer.get(f"{PREVIEW}/fr/mail").text


def test_a_poster_that_is_gone_is_said_not_thrown(organizer: Browser, world: World) -> None:
    for file in world.installation.settings.media.iterdir():
        file.unlink()
    page = organizer.get(f"{PREVIEW}/es")
    assert page.status_code == 200
    assert "gone from the media folder" in page.text
    assert organizer.get(f"{PREVIEW}/es/mail").status_code == 404


def test_a_translator_starts_with_their_own_language(signed_in: Callable[..., Browser], world: World) -> None:
    assert signed_in(Role.TRANSLATOR, languages="es").get(PREVIEW).location == f"{PREVIEW}/es"
    assert signed_in(Role.VIEWER).get(PREVIEW).location == f"{PREVIEW}/en"


def test_dark_and_light_are_shown_whatever_the_browser_prefers() -> None:
    html = (
        '<head><meta name="color-scheme" content="light dark"><style>:root{color-scheme:light dark;}'
        "@media (prefers-color-scheme:dark){p{color:red}}</style></head>"
    )
    dark, light = as_seen(html, "dark", ""), as_seen(html, "light", "")
    assert "@media (min-width: 0px)" in dark
    assert 'content="dark"' in dark
    assert "color-scheme:dark;" in dark
    assert "@media (max-width: 0px)" in light
    assert 'content="light"' in light


def test_an_inbox_line_is_cut_between_letters() -> None:
    assert cut("short", 10) == "short"
    assert cut("abcdefghij klm", 8) == "abcdefg…"
    assert cut("cafe\u0301s and more", 5) == "caf…"
