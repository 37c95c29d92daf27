"""A real browser before a real server: ask for `visitor`, and mark the test `browser`."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from mobilizer.app import create_app
from mobilizer.installation import Installation
from mobilizer.organizers.accounts import create_user
from mobilizer.organizers.policy import Role
from mobilizer.organizers.users import User

PASSWORD = "a short sentence is good"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Rules of WCAG 2.2 A and AA, and what axe's authors hold for good practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What passed is not told: to write it all down takes longer than to look.
OPTIONS = {"runOnly": RULES, "resultTypes": ["violations"]}


@dataclass(frozen=True)
class Served:
    """An application that answers at `url`."""

    url: str
    app: Flask
    installation: Installation


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped and says how to get it."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("No Chromium here: install the package “chromium” to run the browser stories.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def served(installation: Installation) -> Iterator[Served]:
    """The whole application in a thread: where the settings say that it is, if that is here, else on a free port."""
    app = create_app(installation.settings, installation, counter="memory://")
    address = urlsplit(installation.settings.base_url)
    port = address.port if address.hostname == "127.0.0.1" else None
    server = make_server("127.0.0.1", port or 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(f"http://127.0.0.1:{server.server_port}", app, installation)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def visitor(chromium: Browser, served: Served) -> Iterator[Callable[..., Page]]:
    """Open a page as someone of a role (or nobody): `visitor(Role.ORGANIZER, phone=True, dark=True, language="ar")`.

    A page that logs an error (something the content policy blocked, a script that broke) fails the test.
    """
    opened, complaints = [], list[str]()

    def visit(
        role: Role | None = None, *, phone: bool = False, dark: bool = False, language: str = "en", **options: Any
    ) -> Page:
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 860}
        context = chromium.new_context(
            viewport=size, color_scheme="dark" if dark else "light", locale=language, base_url=served.url, **options
        )
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if _is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if role is not None:
            sign_in(page, served.installation, role, language)
        return page

    yield visit
    for context in opened:
        context.close()
    assert complaints == []


def _is_complaint(said: ConsoleMessage) -> bool:
    # A form that is refused is an answer, though the browser logs it.
    return said.type == "error" and "status of 422" not in said.text


def sign_in(page: Page, installation: Installation, role: Role, language: str = "en") -> None:
    """Make a user of a role at first need, and sign in through the form."""
    email = f"{role}-{language}@example.org"
    with installation.database.write() as session:
        made = create_user(
            session,
            installation.keyring,
            email=email,
            name="Ada Lovelace",
            role=role,
            password=PASSWORD,
            languages=("es", "ar"),
            interface_language=language,
        )
        assert isinstance(made, User) or made[0].code == "user.known_address"
    page.goto("/sign-in")
    page.fill("[name=email]", email)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/")


def faults(page: Page, *, only: str = "") -> list[str]:
    """What is wrong with a page for people: axe's findings (those of one rule, if `only` that is looked for), and a
    page that scrolls sideways."""
    options = {**OPTIONS, "runOnly": [only]} if only else OPTIONS
    found = Axe().run(page, options=options).response["violations"]
    said = [f"{page.url} {one['id']}: {one['help']} {[node['target'] for node in one['nodes']][:3]}" for one in found]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*said, *([f"{page.url} is {wide} px too wide"] if wide > 0 else [])]
