"""Demo: a visitor without a browser. Loads pages, keeps cookies, fills the forms that it finds, as a person would."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

TIMEOUT = 30
AGENT = "Mozilla/5.0 (Mobilizer demo)"


class NoSuchForm(RuntimeError):
    """The page has no form that posts there; the message shows what the page says instead."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer. `address` is where it finally came from."""

    status: int
    address: str
    location: str
    text: str


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class _Forms(HTMLParser):
    """The POST forms of a page: where each goes, and the fields that it sends untouched."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._address, self._open = page.address, False
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = given.get("method", "").lower() == "post"
            if self._open:
                self.found.append((urljoin(self._address, given.get("action", "")), {}))
        elif tag == "input" and self._open and given.get("name") and given.get("type") in (None, "hidden", "text"):
            self.found[-1][1][given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag != "form"


class Visitor:
    """One visitor, with cookies of their own. Never goes through a proxy: all of it is on this machine."""

    def __init__(self) -> None:
        around = (urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar()))
        self._follows = urllib.request.build_opener(*around)
        self._stays = urllib.request.build_opener(*around, _Stay())

    def get(self, address: str, *, follow: bool = True) -> Page:
        """Load a page; with follow=False a redirect is the answer."""
        return self._open(urllib.request.Request(address, headers={"User-Agent": AGENT}), follow)  # noqa: S310

    def post(self, address: str, fields: dict[str, str], *, follow: bool = True) -> Page:
        """Send a form's fields."""
        body = urlencode(fields).encode()
        return self._open(urllib.request.Request(address, body, headers={"User-Agent": AGENT}), follow)  # noqa: S310

    def submit(self, page: Page, action: str, **fields: str) -> Page:
        """Fill and send the page's form that posts to a path, hidden fields included. Raises NoSuchForm."""
        for target, kept in _Forms(page).found:
            if urlsplit(target).path == action:
                return self.post(target, kept | fields)
        raise NoSuchForm(f"{page.address} ({page.status}) has no form for {action}. It says: {_said(page.text)}")

    def _open(self, request: urllib.request.Request, follow: bool) -> Page:
        opener = self._follows if follow else self._stays
        try:
            with opener.open(request, timeout=TIMEOUT) as answer:
                return _page(answer)
        except urllib.error.HTTPError as answer:
            with answer:
                return _page(answer)


def _page(answer: HTTPResponse | urllib.error.HTTPError) -> Page:
    text = answer.read().decode("utf-8", "replace")
    return Page(answer.status or 0, answer.url or "", answer.headers.get("Location", ""), text)


def _said(text: str) -> str:
    main = re.search(r"<main\b.*?</main>", text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main[0] if main else text).split())[:300]
