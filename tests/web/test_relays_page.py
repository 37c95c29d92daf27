"""The page of the relays: limits and pace in words; what is wrong with the file; Redis away; never a password."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page

from mobilizer.delivery.limits import pace_of
from mobilizer.http import EXTENSION
from mobilizer.installation import Installation
from mobilizer.organizers.policy import Role
from mobilizer.settings import Settings
from mobilizer.transport.relays import load_relays
from mobilizer.web.relays import rate_words
from tests.browser import faults
from tests.one_database import database_url  # noqa: F401 - the page does not touch the database
from tests.web.conftest import Browser

FILE = """
[[relay]]
name = "main"
host = "smtp.example.org"
port = 587
user = "appeals"
password = "s3cret"
weight = 3
rate = "100/s"
provider_rates = { gmail = "30/m" }

[[relay]]
name = "spare"
host = "192.0.2.7"
tls = "none"

[[provider]]
name = "outlook"
rate = "5000/h"
"""


@pytest.fixture
def settings(tmp_path: Path, database_url: str, redis_url: str) -> Settings:  # noqa: F811
    """An installation with two relays, one of them slowed, and a provider that nobody configured slowed too."""
    (tmp_path / "relays.toml").write_text(FILE)
    settings = Settings(
        home=tmp_path, database_url=database_url, redis_url=redis_url, smtp_tls="none", base_url="http://mobilizer.test"
    )
    pace = pace_of(settings, load_relays(settings))
    for _ in range(64):
        pace.take("relay:main", "provider:yahoo")
    pace.slower("relay:main", "421 4.7.0 Try again later, ada@example.org")
    pace.slower("provider:yahoo", "451 too fast")
    return settings


def test_the_page_tells_limits_and_pace(organizer: Browser) -> None:
    page = organizer.get("/settings/relays").text
    for words in ("smtp.example.org:587", "100 a second", "30 a minute", "1.4 a second", "Slowed", "421 4.7.0",
                  "Full speed", "Not protected", "yahoo"):  # fmt: skip
        assert words in page, words
    for secret in ("s3cret", "ada@example.org"):
        assert secret not in page


def test_without_redis_the_page_says_that_the_pace_is_not_known(
    organizer: Browser, app: Flask, installation: Installation
) -> None:
    away = installation.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    app.extensions[EXTENSION] = Installation(away, installation.database, installation.keyring)
    page = organizer.get("/settings/relays").text
    assert "Redis does not answer" in page
    assert "not known" in page
    assert "100 a second" in page


def test_a_wrong_file_is_told_and_its_password_is_not(organizer: Browser, settings: Settings) -> None:
    (settings.home / "relays.toml").write_text(FILE + 'speed = "s3cret"\n')
    page = organizer.get("/settings/relays").text
    assert "line 20, provider “outlook”, speed: there is no such key" in page
    assert "s3cret" not in page


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0, ""), (1500, "1,500 a second"), (12.34, "12 a second"), (1.26, "1.3 a second"), (1 / 6, "10 a minute"),
     (1 / 60, "1 a minute"), (1 / 3600, "1 an hour"), (2 / 86400, "2 a day")],
)  # fmt: skip
def test_a_rate_is_told_in_a_time_that_fits(app: Flask, rate: float, words: str) -> None:
    with app.test_request_context("/"):
        assert rate_words(rate) == words


@pytest.mark.browser
@pytest.mark.parametrize(
    "look",
    [{"language": "en"}, {"phone": True, "dark": True, "language": "ar"}],
    ids=lambda look: "-".join(map(str, look.values())),
)
def test_the_page_has_no_fault(visitor: Callable[..., Page], look: dict[str, object]) -> None:
    page = visitor(Role.ADMIN, **look)
    page.goto("/settings/relays")
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/relays-{'-'.join(map(str, look.values()))}.png", full_page=True)
    assert faults(page) == []
