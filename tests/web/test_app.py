"""What holds for every page: error pages, sizes, languages, formats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask import Flask

from mobilizer.app import create_app
from mobilizer.colours import contrast, ink_on, readable
from mobilizer.http import speak
from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from mobilizer.web import words
from mobilizer.web.brand import DARK_GROUND, LIGHT_GROUND
from tests.one_database import database_url  # noqa: F401
from tests.web.conftest import Browser


@pytest.mark.parametrize(
    ("method", "path", "code", "said"),
    [
        ("GET", "/nothing/here", 404, "Nothing is here"),
        ("GET", "/lists/no-such-list", 404, "Nothing is here"),
        ("GET", "/members/999999999999999999999999", 404, "Nothing is here"),
        ("GET", "/members/99", 404, "Nothing is here"),
        ("GET", "/imports/99", 404, "Nothing is here"),
        ("DELETE", "/lists", 405, "That did not work"),
        ("POST", "/lists/new", 400, "This form has expired"),
        ("GET", "/settings/users", 403, "This is not open to you"),
    ],
)
def test_an_error_page_says_calmly_what_is_wrong(
    organizer: Browser, method: str, path: str, code: int, said: str
) -> None:
    answer = organizer.client.open(path, method=method)
    assert answer.status_code == code
    assert said in answer.text
    assert 'href="/"' in answer.text
    assert answer.headers["X-Request-Id"] in answer.text


def test_a_refused_method_says_which_are_allowed(organizer: Browser) -> None:
    assert "GET" in organizer.client.delete("/lists").headers["Allow"]


def test_what_breaks_shows_a_number_and_no_secret(
    app: Flask, organizer: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks() -> str:
        raise RuntimeError("the password is rosebud")

    app.view_functions["lists.index"] = breaks
    breaks.action = "lists.see"  # type: ignore[attr-defined]
    answer = organizer.get("/lists")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "rosebud" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.text
    assert "Content-Security-Policy" in answer.headers
    assert answer.headers["X-Request-Id"] in capsys.readouterr().out


def test_whoever_is_not_signed_in_cannot_send_much(anonymous: Browser) -> None:
    answer = anonymous.client.post("/sign-in", data={"email": "x" * 100_000})
    assert answer.status_code == 413
    assert "That is too large" in answer.text


def test_error_pages_speak_the_readers_language(anonymous: Browser) -> None:
    answer = anonymous.get("/nothing", headers={"Accept-Language": "ar"})
    assert '<html lang="ar" dir="rtl">' in answer.text


@pytest.mark.parametrize("tag", ["en", "es", "fr", "pt", "ar"])
def test_every_page_has_its_language_and_direction(
    signed_in: Callable[..., Browser], installation: Installation, tag: str
) -> None:
    browser = signed_in(Role.ADMIN, interface_language=tag)
    for path in ("/", "/lists", "/lists/new", "/members", "/settings", "/settings/users", "/appeals", "/blasts"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert f'<html lang="{tag}" dir="{"rtl" if tag == "ar" else "ltr"}">' in page.text


def test_each_role_sees_the_places_it_may_enter(signed_in: Callable[..., Browser]) -> None:
    seen = {}
    for role in Role:
        page = signed_in(role).get("/", follow_redirects=True).text
        seen[role] = {
            place for place in ("/sums", "/lists", "/members", "/blasts", "/appeals") if f'href="{place}"' in page
        }
    assert seen == {
        Role.VIEWER: {"/sums"},
        Role.TRANSLATOR: {"/appeals"},
        Role.ORGANIZER: {"/lists", "/members", "/blasts", "/appeals"},
        Role.ADMIN: {"/lists", "/members", "/blasts", "/appeals"},
    }


def test_behind_a_proxy_the_address_is_taken_from_it_and_only_then(installation: Installation) -> None:
    for hops, expected in ((0, "127.0.0.1"), (1, "203.0.113.9")):
        settings = installation.settings.model_copy(update={"trusted_proxies": hops})
        here = Installation(settings, installation.database, installation.keyring)
        app = create_app(settings, here, counter="memory://")
        seen: list[str | None] = []
        app.before_request_funcs[None].insert(0, lambda seen=seen: seen.append(_remote()))
        app.test_client().get("/sign-in", headers={"X-Forwarded-For": "198.51.100.7, 203.0.113.9"})
        assert seen == [expected]


def _remote() -> str | None:
    from flask import request

    return request.remote_addr


def test_static_files_are_kept_by_the_browser_under_a_name_of_their_content(organizer: Browser) -> None:
    page = organizer.get("/").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "?v=" in address
    answer = organizer.get(address, buffered=True)
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("tag", "part", "whole", "said"),
    [
        ("en", 3, 4, "75%"),
        ("en", 0, 4, "0%"),
        ("en", 4, 4, "100%"),
        ("en", 9_999, 10_000, "99.9%"),
        ("en", 1, 100_000, "0.1%"),
        ("en", 1, 20, "5%"),
        ("en", 63, 1000, "6.3%"),
        ("en", 0, 0, "–"),
        ("fr", 63, 1000, "6,3\xa0%"),
        ("es", 3, 4, "75\xa0%"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(app: Flask, tag: str, part: int, whole: int, said: str) -> None:
    with app.test_request_context():
        speak("web", tag)
        assert words.percent(part, whole) == said


@pytest.mark.parametrize(("tag", "said"), [("en", "48,213"), ("es", "48.213"), ("fr", "48\u202f213"), ("ar", "48,213")])
def test_numbers_are_written_as_the_language_does(app: Flask, tag: str, said: str) -> None:
    with app.test_request_context():
        speak("web", tag)
        assert words.number(48213) == said


def test_a_moment_names_its_zone_and_a_machine_can_read_it(app: Flask) -> None:
    at = datetime(2026, 11, 22, 14, 5, 9, tzinfo=UTC)
    with app.test_request_context():
        speak("web", "es")
        said = words.moment(at)
    assert 'datetime="2026-11-22T14:05:09+00:00"' in said
    assert "14:05 UTC" in said
    assert words.moment(None) == ""


def test_a_language_is_shown_by_its_own_name_in_its_own_direction() -> None:
    assert words.own_name("ar") == '<bdi lang="ar" dir="rtl">العربية</bdi>'
    assert words.own_name("pt-BR") == '<bdi lang="pt-BR" dir="ltr">Português (Brasil)</bdi>'
    assert words.own_name("<x>") == "<bdi>&lt;x&gt;</bdi>"


@pytest.mark.parametrize("hue", ["#a5123d", "#ffff00", "#000000", "#ffffff", "#1b4f9c", "#7fff00", "#808080"])
def test_any_brand_hue_can_be_read_on_both_grounds(hue: str) -> None:
    for ground in (LIGHT_GROUND, DARK_GROUND):
        shade = readable(hue, ground)
        assert contrast(shade, ground) >= 4.5
        assert contrast(ink_on(shade), shade) >= 4.5


def test_the_brand_of_the_settings_is_served(anonymous: Browser) -> None:
    answer = anonymous.get("/brand.css")
    assert answer.mimetype == "text/css"
    assert "--brand: #a5123d;" in answer.text
