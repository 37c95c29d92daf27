"""A browser without script: pages, cookies and forms over HTTP, as much of them as the wizard's bench needs."""

from __future__ import annotations

import secrets
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar

PATIENCE_SECONDS = 600.0


@dataclass
class Form:
    """A form as a page gives it: where it goes, and what it would send if no button was pressed."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        name, value = told.get("name", ""), told.get("value", "")
        if tag == "form":
            self.found.append(Form(told.get("action", "")))
        elif not self.found:
            return
        elif tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in told or self._select not in self.found[-1].fields):
            self.found[-1].fields[self._select] = value
        elif tag == "textarea" and name:
            self.found[-1].fields[name] = ""
        elif tag == "input" and name and (told.get("type") not in ("radio", "checkbox", "file") or "checked" in told):
            self.found[-1].fields[name] = value


class Visitor:
    """Somebody with a browser: `get` a page, `send` one of its forms."""

    def __init__(self, address: str) -> None:
        self._address = address
        # Past any proxy of the caller's environment: this is our own machine.
        handlers = (urllib.request.HTTPCookieProcessor(CookieJar()), urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)
        self.page, self.path = "", ""

    def get(self, path: str) -> str:
        """Open a page."""
        return self._open(path)

    def send(self, action_ends: str, said: Mapping[str, str], file: tuple[str, str, bytes] | None = None) -> str:
        """Fill in the form of the present page that goes to an address with this end, and send it; the page that comes.

        `file` is a field, a name and the bytes. Raises LookupError for a form that is not there.
        """
        forms = _Forms()
        forms.feed(self.page)
        form = next((form for form in forms.found if form.action.endswith(action_ends)), None)
        if form is None:
            raise LookupError(f"no form to {action_ends} on {self.path}")
        fields = {**form.fields, **said}
        kind, body = _multipart(fields, file) if file else (_PLAIN, urllib.parse.urlencode(fields).encode())
        return self._open(form.action, body, {"Content-Type": kind})

    def _open(self, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> str:
        to = urllib.parse.urljoin(self._address, path)
        request = urllib.request.Request(to, body, {"Referer": f"{self._address}/", **(headers or {})})  # noqa: S310 - ours
        with self._opener.open(request, timeout=PATIENCE_SECONDS) as answer:
            self.page, self.path = answer.read().decode(), urllib.parse.urlsplit(answer.url).path
        return self.page


_PLAIN = "application/x-www-form-urlencoded"


def _multipart(fields: Mapping[str, str], file: tuple[str, str, bytes]) -> tuple[str, bytes]:
    """RFC 7578."""
    line = secrets.token_hex(16)
    name, filename, data = file
    parts = [
        f'--{line}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{line}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'.encode()
    return f"multipart/form-data; boundary={line}", b"".join([*parts, head, data, f"\r\n--{line}--\r\n".encode()])
