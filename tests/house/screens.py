"""House: a picture of every screen, docs/screens.md. `python -m tests.house.screens URL FOLDER`, beside a demo.

It goes from the overview along every link, as the demo's admin, once a route; then it takes each page four times.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright
from rich.progress import track
from werkzeug.exceptions import HTTPException

from mobilizer.demo.logins import LOGINS
from tests.browser import FLAGS
from tests.house.roles_table import an_app

SCREENS = Path(__file__).parents[2] / "docs" / "screens.md"
ABOUT = """\
# Screens

Every page that links lead to from the overview, as the demo's admin sees it, and the members' pages. Each is looked at
on a desktop, on a phone, in the dark and in Arabic; “KB” is the page itself, without pictures and the film.

`.venv/bin/python -m tests.house.screens URL FOLDER`, beside a running demo, takes the pictures and writes this list.

| route | title | KB |
|---|---|---|
"""
ADMIN = LOGINS[0]
HREFS = "all => all.map(one => one.href)"
DESKTOP, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "arabic": {"viewport": PHONE, "locale": "ar"},
}


@dataclass(frozen=True)
class Screen:
    """A page that was seen: the route, a path of it, its title, and its size in bytes."""

    route: str
    path: str
    title: str
    size: int

    @property
    def name(self) -> str:
        """What its pictures are called."""
        return re.sub(r"\W+", "-", self.route).strip("-") or "overview"


def crawl(page: Page, starts: list[str]) -> list[Screen]:
    """Every route that links lead to, by the first path found of it."""
    adapter = an_app().url_map.bind("screens")
    waiting, seen = list(starts), dict[str, Screen]()
    while waiting:
        path = waiting.pop(0)
        try:
            rule, _ = adapter.match(path.partition("?")[0], method="GET", return_rule=True)
        except HTTPException:
            continue
        if rule.rule in seen:
            continue
        answer = page.request.get(path)
        if not answer.ok or "text/html" not in answer.headers["content-type"]:
            continue
        page.goto(path)
        seen[rule.rule] = Screen(rule.rule, path, re.split(" [·–] Everyone", page.title())[0], len(answer.body()))
        waiting += _links(page)
    return sorted(seen.values(), key=lambda screen: screen.route)


def _links(page: Page) -> list[str]:
    """Where a page and the mails in its frames lead to, on the same site."""
    here = urlsplit(page.url).netloc
    found = [link for frame in page.frames for link in frame.eval_on_selector_all("a[href]", HREFS)]
    return [
        each._replace(scheme="", netloc="", fragment="").geturl()
        for each in map(urlsplit, found)
        if each.netloc == here
    ]


def looked_at(browser: Browser, url: str, screens: Sequence[Screen], folder: Path, look: str) -> None:
    """Take a picture of each page in one look."""
    context = browser.new_context(base_url=url, **LOOKS[look])
    page = context.new_page()
    sign_in(page, "ar" if look == "arabic" else "en")
    for screen in track(screens, look):
        page.goto(screen.path)
        page.screenshot(path=folder / f"{screen.name}.{look}.png", full_page=True)
    context.close()


def sign_in(page: Page, language: str = "en") -> None:
    """As the demo's admin, whose language it becomes."""
    page.goto("/sign-in")
    page.fill("[name=email]", ADMIN.email)
    page.fill("[name=password]", ADMIN.password)
    page.click("main button")
    page.wait_for_url("**/")
    page.goto("/settings")
    page.check(f"[name=language][value={language}]")
    page.locator("form:has([name=language]) button").click()
    page.wait_for_load_state()


def main(url: str, folder: Path) -> None:
    """Crawl, take the pictures, write the list."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(base_url=url)
        sign_in(page)
        screens = crawl(page, ["/"])
        for look in LOOKS:
            looked_at(browser, url, screens, folder, look)
    rows = (f"| `{one.route}` | {one.title} | {one.size / 1024:.0f} |\n" for one in screens)
    SCREENS.write_text(ABOUT + "".join(rows), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
