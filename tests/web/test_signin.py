"""Signing in and out: the cookie, the session behind it, and what ends it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from mobilizer import limits
from mobilizer.app import create_app
from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.organizers import accounts
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User, UserSession
from tests.web.conftest import FORM_TOKEN, Browser

EMAIL, PASSWORD = "ada@example.org", "a short sentence is good"


@pytest.fixture
def ada(installation: Installation) -> int:
    with installation.database.write() as session:
        made = accounts.create_user(
            session, installation.keyring, email=EMAIL, name="Ada", role=Role.ORGANIZER, password=PASSWORD
        )
        assert isinstance(made, User)
        return made.id


def sign_in(browser: Browser, email: str = EMAIL, password: str = PASSWORD, **more: str) -> tuple[int, str]:
    answer = browser.post("/sign-in", email=email, password=password, **more)
    return answer.status_code, answer.headers.get("Location", "")


def test_whoever_is_not_signed_in_is_asked_to_and_then_goes_where_they_wanted(anonymous: Browser, ada: int) -> None:
    answer = anonymous.get("/lists?before=3")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/lists?before%3D3")
    assert sign_in(anonymous, next="/lists?before=3") == (303, "/lists?before=3")
    assert anonymous.get("/lists").status_code == 200


def test_an_address_is_the_same_in_capitals(anonymous: Browser, ada: int) -> None:
    assert sign_in(anonymous, email=" ADA@Example.org ")[0] == 303


def test_an_unknown_address_and_a_wrong_password_get_the_same_answer(anonymous: Browser, ada: int) -> None:
    def answer(email: str) -> tuple[int, str]:
        got = anonymous.post("/sign-in", email=email, password="wrong")
        return got.status_code, FORM_TOKEN.sub("", got.text).replace(email, "EMAIL")

    assert answer(EMAIL) == answer("nobody@example.org")
    assert answer(EMAIL)[0] == 422


def test_the_cookie_is_closed_to_scripts_and_other_sites_and_the_table_can_sign_nobody_in(
    anonymous: Browser, ada: int, installation: Installation
) -> None:
    answer = anonymous.post("/sign-in", email=EMAIL, password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    with anonymous.client.session_transaction() as kept:
        token = kept["token"]
    with installation.database.read() as session:
        (row,) = session.scalars(select(UserSession)).all()
    assert token.encode() not in row.token_hash
    assert len(row.token_hash) == 32


def test_over_https_the_cookie_is_secure_and_bound_to_the_host(installation: Installation, ada: int) -> None:
    settings = installation.settings.model_copy(update={"base_url": "https://mobilizer.test"})
    here = Installation(settings, installation.database, installation.keyring)
    answer = create_app(settings, here, counter="memory://").test_client().get("/sign-in")
    assert answer.headers["Set-Cookie"].startswith("__Host-mobilizer=")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


def test_signing_out_ends_the_session_on_the_server_too(signed_in: Callable[..., Browser]) -> None:
    browser = signed_in()
    with browser.client.session_transaction() as kept:
        token = kept["token"]
    assert browser.post("/sign-out").status_code == 303
    with browser.client.session_transaction() as kept:
        assert "token" not in kept
        kept["token"] = token
    assert browser.get("/").status_code == 303


def test_a_session_ends_with_its_time(signed_in: Callable[..., Browser], installation: Installation) -> None:
    browser = signed_in()
    assert browser.get("/").status_code == 200
    with installation.database.write() as session:
        session.execute(update(UserSession).values(expires_at=clock(-1)))
    assert browser.get("/").status_code == 303


def test_a_new_password_signs_out_every_other_browser(app: Flask, ada: int) -> None:
    here, there = Browser(app.test_client()), Browser(app.test_client())
    assert sign_in(here)[0] == sign_in(there)[0] == 303
    here.user_id = there.user_id = ada
    wrong = here.post("/settings/password", current="wrong", password="another good sentence")
    short = here.post("/settings/password", current=PASSWORD, password="short")
    assert (wrong.status_code, short.status_code) == (422, 422)
    assert "at least 12 characters" in short.text
    assert there.get("/").status_code == 200
    assert here.post("/settings/password", current=PASSWORD, password="another good sentence").status_code == 303
    assert here.get("/").status_code == 200
    assert there.get("/").status_code == 303
    there.user_id = 0
    assert sign_in(there)[0] == 422
    assert sign_in(there, password="another good sentence")[0] == 303


def test_another_role_signs_out_everywhere(signed_in: Callable[..., Browser]) -> None:
    admin, other = signed_in(Role.ADMIN), signed_in(Role.ORGANIZER)
    answer = admin.post(f"/settings/users/{other.user_id}", role="viewer")
    assert answer.status_code == 303
    assert other.get("/").status_code == 303


def test_a_disabled_user_is_out_at_once_and_stays_out(
    signed_in: Callable[..., Browser], anonymous: Browser, ada: int
) -> None:
    admin = signed_in(Role.ADMIN)
    assert sign_in(anonymous)[0] == 303
    assert admin.post(f"/settings/users/{ada}/disable").status_code == 303
    assert anonymous.get("/").status_code == 303
    assert sign_in(anonymous)[0] == 422
    assert admin.post(f"/settings/users/{ada}/enable").status_code == 303
    assert sign_in(anonymous)[0] == 303


def test_the_only_administrator_stays(signed_in: Callable[..., Browser]) -> None:
    admin = signed_in(Role.ADMIN)
    for path in ("", "/disable"):
        answer = admin.post(f"/settings/users/{admin.user_id}{path}", role="viewer")
        assert answer.status_code == 422
        assert "only administrator" in answer.text
    assert admin.get("/settings/users").status_code == 200


def test_wrong_passwords_are_counted_for_an_account_and_right_ones_are_not(app: Flask, ada: int) -> None:
    for _ in range(12):
        browser = Browser(app.test_client())
        assert sign_in(browser)[0] == 303
    browser = Browser(app.test_client())
    codes = [sign_in(browser, password="wrong")[0] for _ in range(11)]
    assert codes == [422] * 10 + [429]
    assert sign_in(browser)[0] == 429
    assert sign_in(browser, email="other@example.org")[0] == 422


def test_where_tries_cannot_be_counted_nobody_signs_in(installation: Installation, ada: int, free_port: int) -> None:
    app = create_app(installation.settings, installation, counter=f"redis://127.0.0.1:{free_port}/0")
    answer = Browser(app.test_client()).post("/sign-in", email=EMAIL, password=PASSWORD)
    assert answer.status_code == 503
    assert "Not just now" in answer.text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "javascript:alert(1)", ""]
)
def test_a_sign_in_never_leads_to_another_site(anonymous: Browser, ada: int, elsewhere: str) -> None:
    assert sign_in(anonymous, next=elsewhere) == (303, "/")


def test_the_page_speaks_what_the_browser_asks_for_until_another_language_is_chosen(
    anonymous: Browser, ada: int
) -> None:
    asked = anonymous.get("/sign-in", headers={"Accept-Language": "de, fr;q=0.8, en;q=0.5"}).text
    assert '<html lang="fr" dir="ltr">' in asked
    assert anonymous.post("/language", language="ar", next="/sign-in").location == "/sign-in"
    assert '<html lang="ar" dir="rtl">' in anonymous.get("/sign-in").text
    assert anonymous.post("/language", language="xx").status_code == 400


def test_a_chosen_language_stays_with_the_user(signed_in: Callable[..., Browser], installation: Installation) -> None:
    browser = signed_in()
    assert browser.post("/language", language="es", next="/settings").location == "/settings"
    with installation.database.read() as session:
        assert session.get_one(User, browser.user_id).interface_language == "es"
    assert '<html lang="es"' in browser.get("/").text


def test_a_form_without_its_token_is_refused_calmly(anonymous: Browser, ada: int) -> None:
    answer = anonymous.client.post("/sign-in", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 400
    assert "This form has expired" in answer.text
    assert not re.search(r"Traceback|Werkzeug", answer.text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_tries_are_counted_by_what_one_machine_has_of_addresses(one: str, other: str, same: bool) -> None:
    assert (limits._network(one) == limits._network(other)) is same


def test_by_what_tries_are_counted_has_another_name_each_day(
    app: Flask, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the address, and not even a name by which somebody is known again."""
    names = set()
    for day in (20_000, 20_000.9, 20_001):
        monkeypatch.setattr("mobilizer.limits.time.time", lambda day=day: day * 24 * 3600)
        with app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.77"}):
            names.add(limits.whence())
    assert len(names) == 2
    assert "203.0.113.77" not in names
