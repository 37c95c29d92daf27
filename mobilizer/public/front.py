"""Public: ahead of Flask. A bare WSGI callable that answers clicks, opens and shares from memory, and notes the hit.

What it does not answer goes on to Flask: every other page, and the clicks of clicks.py. It waits for nothing but, at
most once, for where a link leads; whatever fails behind it, who follows a link arrives.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.sansio.utils import get_host

from mobilizer.engagement.agents import agent_of, visitor_of
from mobilizer.engagement.attribution import Sharer
from mobilizer.engagement.events import EventKind
from mobilizer.engagement.hits import Hit
from mobilizer.engagement.machines import by_agent
from mobilizer.http import EXTENSION, is_discreet
from mobilizer.installation import Installation
from mobilizer.keys import Purpose, Ticket
from mobilizer.public.answers import HEADERS, PIXEL
from mobilizer.public.clicks import AWAY, watch_page
from mobilizer.public.targets import TRAP, Away, Lead, Reader, Targets
from mobilizer.public.ways_in import LINK, WaysIn, channel_of, language_for
from mobilizer.recording import Buffer, buffer_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CODE = "0000000000"  # stands for a share code, whose letters know no 0
_NUMBER = re.compile(r"[0-9]{1,9}")
_OF_LANGUAGE = re.compile(r"([A-Za-z0-9-]{1,35})\.gif")
_LINK_OF_LANGUAGE = re.compile(r"([A-Za-z0-9-]{1,35})/([0-9]{1,9})")
# A list is what the server sends off at once; of any other iterable its thread waits for each piece to be taken.
_NOTHING: list[bytes] = []
_OF_PAGES = ("Content-Security-Policy", "Permissions-Policy")
_KEPT = ("Referrer-Policy", "X-Content-Type-Options", "X-Robots-Tag", "Cache-Control")


class Front:
    """The application: clicks and opens here, all else in Flask behind."""

    def __init__(self, app: Flask) -> None:
        self._app, self._behind = app, app.wsgi_app
        self._build = app.url_map.bind("").build
        self._pages: dict[tuple[str, str, str, bool], str] = {}
        self._watched: dict[tuple[str, str, str], str] = {}
        self._headers = [(name, HEADERS[name]) for name in _KEPT]
        here: Installation = app.extensions[EXTENSION]
        if here.settings.base_url.startswith("https://"):
            self._headers.append(("Strict-Transport-Security", "max-age=31536000; includeSubDomains"))
        self._negotiated = [*self._headers, *((name, HEADERS[name]) for name in _OF_PAGES), ("Vary", "Accept-Language")]
        self._picture = [
            *self._headers,
            ("Content-Type", "image/gif"),
            ("Content-Length", str(len(PIXEL))),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
        ]
        self._serve(here)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        path = environ["PATH_INFO"]
        target: str | None = None
        headers = self._headers
        if path.startswith("/c/"):
            target = self._click(environ, path)
        elif path.startswith("/s/"):
            target, headers = self._share(environ, path), self._negotiated
        elif path.startswith("/o/") and path.endswith(".gif"):
            ticket = self._here().keyring.read_token(Purpose.OPEN, path[3:-4])
            return self._open(environ, start_response, ticket if ticket and ticket.member else None)
        elif path.startswith("/n/"):
            token, _, rest = path[3:].partition("/")
            ticket = self._here().keyring.read_token(Purpose.SUMS, token)
            opened = _OF_LANGUAGE.fullmatch(rest)
            if ticket and opened:
                return self._open(environ, start_response, ticket, opened[1])
            target = self._click_in_sums(environ, ticket, rest) if ticket else None
        if target:
            start_response("302 Found", [*headers, ("Location", target), ("Content-Length", "0")])
            return _NOTHING
        return self._behind(environ, start_response)

    def _open(
        self, environ: WSGIEnvironment, start_response: StartResponse, ticket: Ticket | None, language: str = ""
    ) -> Iterable[bytes]:
        """The picture, whatever the token."""
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD"):
            status = "204 No Content" if method == "OPTIONS" else "405 Method Not Allowed"
            start_response(status, [*self._headers, ("Allow", "GET, HEAD, OPTIONS")])
            return _NOTHING
        if method == "GET" and ticket:
            self._note(environ, EventKind.OPEN, ticket, language=language)
        start_response("200 OK", self._picture)
        return [PIXEL] if method == "GET" else _NOTHING

    def _click(self, environ: WSGIEnvironment, path: str) -> str | None:
        """Where a click leads, None where Flask has to say it."""
        token, _, number = path[3:].partition("/")
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "HEAD") or not _NUMBER.fullmatch(number):
            return None
        here, n = self._here(), int(number)
        ticket = here.keyring.read_token(Purpose.CLICK, token)
        if ticket is None or not ticket.member:
            return None
        lead, reader = self._known(ticket, n)
        if lead is None and reader is not None:
            environ[AWAY] = True
        elif lead is None or reader is None:
            return None
        if method == "GET":
            self._note(environ, EventKind.CLICK, ticket, n, reader.language)
        return self._target(environ, lead, reader) if lead else None

    def _click_in_sums(self, environ: WSGIEnvironment, ticket: Ticket, rest: str) -> str | None:
        """Where a click of nobody known leads, None where Flask has to say it."""
        found = _LINK_OF_LANGUAGE.fullmatch(rest)
        if found is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        language, n = found[1], int(found[2])
        try:
            lead = self._targets.lead(ticket.blast, n)
        except Away:
            environ[AWAY] = True
            return None
        if lead is None or language not in lead.languages:
            return None
        if environ["REQUEST_METHOD"] == "GET":
            self._note(environ, EventKind.CLICK, ticket, n, language)
        return self._target(environ, lead, Reader("", language))

    def _share(self, environ: WSGIEnvironment, path: str) -> str | None:
        """Where a share link leads, in the language of the browser; None where Flask has to say it."""
        found = LINK.fullmatch(path)
        if found is None or environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return None
        here, code = self._here(), found[1]
        host = get_host(environ["wsgi.url_scheme"], environ.get("HTTP_HOST"))
        try:
            film = self._ways_in.film(found[2], is_discreet(here.settings, host))
        except Away:
            environ[AWAY] = True
            return None
        if film is None:
            return None
        try:
            owner = self._ways_in.sharer(code, film)
            known = code if owner.member else ""
        except Away:  # then whose it is can be asked when the film is watched
            owner, known = Sharer(), code
        wishes, default = environ.get("HTTP_ACCEPT_LANGUAGE", ""), here.settings.default_language
        language = language_for(wishes, film, owner.language, film.source_language, default)
        channel = channel_of(environ.get("QUERY_STRING", ""))
        if owner.member and environ["REQUEST_METHOD"] == "GET":
            agent = visitor_of(environ)
            visit = Hit(EventKind.VISIT, time.time(), owner.blast, 0, owner.member, 0, language, channel, agent)
            self._buffer.note(visit._replace(machine=by_agent(EventKind.VISIT, agent)))
        key = film.name, language, channel if known else ""
        page = self._watched.get(key)
        if page is None:
            values = {"slug": film.name, "tag": language, "code": CODE, "c": key[2] or None}
            page = self._watched[key] = self._build_page(values)
        page = page.replace(CODE, known) if known else page.partition(f"/{CODE}")[0]
        return f"{environ.get('SCRIPT_NAME', '')}{page}"

    def _known(self, ticket: Ticket, n: int) -> tuple[Lead | None, Reader | None]:
        """What is known of a link and of who follows it. Nobody, while the database is away and they are unknown."""
        try:
            lead = self._targets.lead(ticket.blast, n)
        except Away:
            return None, Reader("", "")
        try:
            return lead, self._targets.reader(ticket.blast, ticket.member) if lead else None
        except Away:
            return lead, Reader("", "")

    def _target(self, environ: WSGIEnvironment, lead: Lead, reader: Reader) -> str:
        if lead.url:
            return lead.url
        key = lead.slug, lead.kind, reader.language, bool(reader.code)
        page = self._pages.get(key)
        if page is None:
            # What is no language leads to the page in the browser's.
            named = Reader(reader.code and CODE, reader.language or "und")
            page = self._pages[key] = watch_page(self._build_page, lead, named)
        return f"{environ.get('SCRIPT_NAME', '')}{page.replace(CODE, reader.code)}"

    def _build_page(self, values: dict[str, Any]) -> str:
        return str(self._build("public.watch", values))

    def _note(self, environ: WSGIEnvironment, kind: EventKind, ticket: Ticket, n: int = 0, language: str = "") -> None:
        agent = "trap" if kind is EventKind.CLICK and n == TRAP else agent_of(environ)
        self._buffer.note(
            Hit(kind, time.time(), ticket.blast, ticket.member, 0, n, language, "", agent, by_agent(kind, agent))
        )

    def _here(self) -> Installation:
        here: Installation = self._app.extensions[EXTENSION]
        if here.database is not self._database:
            self._serve(here)
        return here

    def _serve(self, here: Installation) -> None:
        self._database = here.database
        self._buffer: Buffer = buffer_of(here)
        self._targets, self._ways_in = Targets(here.database), WaysIn(here.database)
