"""One's own account: the second factor, showing again who one is, and the browsers one is signed in with."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from flask import Flask
from sqlalchemy import update
from werkzeug.routing import Rule

from mobilizer.db import clock
from mobilizer.installation import Installation
from mobilizer.organizers import accounts, factors
from mobilizer.organizers.policy import Role
from mobilizer.organizers.sessions import PROVED_SECONDS, begin_session
from mobilizer.organizers.users import User, UserSession
from tests.one_database import database_url  # noqa: F401 - the pages do not depend on it
from tests.web.conftest import Browser
from tests.worlds import World

EMAIL, PASSWORD = "ada@example.org", "a short sentence is good"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WINDOW = 30  # seconds that a code is good for


@pytest.fixture
def here() -> Iterator[time_machine.Traveller]:
    """A moment that stays, until a test moves it: codes are good for half a minute. The database has its own clock.

    It is the tenth second of the window that comes: a cookie signed by now must not be from the future.
    """
    window = int(time.time()) // WINDOW + 1
    with time_machine.travel(datetime.fromtimestamp(window * WINDOW + 10, UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def ada(app: Flask, installation: Installation) -> Browser:
    """An administrator with a password, signed in."""
    with installation.database.write() as session:
        made = accounts.create_user(
            session, installation.keyring, email=EMAIL, name="Ada", role=Role.ADMIN, password=PASSWORD
        )
        assert isinstance(made, User)
        token = begin_session(session, made.id, 1)
        browser = Browser(app.test_client(), made.id)
    with browser.client.session_transaction() as kept:
        kept["token"] = token
    return browser


def code() -> str:
    """What the app shows."""
    return pyotp.TOTP(SECRET).now()


def set_up(browser: Browser) -> list[str]:
    """Begin the second factor; its recovery codes."""
    page = browser.post("/settings/safety/factor", secret=SECRET, code=code())
    assert page.status_code == 200
    return re.findall(r'<bdi class="code">([^<]+)</bdi>', page.text)


def stale(installation: Installation) -> None:
    """Everybody showed who they are too long ago."""
    with installation.database.write() as session:
        session.execute(update(UserSession).values(proved_at=clock(-PROVED_SECONDS - 1)))


def test_after_the_password_comes_the_code_and_nothing_opens_between(
    app: Flask, ada: Browser, here: time_machine.Traveller
) -> None:
    codes = set_up(ada)
    assert len(codes) == factors.RECOVERY_CODES
    assert ada.get("/").status_code == 200
    browser = Browser(app.test_client())
    answer = browser.post("/sign-in", email=EMAIL, password=PASSWORD, next="/lists")
    assert (answer.status_code, answer.location) == (303, "/sign-in/code?next=/lists")
    assert browser.get("/lists").status_code == 303
    assert browser.post("/sign-in/code", code=code(), next="/lists").status_code == 422  # it began the factor
    here.shift(timedelta(seconds=60))
    answer = browser.post("/sign-in/code", code=code(), next="/lists")
    assert (answer.status_code, answer.location) == (303, "/lists")
    assert browser.get("/lists").status_code == 200
    other = Browser(app.test_client())
    other.post("/sign-in", email=EMAIL, password=PASSWORD)
    assert other.post("/sign-in/code", code=codes[0]).status_code == 303
    assert other.get("/").status_code == 200


def test_codes_are_guessed_a_few_times_only_in_whatever_browser(
    app: Flask, ada: Browser, here: time_machine.Traveller
) -> None:
    set_up(ada)
    said = []
    for _ in range(3):
        browser = Browser(app.test_client())
        browser.post("/sign-in", email=EMAIL, password=PASSWORD)
        said += [browser.post("/sign-in/code", code=f"00000{n}").status_code for n in range(4)]
    assert set(said[:8]) == {422}
    assert said[-2:] == [429, 429]


def test_who_owes_a_factor_comes_no_further_than_to_its_page(
    ada: Browser, installation: Installation, here: time_machine.Traveller
) -> None:
    assert ada.post("/settings/users/factor", role=["admin", "nobody"]).status_code == 303
    for path in ("/", "/settings", "/lists"):
        assert ada.get(path).location == "/settings/safety/factor"
    page = ada.get("/settings/safety/factor")
    assert page.status_code == 200
    assert "<svg" in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"csrf_token": token[1], "secret": SECRET}
    assert ada.client.post("/settings/safety/factor", data={**form, "code": "123456"}).status_code == 422
    assert ada.client.post("/settings/safety/factor", data={**form, "code": code()}).status_code == 200
    assert ada.get("/").status_code == 200
    assert "Do without" not in ada.get("/settings/safety").text
    with installation.database.read() as session:
        assert factors.roles_that_need_one(session) == {"admin"}


def test_what_cannot_be_taken_back_asks_again_and_loses_nothing(ada: Browser, installation: Installation) -> None:
    world = World(installation)
    world.make_list()
    world.join(["en"])
    stale(installation)
    asked = ada.post("/members/export?list=x", reason="“Letters” for the <second> round", language="en")
    assert asked.status_code == 422
    kept = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', asked.text))
    assert kept["reason"] == "“Letters” for the &lt;second&gt; round"
    assert kept["language"] == "en"
    assert 'action="/members/export?list=x"' in asked.text
    reason = {"reason": "Letters for the second round"}
    assert "That is not right" in ada.post("/members/export", **reason, proof_password="wrong").text
    taken = ada.post("/members/export", **reason, proof_password=PASSWORD)
    assert taken.mimetype == "text/csv"
    assert ada.post("/members/export", **reason).mimetype == "text/csv"  # not asked again for a while


def test_the_code_of_the_app_shows_it_too(
    ada: Browser, installation: Installation, here: time_machine.Traveller
) -> None:
    set_up(ada)
    stale(installation)
    used = code()
    here.shift(timedelta(seconds=60))
    form = {"role": "organizer"}
    assert ada.post("/settings/users/factor", **form, proof_code=used).status_code == 422
    assert ada.post("/settings/users/factor", **form, proof_code=code()).status_code == 303


def test_passwords_are_guessed_a_few_times_only_here_as_well(ada: Browser, installation: Installation) -> None:
    stale(installation)
    said = [ada.post("/settings/users/factor", proof_password=f"guess {n}").status_code for n in range(11)]
    assert said == [422] * 10 + [429]


def test_what_needs_showing_it_again_is_exactly_this(app: Flask) -> None:
    rules: Iterator[Rule] = app.url_map.iter_rules()
    asked = {rule.endpoint for rule in rules if getattr(app.view_functions[rule.endpoint], "proven", False)}
    assert asked == {
        "blasts.confirm",
        "blasts.go",
        "blasts.schedule",
        "members.erase_member",
        "results.take_sharers",
        "settings.begin_factor",
        "settings.change_second_person",
        "settings.change_sending",
        "settings.change_user",
        "settings.disable",
        "settings.enable",
        "settings.end_factor",
        "settings.renew_codes",
        "settings.require_factor",
        "settings.reset_factor",
        "settings.send_invite",
        "takeout.take",
    }


def test_every_browser_is_listed_and_can_be_signed_out_from_here(
    app: Flask, ada: Browser, signed_in: Callable[..., Browser]
) -> None:
    stranger, others = signed_in(Role.VIEWER), []
    for agent in ("Mozilla/5.0 (X11; Linux) Firefox/140.0", "Mozilla/5.0 (iPhone) Safari/605"):
        client = app.test_client()
        client.environ_base["HTTP_USER_AGENT"] = agent
        others.append(Browser(client))
        others[-1].post("/sign-in", email=EMAIL, password=PASSWORD)
    page = ada.get("/settings/safety").text
    assert "Firefox, Linux" in page
    assert "Safari, iPhone" in page
    marks = re.findall(r'name="mark" value="([0-9a-f]{64})"', page)
    assert len(marks) == 2
    assert stranger.post("/settings/safety/browsers", mark=marks[0]).status_code == 303  # not theirs: nothing happens
    assert [other.get("/").status_code for other in others] == [200, 200]
    assert ada.post("/settings/safety/browsers", mark=marks[0]).status_code == 303
    assert sorted(other.get("/").status_code for other in others) == [200, 303]
    assert ada.post("/settings/safety/browsers").status_code == 303
    assert [other.get("/").status_code for other in others] == [303, 303]
    assert ada.get("/").status_code == stranger.get("/settings").status_code == 200


def test_an_administrator_takes_a_lost_factor_away(
    ada: Browser, signed_in: Callable[..., Browser], here: time_machine.Traveller
) -> None:
    admin = signed_in(Role.ADMIN)
    set_up(ada)
    assert admin.post(f"/settings/users/{ada.user_id}/factor").status_code == 303
    assert ada.get("/").status_code == 303
    assert "On" not in re.sub(r".*<tbody>", "", admin.get("/settings/users").text).split("Ada")[-1][:200]
