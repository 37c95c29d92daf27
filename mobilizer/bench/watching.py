"""Bench: watching. What a look at a watch page costs the application, asked as its web server asks it."""

from __future__ import annotations

import pkgutil
import secrets
import time
from dataclasses import dataclass
from typing import Any
from wsgiref.util import setup_testing_defaults

from mobilizer import tables
from mobilizer.bench import crowd
from mobilizer.blasts.blasts import Blast
from mobilizer.installation import Installation

APPLICATION = "mobilizer.app:create_app"  # by its name, as web servers have it: it is above all of us
TIMES = 3
MEMBERS = 100  # of the blast whose page it is


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says, by this process's own clock (CPU time): the best of a few rounds of looks, each with the share
    code of somebody else. `drawing_ms` is what it takes to draw a page anew; the web server's own part is not in it."""

    pages: int
    pages_per_second: int
    cpu_us_per_page: float
    drawing_ms: float
    page_bytes: int
    books: bool


def run(installation: Installation, pages: int) -> Figures:
    """Ask for so many watch pages."""
    tables.complete()
    blast = crowd.fill(installation, MEMBERS).blasts[0]
    with installation.database.read() as session:
        appeal = session.get_one(Blast, blast).appeal
        path = f"/w/{appeal.slug}/{appeal.source_language}"
    app = pkgutil.resolve_name(APPLICATION)(installation.settings, installation, counter="memory://")
    asked = [_asking(f"{path}/{secrets.token_hex(5)}") for _ in range(pages)]
    app(*_plain(asked[0]))  # templates and catalogs are read once
    app.config["DRAWN_SECONDS"] = 0
    drawing = min(_round(app, asked[:20]) / 20 for _ in range(TIMES))
    app.config["DRAWN_SECONDS"] = 5.0
    seconds = min(_round(app, asked) for _ in range(TIMES))
    code, body = asked[-1]["PATH_INFO"].rpartition("/")[2].encode(), b"".join(app(*_plain(asked[-1])))
    return Figures(
        pages=pages,
        pages_per_second=round(pages / seconds),
        cpu_us_per_page=round(1e6 * seconds / pages, 1),
        drawing_ms=round(1e3 * drawing, 2),
        page_bytes=len(body),
        books=b"</html>" in body and body.count(code) > 1,
    )


def _asking(path: str) -> dict[str, Any]:
    environ: dict[str, Any] = {"PATH_INFO": path, "QUERY_STRING": "own=1", "HTTP_ACCEPT_LANGUAGE": "en"}
    setup_testing_defaults(environ)
    return environ


def _plain(environ: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    return dict(environ), lambda _status, _headers, _error=None: None


def _round(app: Any, asked: list[dict[str, Any]]) -> float:
    began = time.process_time()
    for environ in asked:
        for _part in app(*_plain(environ)):
            pass
    return time.process_time() - began
