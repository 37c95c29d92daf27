"""Public: watch pages that are drawn once and filled in. Thousands may press play within a minute of each other.

A watch page is the same for everybody but for the share code and the stamp in it. It is drawn with stand-ins for both,
kept for a few seconds, and answered ahead of the application with what belongs there. What is not a plain look at a
watch page, or can't be found there, is the application's.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.sansio.utils import get_host
from werkzeug.test import run_wsgi_app

from mobilizer.http import EXTENSION, is_discreet
from mobilizer.installation import Installation
from mobilizer.public import beacons
from mobilizer.public.sharing import CHANNELS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SECONDS = 5.0  # how long a change of an appeal may take to show
MOST = 500  # pages kept by one process, of some 30 KB each
CODE = secrets.token_hex(10)  # the share code that nobody has
_PAGE = re.compile(r"(/w/[a-z0-9-]{1,100}/[A-Za-z0-9-]{2,35})(?:/([a-z0-9]{1,20}))?")
_WAYS = ("", "own=1", *(f"c={channel}" for channel in CHANNELS))
_ASKED = frozenset((*_WAYS, *(f"{way}&thanks=1".lstrip("&") for way in _WAYS)))
# What is each answer's own.
_OWN = frozenset(("content-length", "x-request-id"))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page with its stand-ins, good `until` a moment of the monotonic clock."""

    until: float
    body: bytes
    headers: list[tuple[str, str]]


class DrawnPages:
    """Stands before an application, and answers for its watch pages."""

    def __init__(self, app: Flask, inner: WSGIApplication) -> None:
        self._app, self._inner = app, inner
        self._of: Installation | None = None
        self._kept: dict[tuple[bool, str, str], Drawn] = {}
        self._changing = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        drawn = self._drawn(environ)
        if drawn is None:
            return self._inner(environ, start)
        _w, slug, tag, *code = environ["PATH_INFO"].lstrip("/").split("/")
        body = drawn.body.replace(CODE.encode(), code[0].encode()) if code else drawn.body
        fresh = beacons.made(self._app.extensions[EXTENSION].keyring.cookie_secret, slug, tag, *code)
        body = body.replace(beacons.STAND_IN, fresh.encode())
        start("200 OK", [*drawn.headers, ("Content-Length", str(len(body)))])
        return [body]

    def _drawn(self, environ: WSGIEnvironment) -> Drawn | None:
        asked, seconds = environ.get("QUERY_STRING", ""), self._app.config["DRAWN_SECONDS"]
        found = _PAGE.fullmatch(environ.get("PATH_INFO", ""))
        if found is None or environ["REQUEST_METHOD"] != "GET" or asked not in _ASKED or not seconds:
            return None
        path = f"{found[1]}/{CODE}" if found[2] else found[1]
        here, now = self._app.extensions[EXTENSION], time.monotonic()
        if here is not self._of:  # other settings, other pages
            self._of, self._kept = here, {}
        # The discreet site shows other pages than the usual one.
        key = is_discreet(here.settings, get_host(environ["wsgi.url_scheme"], environ.get("HTTP_HOST"))), path, asked
        kept = self._kept.get(key)
        if kept is not None and kept.until > now:
            return kept
        made, status = self._draw(environ, path, now + seconds)
        if made is None and kept is not None and status >= 500:
            made = replace(kept, until=now + seconds)  # who comes while the database is away sees the film as it was
        with self._changing:
            self._kept.pop(key, None)
            if made is not None:
                while len(self._kept) >= MOST:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = made
        return made

    def _draw(self, environ: WSGIEnvironment, path: str, until: float) -> tuple[Drawn | None, int]:
        """Ask the application for the page as somebody of whom nothing is known; None where it answers otherwise, and
        the status of its answer."""
        asking: dict[str, Any] = {name: value for name, value in environ.items() if not name.startswith("HTTP_")}
        asking |= {"PATH_INFO": path, "HTTP_HOST": environ.get("HTTP_HOST", ""), beacons.DRAWING: True}
        body, status, headers = run_wsgi_app(self._inner, asking, buffered=True)
        if not status.startswith("200 ") or "Vary" in headers:
            return None, int(status[:3])
        plain = [(name, value) for name, value in headers.items() if name.lower() not in _OWN]
        return Drawn(until, b"".join(body), plain), 200
